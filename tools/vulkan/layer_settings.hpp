// Names of the Vulkan extension VK_EXT_layer_settings that ggml-vulkan.cpp (ggml 0.25.3) uses, for
// headers older than 1.3.272, such as those of Debian 12. Given to the compiler by -include.
//
// Layouts and numbers are those of the extension. ggml passes them on to validation layers alone;
// a loader that knows no such layer skips the struct by its type. <vulkan/vulkan.hpp> must not be
// included here: what is defined before it decides that functions are looked up in the driver, and
// not linked from the loader, which does not have all of them.
#pragma once

#include <vulkan/vulkan_core.h>

#if VK_HEADER_VERSION < 272

#include <cstdint>
#include <vector>

namespace vk {

enum class LayerSettingTypeEXT { eBool32 = 0 };

struct LayerSettingEXT {
    const char* pLayerName;
    const char* pSettingName;
    LayerSettingTypeEXT type;
    std::uint32_t valueCount;
    const void* pValues;
};

struct LayerSettingsCreateInfoEXT {
    VkStructureType sType = static_cast<VkStructureType>(1000496000);
    const void* pNext = nullptr;
    std::uint32_t settingCount;
    const LayerSettingEXT* pSettings;

    // The settings must outlive this.
    explicit LayerSettingsCreateInfoEXT(const std::vector<LayerSettingEXT>& settings)
        : settingCount(static_cast<std::uint32_t>(settings.size())), pSettings(settings.data()) {}
};

}  // namespace vk

#endif

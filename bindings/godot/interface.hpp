// What llamood calls of Godot 4.2 and newer, declared anew: those parts of GDExtension's interface
// (gdextension_interface.h of Godot) that are used here, and no others. Each function is asked for
// by its name when the extension is loaded, so a part that Godot lacks is known then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace godot {

using Bool = std::uint8_t;
using Int = std::int64_t;

// GDExtensionVariantType, as far as it is used.
enum class Type : int { nil = 0, boolean = 1, integer = 2, real = 3, string = 4, dictionary = 27 };

// GDExtensionCallError; `argument` and `expected` say which argument was of another type.
enum class Fault : int { none = 0, invalid_argument = 2, too_many = 3, too_few = 4 };
struct CallError {
    Fault error;
    std::int32_t argument;
    std::int32_t expected;
};

// A String, StringName or Dictionary is a pointer or smaller; a Variant has 24 bytes, and 40 in a
// Godot of double precision.
struct Place {
    alignas(8) unsigned char bytes[8];
};
struct VariantPlace {
    alignas(8) unsigned char bytes[40];
};

// GDExtensionPropertyInfo; names are StringNames, the hint is a String.
struct PropertyInfo {
    Type type;
    void* name;
    void* class_name;
    std::uint32_t hint;
    void* hint_string;
    std::uint32_t usage;  // 6: as a property has it by default
};

using MethodCall = void (*)(void* method, void* instance, const void* const* variants, Int n,
                            void* returned, CallError* error);
using MethodPointerCall = void (*)(void* method, void* instance, const void* const* values,
                                   void* returned);

// GDExtensionClassMethodInfo.
struct MethodInfo {
    void* name;
    void* method;
    MethodCall call;
    MethodPointerCall pointer_call;
    std::uint32_t flags;  // 1: a method like others
    Bool has_return_value;
    PropertyInfo* return_value;
    int return_value_metadata;
    std::uint32_t n_argument;
    PropertyInfo* arguments;
    int* arguments_metadata;
    std::uint32_t n_default;
    void** defaults;
};

// GDExtensionClassCreationInfo2; what is not used here is NULL.
struct ClassInfo {
    Bool is_virtual, is_abstract, is_exposed;
    void* set;
    void* get;
    void* get_property_list;
    void* free_property_list;
    void* property_can_revert;
    void* property_get_revert;
    void* validate_property;
    void* notification;
    void* to_string;
    void* reference;
    void* unreference;
    void* (*create_instance)(void* class_userdata);
    void (*free_instance)(void* class_userdata, void* instance);
    void* recreate_instance;
    void* get_virtual;
    void* get_virtual_call_data;
    void* call_virtual_with_data;
    void* get_rid;
    void* class_userdata;
};

enum class Level : int { core = 0, servers = 1, scene = 2, editor = 3 };

// GDExtensionInitialization.
struct Initialization {
    Level minimum;
    void* userdata;
    void (*initialize)(void* userdata, Level level);
    void (*deinitialize)(void* userdata, Level level);
};

using Function = void (*)();
using GetFunction = Function (*)(const char* name);

// The functions, in Godot's names.
struct Interface {
    void* library = nullptr;

    void (*print_error)(const char* text, const char* function, const char* file, std::int32_t line,
                        Bool notify_editor) = nullptr;
    void (*variant_new_nil)(void* variant) = nullptr;
    void (*variant_new_copy)(void* variant, const void* from) = nullptr;
    void (*variant_destroy)(void* variant) = nullptr;
    Type (*variant_get_type)(const void* variant) = nullptr;
    void (*variant_set_keyed)(void* variant, const void* key, const void* value,
                              Bool* is_valid) = nullptr;
    void (*(*get_variant_from_type_constructor)(Type type))(void* variant, void* value) = nullptr;
    void (*(*get_variant_to_type_constructor)(Type type))(void* value, void* variant) = nullptr;
    void (*(*variant_get_ptr_constructor)(Type type, std::int32_t which))(
        void* value, const void* const* arguments) = nullptr;
    void (*(*variant_get_ptr_destructor)(Type type))(void* value) = nullptr;
    void (*string_new_with_utf8_chars_and_len)(void* string, const char* text, Int n) = nullptr;
    Int (*string_to_utf8_chars)(const void* string, char* text, Int n) = nullptr;
    void (*string_name_new_with_latin1_chars)(void* name, const char* text,
                                              Bool is_static) = nullptr;
    void* (*classdb_construct_object)(const void* class_name) = nullptr;
    void (*object_set_instance)(void* object, const void* class_name, void* instance) = nullptr;
    void (*classdb_register_extension_class2)(void* library, const void* class_name,
                                              const void* parent_name,
                                              const ClassInfo* info) = nullptr;
    void (*classdb_register_extension_class_method)(void* library, const void* class_name,
                                                    const MethodInfo* info) = nullptr;
    void (*classdb_unregister_extension_class)(void* library, const void* class_name) = nullptr;

    // Throws std::runtime_error, which names it, where Godot has no such function.
    template <class Pointer>
    static void find(GetFunction get, const char* name, Pointer& function) {
        function = reinterpret_cast<Pointer>(get(name));
        if (function == nullptr) {
            throw std::runtime_error(std::string("Godot has no ") + name +
                                     "; 4.2 or newer was expected");
        }
    }

    void load(GetFunction get);
};

// Of this extension, once it is loaded.
Interface& api();

}  // namespace godot

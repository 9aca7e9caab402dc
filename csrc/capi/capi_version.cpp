#include <stdexcept>
#include <string>
#include <string_view>

#include "capi/capi.hpp"
#include "capi/llamood.h"

using namespace llamood;

static_assert(std::string_view(LLAMOOD_VERSION) == LLAMOOD_PROJECT_VERSION,
              "the version in llamood.h is not that of pyproject.toml");

const char* llamood_version(void) {
    return LLAMOOD_VERSION;
}

int llamood_check_version(int major, int minor, char* error, size_t error_size) {
    return guarded({error, error_size}, -1, [=] {
        const bool is_same = major == LLAMOOD_VERSION_MAJOR && minor == LLAMOOD_VERSION_MINOR;
        const bool is_later =
            major > 0 && major == LLAMOOD_VERSION_MAJOR && minor < LLAMOOD_VERSION_MINOR;
        if (!is_same && !is_later) {
            throw std::runtime_error("the program was compiled with llamood " +
                                     std::to_string(major) + "." + std::to_string(minor) +
                                     ", found the library " LLAMOOD_VERSION
                                     "; compile it anew with this library's header, or install "
                                     "the library that it was compiled with");
        }
        return 0;
    });
}

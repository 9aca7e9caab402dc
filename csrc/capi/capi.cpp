#include "capi/capi.hpp"

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>

#include "text/unicode.hpp"

namespace llamood {

namespace {

bool is_within_character(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

}  // namespace

void ErrorBuffer::write(std::string_view text) const noexcept {
    if (data == nullptr || size == 0) return;
    std::size_t n = std::min(text.size(), size - 1);
    while (n < text.size() && n > 0 && is_within_character(text[n])) --n;
    std::memcpy(data, text.data(), n);
    data[n] = '\0';
}

void write_thrown(const ErrorBuffer& error) noexcept {
    try {
        try {
            throw;
        } catch (const std::exception& thrown) {
            if (dynamic_cast<const std::bad_alloc*>(&thrown) != nullptr) throw;
            error.write(printable(thrown.what()));
        }
    } catch (const std::bad_alloc&) {
        error.write("there is not enough memory");
    } catch (...) {
        error.write("something unknown went wrong");
    }
}

void require(const void* argument, const char* name) {
    if (argument == nullptr) {
        throw std::invalid_argument(std::string(name) + " is NULL; it was expected to be given");
    }
}

}  // namespace llamood

// How what is thrown in C++ becomes what llamood.h returns.
#pragma once

#include <cstddef>
#include <string_view>

namespace llamood {

// The caller's buffer for an error; none where `data` is null or `size` 0.
struct ErrorBuffer {
    char* data;
    std::size_t size;

    // As much of the text as fits, in whole characters.
    void write(std::string_view text) const noexcept;
};

// Writes what is being thrown, in UTF-8 and on one line; only to be called while something is.
void write_thrown(const ErrorBuffer& error) noexcept;

// What `work` returns, or `failed` where it throws.
template <class Result, class Work>
Result guarded(const ErrorBuffer& error, Result failed, Work work) noexcept {
    try {
        Result result = work();
        error.write("");
        return result;
    } catch (...) {
        write_thrown(error);
        return failed;
    }
}

// Throws std::invalid_argument, naming the argument, for null.
void require(const void* argument, const char* name);

}  // namespace llamood

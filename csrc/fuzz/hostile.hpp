// What all fuzzing targets share. Of a reader that is given whatever bytes only two things are
// admissible: a value, and the exception that its header names.
#pragma once

#include <unistd.h>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace hostile {

inline std::string bytes_of(const std::uint8_t* data, std::size_t size) {
    return {reinterpret_cast<const char*>(data), size};
}

// Ends the process, which the fuzzer reports together with the input.
[[noreturn]] inline void found(const std::string& what) {
    std::fprintf(stderr, "a finding: %s\n", what.c_str());
    std::abort();
}

// Whether `read` gave a value. Anything but std::invalid_argument passes through, as a finding.
template <class Read>
bool is_read(Read read) {
    try {
        read();
        return true;
    } catch (const std::invalid_argument& refusal) {
        if (*refusal.what() == '\0') found("a refusal that says nothing");
        return false;
    }
}

// A folder of this process, where temporary files are.
class Folder {
  public:
    Folder() {
        path_ =
            std::filesystem::temp_directory_path() / ("llamood-fuzz-" + std::to_string(getpid()));
        std::filesystem::create_directories(path_);
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string path() const { return path_.string(); }

    // The path of a file of this content, which takes the place of the one before.
    std::string put(const std::string& name, const void* data, std::size_t size) const {
        const std::string path = (path_ / name).string();
        std::FILE* file = std::fopen(path.c_str(), "wb");
        if (file == nullptr || std::fwrite(data, 1, size, file) != size || std::fclose(file) != 0) {
            found("no room for " + path);
        }
        return path;
    }

  private:
    std::filesystem::path path_;
};

}  // namespace hostile

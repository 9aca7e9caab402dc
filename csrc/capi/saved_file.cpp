#include "capi/saved_file.hpp"

#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <system_error>

#include "moods/json_text.hpp"
#include "moods/mood_error.hpp"

#if !defined(_WIN32)
#include <fcntl.h>
#include <unistd.h>
#endif

namespace llamood {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_head = std::size_t{256} * 1024 * 1024;  // bytes

[[noreturn]] void fail(const std::string& path, const std::error_code& error) {
    throw std::runtime_error(path + ": cannot be written: " + error.message());
}

std::error_code last_error() {
    return {errno, std::generic_category()};
}

// Beside the file, under a name that nothing has.
fs::path beside(const std::string& path) {
    std::random_device random;
    return fs::u8path(path + "." + std::to_string(random()) + ".tmp");
}

// So that a power failure leaves what was there before, or what was written.
void flush_to_disk([[maybe_unused]] const fs::path& path) {
#if !defined(_WIN32)
    const int file = open(path.c_str(), O_RDONLY);
    if (file < 0) return;
    fsync(file);
    close(file);
#endif
}

}  // namespace

void write_saved(const std::string& path, const SavedVoice& voice) {
    const fs::path target = fs::u8path(path);
    const fs::path written = beside(path);
    std::error_code error;
    if (fs::exists(target, error) && !fs::is_regular_file(target, error)) {
        fail(path, std::make_error_code(std::errc::is_a_directory));
    }
    const std::string head = json_text(voice.head());
    {
        errno = 0;
        std::ofstream file(written, std::ios::binary | std::ios::trunc);
        file << head << '\n' << voice.tail();
        file.flush();
        if (!file) error = last_error();
    }
    if (!error) flush_to_disk(written);
    if (!error) fs::rename(written, target, error);
    if (!error) return;
    std::error_code ignored;
    fs::remove(written, ignored);
    fail(path, error);
}

SavedVoice read_saved(const std::string& path) {
    std::ifstream file(fs::u8path(path), std::ios::binary);
    std::string head;
    std::getline(file, head);
    if (!file && head.empty()) {
        throw std::invalid_argument(path + ": cannot be read, or is empty");
    }
    std::ostringstream tail;
    if (file.peek() != std::ifstream::traits_type::eof()) tail << file.rdbuf();
    try {
        return SavedVoice::of(read_json(head, longest_head), tail.str());
    } catch (const MoodError& fault) {
        throw std::invalid_argument(path + ": is no saved voice: its first line is " +
                                    fault.what());
    } catch (const std::invalid_argument& fault) {
        throw std::invalid_argument(path + ": is no saved voice: " + fault.what());
    }
}

}  // namespace llamood

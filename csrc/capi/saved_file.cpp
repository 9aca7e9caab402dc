#include "capi/saved_file.hpp"

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>
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

[[noreturn]] void fail(const std::string& path, const std::error_code& error = {}) {
    throw std::runtime_error(path + ": cannot be written" +
                             (error ? ": " + error.message() : std::string()));
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
    const fs::path beside = fs::u8path(path + ".part");
    {
        std::ofstream file(beside, std::ios::binary | std::ios::trunc);
        file << json_text(voice.head()) << '\n' << voice.tail();
        file.flush();
        if (!file) {
            file.close();
            std::error_code ignored;
            fs::remove(beside, ignored);
            fail(path);
        }
    }
    flush_to_disk(beside);
    std::error_code error;
    fs::rename(beside, target, error);
    if (!error) return;
    std::error_code ignored;
    fs::remove(beside, ignored);
    fail(path, error);
}

SavedVoice read_saved(const std::string& path) {
    std::ifstream file(fs::u8path(path), std::ios::binary);
    std::string head;
    std::getline(file, head);
    if (!file && head.empty()) {
        throw std::invalid_argument(path + ": cannot be read");
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

#include "utterance.hpp"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <utility>

namespace llamood {

namespace {

// What the first byte of a character says: how many bytes it has, and between what the second must
// lie (Unicode 15, table 3-7); none where no character begins so.
struct Lead {
    std::size_t n_byte;
    std::uint8_t low;
    std::uint8_t high;
};

Lead lead_of(std::uint8_t byte) {
    if (byte < 0x80) return {1, 0, 0};
    if (byte < 0xC2 || byte > 0xF4) return {0, 0, 0};
    if (byte < 0xE0) return {2, 0x80, 0xBF};
    if (byte == 0xE0) return {3, 0xA0, 0xBF};
    if (byte == 0xED) return {3, 0x80, 0x9F};
    if (byte < 0xF0) return {3, 0x80, 0xBF};
    if (byte == 0xF0) return {4, 0x90, 0xBF};
    if (byte == 0xF4) return {4, 0x80, 0x8F};
    return {4, 0x80, 0xBF};
}

// How many of the bytes from `at` on are the beginning of a character.
std::size_t n_good(const std::string& bytes, std::size_t at, const Lead& lead) {
    std::size_t n = 1;
    while (n < lead.n_byte && at + n < bytes.size()) {
        const auto byte = static_cast<std::uint8_t>(bytes[at + n]);
        const bool is_second = n == 1;
        if (byte < (is_second ? lead.low : 0x80) || byte > (is_second ? lead.high : 0xBF)) break;
        ++n;
    }
    return n;
}

// The whole characters of `bytes`, which keeps only one that is not whole at its end.
std::string whole_characters(std::string& bytes) {
    std::string text;
    std::size_t at = 0;
    while (at < bytes.size()) {
        const Lead lead = lead_of(static_cast<std::uint8_t>(bytes[at]));
        const std::size_t n = lead.n_byte == 0 ? 1 : n_good(bytes, at, lead);
        if (n == lead.n_byte) text.append(bytes, at, n);
        if (n < lead.n_byte && at + n == bytes.size()) break;
        at += n;
    }
    bytes.erase(0, at);
    return text;
}

}  // namespace

std::string piece_of(const llama_vocab* vocab, llama_token token) {
    std::string piece(32, '\0');
    const auto write = [&] {
        return llama_token_to_piece(vocab, token, piece.data(),
                                    static_cast<std::int32_t>(piece.size()), 0, false);
    };
    std::int32_t n = write();
    if (n < 0) {  // the size that it takes
        piece.resize(static_cast<std::size_t>(-n));
        n = write();
    }
    piece.resize(std::max(n, 0));
    return piece;
}

Utterance::Utterance(std::vector<std::string> stops) : stops_(std::move(stops)) {
    for (const std::string& stop : stops_) {
        if (stop.empty()) throw std::invalid_argument("an empty stop text ends every answer");
    }
}

std::string Utterance::hear(const std::string& piece) {
    held_ += piece;
    std::size_t found = std::string::npos;
    for (const std::string& stop : stops_) found = std::min(found, held_.find(stop));
    if (found != std::string::npos) {
        is_stopped_ = true;
        character_ += held_.substr(0, found);
        held_.clear();
        return whole_characters(character_);
    }
    const std::size_t n_said = held_.size() - n_open();
    character_.append(held_, 0, n_said);
    held_.erase(0, n_said);
    return whole_characters(character_);
}

std::string Utterance::end() {
    if (is_stopped_) return "";
    character_ += std::exchange(held_, {});
    std::string text = whole_characters(character_);
    character_.clear();
    return text;
}

// How many of the last bytes may be the beginning of a stop text.
std::size_t Utterance::n_open() const {
    std::size_t longest = 0;
    for (const std::string& stop : stops_) longest = std::max(longest, stop.size() - 1);
    for (std::size_t n = std::min(longest, held_.size()); n > 0; --n) {
        const std::size_t at = held_.size() - n;
        for (const std::string& stop : stops_) {
            if (n < stop.size() && held_.compare(at, n, stop, 0, n) == 0) return n;
        }
    }
    return 0;
}

}  // namespace llamood

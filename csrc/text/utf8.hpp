// How UTF-8 is read byte by byte (Unicode 15, table 3-7).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace llamood {

// What the first byte of a character says: how many bytes it has, and between what the second must
// lie; none where no character begins so.
struct LeadByte {
    std::size_t n_byte;
    std::uint8_t low;
    std::uint8_t high;
};

inline LeadByte lead_of(std::uint8_t byte) {
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
inline std::size_t n_good(const std::string& bytes, std::size_t at, const LeadByte& lead) {
    std::size_t n = 1;
    while (n < lead.n_byte && at + n < bytes.size()) {
        const auto byte = static_cast<std::uint8_t>(bytes[at + n]);
        const bool is_second = n == 1;
        if (byte < (is_second ? lead.low : 0x80) || byte > (is_second ? lead.high : 0xBF)) break;
        ++n;
    }
    return n;
}

}  // namespace llamood

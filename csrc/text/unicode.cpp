#include "text/unicode.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>

#include "text/ranges.hpp"
#include "text/utf8.hpp"

namespace llamood {

namespace {

constexpr char32_t replacement = 0xFFFD;

// Controls, formats, separators, surrogates, private use, and planes that are empty (Unicode 15,
// categories C and Z); the two last of each plane are left to the rule below.
constexpr Range unprintable[] = {
    {0x0000, 0x001F},   {0x007F, 0x00A0},    {0x00AD, 0x00AD},   {0x0600, 0x0605},
    {0x061C, 0x061C},   {0x06DD, 0x06DD},    {0x070F, 0x070F},   {0x0890, 0x0891},
    {0x08E2, 0x08E2},   {0x1680, 0x1680},    {0x180E, 0x180E},   {0x2000, 0x200F},
    {0x2028, 0x202F},   {0x205F, 0x206F},    {0x3000, 0x3000},   {0xD800, 0xF8FF},
    {0xFDD0, 0xFDEF},   {0xFEFF, 0xFEFF},    {0xFFF9, 0xFFFB},   {0x110BD, 0x110BD},
    {0x110CD, 0x110CD}, {0x13430, 0x1343F},  {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A},
    {0x40000, 0xE00FF}, {0xE01F0, 0x10FFFF},
};

bool is_printable(char32_t character) {
    if ((character & 0xFFFE) == 0xFFFE) return false;
    return !is_among(unprintable, character);
}

// The first byte holds what its length leaves of it, each later one six bits.
char32_t decoded(const std::string& text, std::size_t at, std::size_t n_byte) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[at + i]); };
    if (n_byte == 1) return byte(0);
    char32_t character = byte(0) & (0x7F >> n_byte);
    for (std::size_t i = 1; i < n_byte; ++i) character = character << 6 | (byte(i) & 0x3F);
    return character;
}

void append(std::string& text, char32_t character) {
    const auto add = [&text](char32_t byte) { text += static_cast<char>(byte); };
    if (character < 0x80) {
        add(character);
    } else if (character < 0x800) {
        add(0xC0 | character >> 6);
        add(0x80 | (character & 0x3F));
    } else if (character < 0x10000) {
        add(0xE0 | character >> 12);
        add(0x80 | (character >> 6 & 0x3F));
        add(0x80 | (character & 0x3F));
    } else {
        add(0xF0 | character >> 18);
        add(0x80 | (character >> 12 & 0x3F));
        add(0x80 | (character >> 6 & 0x3F));
        add(0x80 | (character & 0x3F));
    }
}

std::string escaped(char32_t character) {
    switch (character) {
        case '\n':
            return "\\n";
        case '\r':
            return "\\r";
        case '\t':
            return "\\t";
        case '\\':
            return "\\\\";
        default:
            break;
    }
    char text[11];
    const char* form = character < 0x100 ? "\\x%02x" : character < 0x10000 ? "\\u%04x" : "\\U%08x";
    std::snprintf(text, sizeof text, form, static_cast<unsigned>(character));
    return text;
}

}  // namespace

std::u32string characters_of(const std::string& text) {
    std::u32string characters;
    std::size_t at = 0;
    while (at < text.size()) {
        const LeadByte lead = lead_of(static_cast<std::uint8_t>(text[at]));
        const std::size_t n = lead.n_byte == 0 ? 1 : n_good(text, at, lead);
        characters += n == lead.n_byte ? decoded(text, at, n) : replacement;
        at += n;
    }
    return characters;
}

std::string utf8_of(const std::u32string& characters) {
    std::string text;
    for (const char32_t character : characters) append(text, character);
    return text;
}

bool is_printable(const std::string& text) {
    const std::u32string characters = characters_of(text);
    return std::all_of(characters.begin(), characters.end(),
                       [](char32_t character) { return is_printable(character); });
}

std::string printable(const std::string& text) {
    std::string shown;
    for (const char32_t character : characters_of(text)) {
        if (is_printable(character)) {
            append(shown, character);
        } else {
            shown += escaped(character);
        }
    }
    return shown;
}

std::string quoted(const std::string& text) {
    const bool has_single = text.find('\'') != std::string::npos;
    const bool has_double = text.find('"') != std::string::npos;
    const char quote = has_single && !has_double ? '"' : '\'';
    std::string shown(1, quote);
    for (const char32_t character : characters_of(text)) {
        if (character == static_cast<char32_t>(quote)) {
            shown += '\\';
            shown += quote;
        } else if (character == '\\' || !is_printable(character)) {
            shown += escaped(character);
        } else {
            append(shown, character);
        }
    }
    return shown + quote;
}

}  // namespace llamood

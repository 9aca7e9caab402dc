#include "letters.hpp"

#include <algorithm>
#include <iterator>

namespace llamood {

namespace {

struct Range {
    char32_t first;
    char32_t last;
};

// Above ASCII: punctuation, digits, symbols, spaces and pictures (Unicode 15, categories P, N, S, Z
// and C), and the marks that are put on pictures.
constexpr Range no_letters[] = {
    {0x0080, 0x00A9},   {0x00AB, 0x00B4},    {0x00B6, 0x00B9}, {0x00BB, 0x00BF}, {0x00D7, 0x00D7},
    {0x00F7, 0x00F7},   {0x02C2, 0x02C5},    {0x02D2, 0x02DF}, {0x02E5, 0x02EB}, {0x02ED, 0x02ED},
    {0x02EF, 0x02FF},   {0x037E, 0x037E},    {0x0384, 0x0385}, {0x0387, 0x0387}, {0x0482, 0x0482},
    {0x055A, 0x055F},   {0x0589, 0x058F},    {0x05BE, 0x05BE}, {0x05C0, 0x05C0}, {0x05C3, 0x05C3},
    {0x05F3, 0x060F},   {0x061B, 0x061F},    {0x0660, 0x066D}, {0x06D4, 0x06D4}, {0x06DD, 0x06DE},
    {0x06F0, 0x06F9},   {0x0964, 0x0970},    {0x09E6, 0x09EF}, {0x0BE6, 0x0BFA}, {0x0E3F, 0x0E3F},
    {0x0E4F, 0x0E5B},   {0x1360, 0x137C},    {0x1680, 0x1680}, {0x17D4, 0x17DB}, {0x1FFD, 0x2070},
    {0x2074, 0x207E},   {0x2080, 0x208E},    {0x20A0, 0x2101}, {0x2103, 0x2106}, {0x2114, 0x2118},
    {0x211E, 0x2123},   {0x213A, 0x2144},    {0x214A, 0x2BFF}, {0x2E00, 0x2E2E}, {0x2E30, 0x3004},
    {0x3007, 0x3029},   {0x3030, 0x3030},    {0x3036, 0x303A}, {0x303D, 0x303F}, {0x309B, 0x309C},
    {0x30A0, 0x30A0},   {0x30FB, 0x30FB},    {0x3190, 0x319F}, {0x31C0, 0x31E3}, {0x3200, 0x33FF},
    {0x4DC0, 0x4DFF},   {0xA490, 0xA4C6},    {0xD800, 0xF8FF}, {0xFD3E, 0xFD4F}, {0xFDFC, 0xFE19},
    {0xFE30, 0xFE6B},   {0xFEFF, 0xFF20},    {0xFF3B, 0xFF40}, {0xFF5B, 0xFF65}, {0xFFE0, 0xFFFD},
    {0x1F000, 0x1FAFF}, {0xE0000, 0x10FFFF},
};

constexpr Range digits[] = {
    {0x0030, 0x0039}, {0x00B2, 0x00B3}, {0x00B9, 0x00B9}, {0x0660, 0x0669}, {0x06F0, 0x06F9},
    {0x0966, 0x096F}, {0x09E6, 0x09EF}, {0x0BE6, 0x0BEF}, {0x0E50, 0x0E59}, {0x2070, 0x2070},
    {0x2074, 0x2079}, {0x2080, 0x2089}, {0x2460, 0x2468}, {0xFF10, 0xFF19},
};

constexpr Range spaces[] = {
    {0x0009, 0x000D}, {0x001C, 0x0020}, {0x0085, 0x0085}, {0x00A0, 0x00A0}, {0x1680, 0x1680},
    {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000},
};

template <std::size_t n>
bool is_among(const Range (&ranges)[n], char32_t character) {
    const auto* range =
        std::lower_bound(std::begin(ranges), std::end(ranges), character,
                         [](const Range& one, char32_t wanted) { return one.last < wanted; });
    return range != std::end(ranges) && character >= range->first;
}

bool is_within(char32_t character, char32_t first, char32_t last) {
    return character >= first && character <= last;
}

}  // namespace

bool is_letter(char32_t character) {
    if (character < 0x80) return is_within(character | 0x20, 'a', 'z');
    return !is_among(no_letters, character);
}

bool is_digit(char32_t character) {
    return character < 0x80 ? is_within(character, '0', '9') : is_among(digits, character);
}

bool is_space(char32_t character) {
    return character == ' ' ||
           ((character < ' ' || character >= 0x80) && is_among(spaces, character));
}

char32_t lowered(char32_t character) {
    if (character < 0x80) return is_within(character, 'A', 'Z') ? character + 0x20 : character;
    const bool is_far = (is_within(character, 0xC0, 0xDE) && character != 0xD7) ||
                        is_within(character, 0x391, 0x3A9) || is_within(character, 0x410, 0x42F);
    if (is_far) return character + 0x20;
    if (is_within(character, 0x400, 0x40F)) return character + 0x50;
    const bool is_even = is_within(character, 0x100, 0x137) || is_within(character, 0x14A, 0x177) ||
                         is_within(character, 0x460, 0x481) || is_within(character, 0x48A, 0x4BF) ||
                         is_within(character, 0x4D0, 0x52F) || is_within(character, 0x1E00, 0x1EFF);
    if (is_even) return character | 1;
    const bool is_odd = is_within(character, 0x139, 0x148) || is_within(character, 0x179, 0x17E) ||
                        is_within(character, 0x4C1, 0x4CE);
    return is_odd && character % 2 == 1 ? character + 1 : character;
}

std::u32string stripped(const std::u32string& text) {
    const auto is_kept = [](char32_t character) { return !is_space(character); };
    const auto begin = std::find_if(text.begin(), text.end(), is_kept);
    const auto end = std::find_if(text.rbegin(), text.rend(), is_kept).base();
    return begin < end ? std::u32string(begin, end) : std::u32string();
}

}  // namespace llamood

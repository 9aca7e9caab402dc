// Which characters (code points) are letters, digits or spaces, and which differ in case alone. Of
// scripts that are much written; in others punctuation counts as letters.
#pragma once

#include <string>

namespace llamood {

// Letters, and the marks that are written on them.
bool is_letter(char32_t character);
bool is_digit(char32_t character);
bool is_space(char32_t character);

// Of Latin, Greek and Cyrillic letters the small one.
char32_t lowered(char32_t character);

// Without spaces at both ends.
std::u32string stripped(const std::u32string& text);

}  // namespace llamood

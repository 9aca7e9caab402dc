// UTF-8 text as characters (code points): how many there are, and how a message shows them.
#pragma once

#include <cstddef>
#include <string>

namespace llamood {

// Bytes that are no UTF-8 become U+FFFD.
std::u32string characters_of(const std::string& text);
std::string utf8_of(const std::u32string& characters);

// Whether every character has a picture of its own, or is a space. Characters that Unicode has not
// assigned are taken to have one: which those are depends on its version.
bool is_printable(const std::string& text);

// Escaped where it is not printable.
std::string printable(const std::string& text);

// In quotes, and escaped where it is not printable or would end them, as Python's repr() writes it.
std::string quoted(const std::string& text);

}  // namespace llamood

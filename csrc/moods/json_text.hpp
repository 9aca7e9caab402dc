// JSON text, read as a tree of values.
#pragma once

#include <cstddef>
#include <string>

#include "moods/json_value.hpp"

namespace llamood {

constexpr std::size_t longest_json = std::size_t{64} * 1024;  // bytes; a mood is a short text
constexpr int deepest_json = 100;                             // lists and objects within each other

// text: UTF-8. Throws MoodError for what is no JSON (RFC 8259), a key that is given twice, and what
// is longer than `longest` bytes or deeper than the limit above.
JsonValue read_json(const std::string& text, std::size_t longest = longest_json);

// In one line; what is no UTF-8 in texts is replaced. No schedule may be in it.
std::string json_text(const JsonValue& value);

}  // namespace llamood

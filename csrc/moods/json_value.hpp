// JSON text as a tree of values, in the order in which it was written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace llamood {

constexpr std::size_t longest_json = std::size_t{64} * 1024;  // bytes; a mood is a short text
constexpr int deepest_json = 100;                             // lists and objects within each other

struct JsonMember;
struct JsonValue;

using JsonList = std::vector<JsonValue>;
using JsonObject = std::vector<JsonMember>;

// A whole number that needs more than 64 bits.
struct JsonHuge {};

struct JsonValue {
    std::variant<std::nullptr_t, bool, std::int64_t, JsonHuge, double, std::string, JsonList,
                 JsonObject>
        is;

    template <class T>
    const T* as() const {
        return std::get_if<T>(&is);
    }
    bool is_number() const {
        return as<std::int64_t>() != nullptr || as<JsonHuge>() != nullptr ||
               as<double>() != nullptr;
    }
};

struct JsonMember {
    std::string key;
    JsonValue value;
};

// text: UTF-8. Throws MoodError for what is no JSON (RFC 8259), a key that is given twice, and what
// is longer or deeper than the limits above.
JsonValue read_json(const std::string& text);

// A value as an error message shows it: numbers and short texts whole, else what it is.
std::string found(const JsonValue& value);
std::string found(const std::string& text);
std::string found(std::int64_t number);
std::string found(double number);

// As printf writes it with %g and so many digits, whatever the locale.
std::string shortened(double number, int n_digit = 6);

}  // namespace llamood

// What is written of a mood, as a tree of values in the order in which it was written. How a text
// is read as one: json_text.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace llamood {

class Schedule;
struct JsonMember;
struct JsonValue;

using JsonList = std::vector<JsonValue>;
using JsonObject = std::vector<JsonMember>;

// A whole number that needs more than 64 bits.
struct JsonHuge {};

// No text holds a schedule that is made already; what a program writes may.
struct JsonValue {
    std::variant<std::nullptr_t, bool, std::int64_t, JsonHuge, double, std::string, JsonList,
                 JsonObject, std::shared_ptr<const Schedule>>
        is;
    std::string shown = {};  // as messages show it, where that is not told by what it is

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

// Whether two numbers, two texts or two nulls are equal; nothing else has a default.
bool is_same(const JsonValue& one, const JsonValue& other);

// A value as an error message shows it: numbers and short texts whole, else what it is.
std::string found(const JsonValue& value);
std::string found(const std::string& text);
std::string found(std::int64_t number);
std::string found(double number);

// As printf writes it with %g and so many digits, whatever the locale.
std::string shortened(double number, int n_digit = 6);

}  // namespace llamood

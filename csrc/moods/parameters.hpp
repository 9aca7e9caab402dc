// What the parameters of a schedule and the settings of a mood may be, and how a JSON value is
// checked to be one. The same in Python is python/llamood/moods/parameters.py. Everything here
// throws MoodError, its place relative to the parameter.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "moods/json_value.hpp"
#include "moods/schedule.hpp"
#include "moods/shapes.hpp"

namespace llamood {

constexpr std::size_t longest_waited_for = 200;  // characters of a text
constexpr std::size_t most_points = 1000;

// A finite number from `low` to `high`.
struct Number {
    double low = -largest_intensity;
    double high = largest_intensity;

    double check(const JsonValue& value) const;
    double check(double value) const;
};

constexpr Number half_life{0.01, 1e6};  // tokens, not necessarily whole

// A whole number, as of tokens. 64.0 is taken for 64.
struct Count {
    std::int64_t low = 0;
    std::int64_t high = longest_schedule;
    const char* of = "tokens";

    std::int64_t check(const JsonValue& value) const;
};

// One of a few words; which of them.
std::size_t check_choice(const JsonValue& value, const std::vector<std::string>& words);

// A text that is waited for, exactly as written.
std::string check_text(const JsonValue& value);

// [token, intensity] pairs, the tokens rising.
std::vector<Point> check_points(const JsonValue& value);

}  // namespace llamood

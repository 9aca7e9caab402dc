// What the parameters of a schedule and the settings of a mood may be, and how a value is checked
// to be one. Everything here throws MoodError, its place relative to the parameter.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "moods/json_value.hpp"
#include "moods/schedule.hpp"
#include "moods/shapes.hpp"
#include "vectors/bank.hpp"

namespace llamood {

constexpr std::size_t longest_waited_for = 200;  // characters of a text
constexpr std::size_t most_points = 1000;
constexpr std::int64_t deepest_layer = 9999;

// A finite number from `low` to `high`.
struct Number {
    double low = -largest_intensity;
    double high = largest_intensity;

    double check(const JsonValue& value) const;
    double check(double value) const;
};

constexpr Number any_half_life{0.01, 1e6};  // tokens, not necessarily whole

// A whole number, as of tokens. 64.0 is taken for 64.
struct Count {
    std::int64_t low = 0;
    std::int64_t high = longest_schedule;
    const char* of = "tokens";

    std::int64_t check(const JsonValue& value) const;
};

// One of a few words.
struct Choice {
    std::vector<std::string> words;

    // Which of them.
    std::size_t check(const JsonValue& value) const;
};

// A text that is waited for, exactly as written.
struct Text {
    std::string check(const JsonValue& value) const;
};

// [token, intensity] pairs, the tokens rising.
struct PointList {
    std::vector<Point> check(const JsonValue& value) const;
};

// First and last layer, both included, counted from 0.
struct Layers {
    LayerRange check(const JsonValue& value) const;
};

// What is to be read: {"sadness": "> 1.5"}, or "sadness > 1.5", as which it is kept.
struct ReadingLimits {};

// A schedule; a number is a constant.
struct OneSchedule {};
// Two or more of them.
struct ManySchedules {};

using ParameterKind = std::variant<Number, Count, Choice, Text, PointList, Layers, ReadingLimits,
                                   OneSchedule, ManySchedules>;

// A value as it is kept; schedules in it are made already.
JsonValue checked(const ParameterKind& kind, const JsonValue& value);

}  // namespace llamood

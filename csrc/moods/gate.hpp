// A gate: open while what is read says so. What it opens for is a schedule, see When.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "moods/json_value.hpp"

namespace llamood {

constexpr double furthest_reading = 20.0;  // z-scores; no text is read as further from neutral
constexpr std::size_t most_limits = 8;     // of one condition

// Emotion -> z-score; of those alone that are read.
using Read = std::map<std::string, double>;

// Above or below what an emotion is read.
struct Limit {
    std::string emotion;
    bool is_above;
    double at;  // a z-score
};

// All of some limits.
struct Condition {
    std::vector<Limit> limits;

    // written: {"sadness": "> 1.5"}, or "sadness > 1.5 and joy < 0". Throws MoodError.
    static Condition read(const JsonValue& written);
    // The second of these.
    std::string written() const;
};

// of_user: what was said last to who answers is read, its mean; else the answer so far, smoothed.
// hysteresis: it closes only where a limit is missed by more.
struct Gate {
    Condition condition;
    bool of_user = false;
    double hysteresis = 0.0;

    // The same of gates that open and close together.
    std::string key() const;
    // Whether it is open next. What is not read lets it stay as it is.
    bool next(bool is_open, const Read& read) const;
};

// Of each gate, by its key, the tokens, rising, at which it opened, closed, opened again ...
using Flips = std::map<std::string, std::vector<std::int64_t>>;

}  // namespace llamood

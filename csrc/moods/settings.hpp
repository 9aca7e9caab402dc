// The settings of a mood: what its keys beginning with `$` may say. The same in Python is
// python/llamood/moods/settings.py.
#pragma once

#include <optional>
#include <string>

#include "moods/json_value.hpp"
#include "vectors/bank.hpp"

namespace llamood {

// sum: weighted vectors are added; shared_once: what all vectors share is added once, at the
// strongest weight, and what is each one's own at its weight.
enum class Mixing { sum, shared_once };

struct Settings {
    Mixing blend = Mixing::sum;
    bool is_everywhere = false;        // from the first token of the prompt on, not the last
    std::optional<LayerRange> layers;  // all where none
    std::optional<double> inertia;     // half-life in tokens; at once where none
    std::optional<double> max;  // the largest size of the whole mix (see SteeringVectors::size)

    // key: with its `$`. Throws MoodError at it for what is unknown, out of range, or needs more
    // than numbers.
    void read(const std::string& key, const JsonValue& value);
};

}  // namespace llamood

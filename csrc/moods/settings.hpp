// The settings of a mood: what its keys beginning with `$` may say.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "moods/json_value.hpp"
#include "moods/parameters.hpp"
#include "vectors/bank.hpp"

namespace llamood {

// sum: weighted vectors are added; shared_once: what all vectors share is added once, at the
// strongest weight, and what is each one's own at its weight.
enum class Mixing { sum, shared_once };

// An intensity is a multiple of the vector as stored, or, in each layer, of the root mean square of
// the hidden state there.
enum class Dose { stored, relative };

struct Settings {
    Mixing blend = Mixing::sum;
    Dose dose = Dose::stored;
    bool is_everywhere = false;        // from the first token of the prompt on, not the last
    std::optional<LayerRange> layers;  // all where none
    std::optional<double> inertia;     // half-life in tokens; at once where none
    std::optional<double> max;         // the largest size of the whole mix (see size_of)

    // key: with its `$`. Throws MoodError at it for what is unknown or out of range.
    void read(const std::string& key, const JsonValue& value);
    // Those that are not as they are where nothing is said, in the order of the table.
    JsonObject written() const;
};

// key: with its `$`. otherwise: what it is where it is not said; null where it is nothing then.
struct Setting {
    std::string key;
    ParameterKind kind;
    JsonValue otherwise;
    void (*set)(Settings& settings, const ParameterKind& kind, const JsonValue& value);
    JsonValue (*get)(const Settings& settings);
};

// In the order in which they are written.
const std::vector<Setting>& all_settings();

// What a setting says, as it is kept. Throws MoodError at its key.
JsonValue checked_setting(const std::string& key, const JsonValue& value);

}  // namespace llamood

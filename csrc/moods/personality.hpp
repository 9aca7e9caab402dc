// A mood with a name, as a file has it: {"about": "...", "system": "...", "mood": {"joy": 0.9}}.
#pragma once

#include <optional>
#include <string>

#include "moods/json_value.hpp"

namespace llamood {

// about: a line for who chooses one. system: what the model is told to be; none for nothing.
// mood: as it is written, under this key; under none where that is all there is.
struct Personality {
    std::string about;
    std::optional<std::string> system;
    JsonValue mood;
    std::string key;
};

// written: such an object, or a mood alone. Throws MoodError for what is neither; what the mood
// says is not looked at.
Personality read_personality(const JsonValue& written);

}  // namespace llamood

#include "moods/personality.hpp"

#include <algorithm>

#include "moods/mood_error.hpp"
#include "text/suggestion.hpp"
#include "text/unicode.hpp"

namespace llamood {

namespace {

std::string text_of(const JsonMember& member) {
    const auto* text = member.value.as<std::string>();
    if (text == nullptr || utf8_of(characters_of(*text)) != *text) {
        throw MoodError(member.key, "a text was expected, found " + found(member.value));
    }
    return *text;
}

}  // namespace

Personality read_personality(const JsonValue& written) {
    const auto* members = written.as<JsonObject>();
    const auto is_mood = [](const JsonMember& member) {
        return member.key == "mood" && member.value.as<JsonObject>() != nullptr;
    };
    if (members == nullptr || std::none_of(members->begin(), members->end(), is_mood)) {
        return {"", std::nullopt, written, ""};
    }
    Personality personality;
    for (const JsonMember& member : *members) {
        if (member.key == "about") {
            personality.about = text_of(member);
        } else if (member.key == "system") {
            personality.system = text_of(member);
        } else if (member.key == "mood") {
            personality.mood = member.value;
            personality.key = member.key;
        } else {
            throw MoodError(member.key, "unknown; a personality has about, system and mood" +
                                            did_you_mean(member.key, {"about", "system", "mood"}));
        }
    }
    return personality;
}

}  // namespace llamood

#include "moods/settings.hpp"

#include <algorithm>
#include <set>

#include "moods/mood_error.hpp"
#include "text/suggestion.hpp"
#include "text/unicode.hpp"

namespace llamood {

namespace {

template <class Kind>
auto read_as(const ParameterKind& kind, const JsonValue& value) {
    return std::get<Kind>(kind).check(value);
}

const Setting& setting_named(const std::string& key) {
    std::set<std::string> keys;
    for (const Setting& setting : all_settings()) {
        if (setting.key == key) return setting;
        keys.insert(setting.key);
    }
    throw MoodError(utf8_of(characters_of(key).substr(0, 40)),
                    "unknown setting; known are " + listed({keys.begin(), keys.end()}));
}

}  // namespace

const std::vector<Setting>& all_settings() {
    static const std::vector<Setting> all = {
        {"$blend",
         Choice{{"sum", "shared-once"}},
         {std::string("sum")},
         [](Settings& settings, const ParameterKind& kind, const JsonValue& value) {
             settings.blend = static_cast<Mixing>(read_as<Choice>(kind, value));
         }},
        {"$positions",
         Choice{{"generated", "all"}},
         {std::string("generated")},
         [](Settings& settings, const ParameterKind& kind, const JsonValue& value) {
             settings.is_everywhere = read_as<Choice>(kind, value) == 1;
         }},
        {"$layers",
         Layers{},
         {nullptr},
         [](Settings& settings, const ParameterKind& kind, const JsonValue& value) {
             settings.layers = read_as<Layers>(kind, value);
         }},
        {"$dose",
         Choice{{"stored", "relative"}},
         {std::string("stored")},
         [](Settings& settings, const ParameterKind& kind, const JsonValue& value) {
             settings.dose = static_cast<Dose>(read_as<Choice>(kind, value));
         }},
        {"$inertia",
         any_half_life,
         {nullptr},
         [](Settings& settings, const ParameterKind& kind, const JsonValue& value) {
             settings.inertia = read_as<Number>(kind, value);
         }},
        {"$max",
         Number{0.0, largest_intensity},
         {nullptr},
         [](Settings& settings, const ParameterKind& kind, const JsonValue& value) {
             settings.max = read_as<Number>(kind, value);
         }},
    };
    return all;
}

void Settings::read(const std::string& key, const JsonValue& value) {
    const Setting& setting = setting_named(key);
    placed(key, [&] { setting.set(*this, setting.kind, value); });
}

JsonValue checked_setting(const std::string& key, const JsonValue& value) {
    const Setting& setting = setting_named(key);
    return placed(key, [&] { return checked(setting.kind, value); });
}

}  // namespace llamood

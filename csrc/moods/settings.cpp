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

JsonValue or_null(const std::optional<double>& number) {
    return number ? JsonValue{*number} : JsonValue{nullptr};
}

// Of a setting that is one of a few words.
template <class Value>
JsonValue word(const char* key, Value value) {
    const auto& choice = std::get<Choice>(setting_named(key).kind);
    return {choice.words[static_cast<std::size_t>(value)]};
}

}  // namespace

const std::vector<Setting>& all_settings() {
    static const std::vector<Setting> all = {
        {"$blend",
         Choice{{"sum", "shared-once"}},
         {std::string("sum")},
         [](Settings& settings, const ParameterKind& kind, const JsonValue& value) {
             settings.blend = static_cast<Mixing>(read_as<Choice>(kind, value));
         },
         [](const Settings& settings) { return word("$blend", settings.blend); }},
        {"$positions",
         Choice{{"generated", "all"}},
         {std::string("generated")},
         [](Settings& settings, const ParameterKind& kind, const JsonValue& value) {
             settings.is_everywhere = read_as<Choice>(kind, value) == 1;
         },
         [](const Settings& settings) { return word("$positions", settings.is_everywhere); }},
        {"$layers",
         Layers{},
         {nullptr},
         [](Settings& settings, const ParameterKind& kind, const JsonValue& value) {
             settings.layers = read_as<Layers>(kind, value);
         },
         [](const Settings& settings) {
             if (!settings.layers) return JsonValue{nullptr};
             const auto [first, last] = *settings.layers;
             return JsonValue{JsonList{{std::int64_t{first}}, {std::int64_t{last}}}};
         }},
        {"$dose",
         Choice{{"stored", "relative"}},
         {std::string("stored")},
         [](Settings& settings, const ParameterKind& kind, const JsonValue& value) {
             settings.dose = static_cast<Dose>(read_as<Choice>(kind, value));
         },
         [](const Settings& settings) { return word("$dose", settings.dose); }},
        {"$inertia",
         any_half_life,
         {nullptr},
         [](Settings& settings, const ParameterKind& kind, const JsonValue& value) {
             settings.inertia = read_as<Number>(kind, value);
         },
         [](const Settings& settings) { return or_null(settings.inertia); }},
        {"$max",
         Number{0.0, largest_intensity},
         {nullptr},
         [](Settings& settings, const ParameterKind& kind, const JsonValue& value) {
             settings.max = read_as<Number>(kind, value);
         },
         [](const Settings& settings) { return or_null(settings.max); }},
    };
    return all;
}

void Settings::read(const std::string& key, const JsonValue& value) {
    const Setting& setting = setting_named(key);
    placed(key, [&] { setting.set(*this, setting.kind, value); });
}

JsonObject Settings::written() const {
    JsonObject written;
    for (const Setting& setting : all_settings()) {
        JsonValue value = setting.get(*this);
        if (!is_same(value, setting.otherwise)) written.push_back({setting.key, std::move(value)});
    }
    return written;
}

JsonValue checked_setting(const std::string& key, const JsonValue& value) {
    const Setting& setting = setting_named(key);
    return placed(key, [&] { return checked(setting.kind, value); });
}

}  // namespace llamood

#include "moods/settings.hpp"

#include "moods/mood_error.hpp"
#include "moods/parameters.hpp"
#include "text/unicode.hpp"

namespace llamood {

namespace {

constexpr std::int64_t deepest_layer = 9999;

LayerRange check_layers(const JsonValue& value) {
    const std::string expected = "first and last layer were expected, as in [8, 20]";
    const auto* ends = value.as<JsonList>();
    if (ends == nullptr || ends->size() != 2) {
        throw MoodError("", expected + ", found " + found(value));
    }
    int layers[2];
    for (int i = 0; i < 2; ++i) {
        const auto* layer = ends->at(i).as<std::int64_t>();
        if (layer == nullptr || *layer < 0 || *layer > deepest_layer) {
            throw MoodError("", expected + ", found " + found(ends->at(i)) + " in it");
        }
        layers[i] = static_cast<int>(*layer);
    }
    if (layers[0] > layers[1]) {
        throw MoodError("", expected + ", found the first after the last");
    }
    return {layers[0], layers[1]};
}

void refuse_relative() {
    throw MoodError("",
                    "relative needs to know the hidden states of the model, which only the "
                    "Python package does; leave $dose out");
}

}  // namespace

void Settings::read(const std::string& key, const JsonValue& value) {
    placed(utf8_of(characters_of(key).substr(0, 40)), [&] {
        if (key == "$blend") {
            blend = static_cast<Mixing>(check_choice(value, {"sum", "shared-once"}));
        } else if (key == "$dose") {
            if (check_choice(value, {"stored", "relative"}) != 0) refuse_relative();
        } else if (key == "$inertia") {
            inertia = half_life.check(value);
        } else if (key == "$layers") {
            layers = check_layers(value);
        } else if (key == "$max") {
            max = Number{0.0, largest_intensity}.check(value);
        } else if (key == "$positions") {
            is_everywhere = check_choice(value, {"generated", "all"}) == 1;
        } else {
            throw MoodError("",
                            "unknown setting; known are $blend, $dose, $inertia, $layers, "
                            "$max, $positions");
        }
    });
}

}  // namespace llamood

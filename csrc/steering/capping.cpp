#include "steering/capping.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <utility>

#include "moods/json_value.hpp"
#include "moods/mood_error.hpp"
#include "moods/triggers.hpp"

namespace llamood {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

double bound(const std::optional<double>& score, double middle, double spread, double otherwise) {
    return score.has_value() ? middle + *score * spread : otherwise;
}

void add_caps(const Feeling& feeling, std::size_t emotion, std::size_t n_emotion, LayerRange layers,
              const NeutralText& neutral, std::vector<Cap>& caps) {
    const std::size_t n_layer = neutral.middle.size() / n_emotion;
    const auto n_embd =
        static_cast<std::ptrdiff_t>(neutral.directions.size() / neutral.middle.size());
    const std::size_t n_before = caps.size();
    for (std::size_t layer = 0; layer < n_layer; ++layer) {
        const int number = static_cast<int>(layer);
        const std::size_t at = layer * n_emotion + emotion;
        if (number < layers.first || number > layers.last || neutral.spread[at] == 0.0) continue;
        const auto direction =
            neutral.directions.begin() + static_cast<std::ptrdiff_t>(at) * n_embd;
        if (std::all_of(direction, direction + n_embd, [](float x) { return x == 0.0f; })) continue;
        caps.push_back({number,
                        bound(feeling.floor, neutral.middle[at], neutral.spread[at], -infinity),
                        bound(feeling.cap, neutral.middle[at], neutral.spread[at], infinity),
                        {direction, direction + n_embd}});
    }
    if (caps.size() > n_before) return;
    throw MoodError("$layers", feeling.name + " has no vector in layers " +
                                   std::to_string(layers.first) + " to " +
                                   std::to_string(layers.last) +
                                   " (the last layer of a model aside), so it cannot have a cap or "
                                   "a floor there (llamood inspect shows where it has)");
}

}  // namespace

CapsPtr caps_by(const Mood& mood, const Names& names, LayerRange layers,
                const std::optional<Told>& told, const NeutralText* neutral) {
    std::vector<Cap> caps;
    for (const Feeling& feeling : mood.feelings()) {
        if (!feeling.is_bounded()) continue;
        if (neutral == nullptr) throw MoodError(feeling.name, not_read);
        (void)read_at(feeling.name, told, "bounded");
        if (neutral->middle.empty()) {
            throw MoodError(feeling.name,
                            "a cap or a floor counts from how far neutral text goes along the "
                            "emotion's vector, which this baseline does not say; measure it again "
                            "(llamood read --measure)");
        }
        const auto emotion = static_cast<std::size_t>(
            std::find(names.begin(), names.end(), feeling.name) - names.begin());
        add_caps(feeling, emotion, names.size(), layers, *neutral, caps);
    }
    return caps.empty() ? nullptr : std::make_shared<const Caps>(std::move(caps));
}

}  // namespace llamood

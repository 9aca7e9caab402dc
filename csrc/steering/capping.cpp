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

double bound(const std::optional<double>& score, double mean, double spread, double otherwise) {
    return score.has_value() ? mean + *score * spread : otherwise;
}

void add_caps(const Feeling& feeling, std::size_t emotion, std::size_t n_emotion, LayerRange layers,
              const NeutralText& neutral, std::vector<Cap>& caps) {
    const std::size_t n_embd =
        neutral.directions.size() / (neutral.layers.size() * n_emotion);
    const std::size_t n_before = caps.size();
    for (std::size_t place = 0; place < neutral.layers.size(); ++place) {
        const int layer = neutral.layers[place];
        if (layer < layers.first || layer > layers.last) continue;
        const std::size_t at = place * n_emotion + emotion;
        const auto direction = neutral.directions.begin() + static_cast<std::ptrdiff_t>(at * n_embd);
        caps.push_back({layer,
                        bound(feeling.floor, neutral.mean[at], neutral.spread[at], -infinity),
                        bound(feeling.cap, neutral.mean[at], neutral.spread[at], infinity),
                        {direction, direction + static_cast<std::ptrdiff_t>(n_embd)}});
    }
    if (caps.size() > n_before) return;
    throw MoodError("$layers", "no layer from " + std::to_string(layers.first) + " to " +
                                   std::to_string(layers.last) + " is read, so " + feeling.name +
                                   " cannot have a cap or a floor there; read are layers " +
                                   std::to_string(neutral.layers.front()) + " to " +
                                   std::to_string(neutral.layers.back()));
}

}  // namespace

CapsPtr caps_by(const Mood& mood, const Names& names, LayerRange layers,
                const std::optional<Told>& told, const NeutralText* neutral) {
    std::vector<Cap> caps;
    for (const Feeling& feeling : mood.feelings()) {
        if (!feeling.is_bounded()) continue;
        if (neutral == nullptr) throw MoodError(feeling.name, not_read);
        (void)read_at(feeling.name, told, "bounded");
        const auto emotion = static_cast<std::size_t>(
            std::find(names.begin(), names.end(), feeling.name) - names.begin());
        add_caps(feeling, emotion, names.size(), layers, *neutral, caps);
    }
    return caps.empty() ? nullptr : std::make_shared<const Caps>(std::move(caps));
}

}  // namespace llamood

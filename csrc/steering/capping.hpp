// What a mood's caps and floors are in the hidden states of a model.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "moods/mood.hpp"
#include "steering/holding.hpp"
#include "vectors/bank.hpp"
#include "vectors/caps.hpp"

namespace llamood {

// How neutral text reads in each of the layers that were measured, which rise. directions:
// (n_layer_read, n_emotion, n_embd), of unit length; mean, spread: (n_layer_read, n_emotion), of
// projections of its tokens. Emotions are in the order of the names at hand.
struct NeutralText {
    std::vector<int> layers;
    std::vector<float> directions;
    std::vector<double> mean;
    std::vector<double> spread;
};

// Of the bounds of a mood, those in these layers: a z-score z is mean + z * spread there. Null where
// the mood has none. told: as of held_by(). neutral: null where nothing is read. Throws MoodError
// for an emotion that is not read, or not in any of the layers.
CapsPtr caps_by(const Mood& mood, const Names& names, LayerRange layers,
                const std::optional<Told>& told, const NeutralText* neutral);

}  // namespace llamood

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

// How far neutral text goes along each emotion's vector as measured. directions: (n_layer,
// n_emotion, n_embd), of unit length, zero where there is none; middle, spread: (n_layer,
// n_emotion), of projections of its tokens, a spread of 0 where there is none. All empty where that
// was not measured. Emotions are in the order of the names at hand.
struct NeutralText {
    std::vector<float> directions;
    std::vector<double> middle;
    std::vector<double> spread;
};

// Of the bounds of a mood, those in these layers: a z-score z is middle + z * spread there. Null
// where the mood has none. told: as of held_by(). neutral: null where nothing is read. Throws
// MoodError for an emotion that is not read, or has no vector in any of the layers, and where it
// was not measured how far neutral text goes.
CapsPtr caps_by(const Mood& mood, const Names& names, LayerRange layers,
                const std::optional<Told>& told, const NeutralText* neutral);

}  // namespace llamood

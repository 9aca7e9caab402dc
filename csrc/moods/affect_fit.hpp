// Where the emotions that a bank has lie in valence, arousal and dominance.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "moods/affect.hpp"
#include "vectors/bank.hpp"

namespace llamood {

// Pleasure, arousal and dominance of Russell & Mehrabian (1977), each -1 to 1.
using AffectAnchor = std::pair<const char*, AffectPoint>;
constexpr std::array<AffectAnchor, 6> affect_anchors = {{
    {"joy", {0.76, 0.48, 0.35}},
    {"anger", {-0.51, 0.59, 0.25}},
    {"disgust", {-0.60, 0.35, 0.11}},
    {"fear", {-0.64, 0.60, -0.43}},
    {"sadness", {-0.63, -0.27, -0.33}},
    {"surprise", {0.40, 0.67, -0.13}},
}};

// Of an emotion of any name, whatever its case; none where the table lacks it.
std::optional<AffectPoint> anchor_of(const std::string& name);

// The ridge, as a share of the mean energy of what is an emotion's own. What tells emotions apart
// as clearly as the average is then read at 10/11 of its size, and a difference with a tenth of
// that energy, which may well be noise, at half.
constexpr double affect_ridge = 0.1;
// Of the largest: below it a size is zero.
constexpr double affect_singular = 1e-9;

// Emotions of a bank whose coordinates are known: which they are, and those coordinates, (n) each.
struct AnchoredEmotions {
    std::vector<int> emotions;
    std::vector<AffectPoint> anchors;
};

// kernel: (n, n), inner products of their vectors as measured, the mean over layers, each divided
// by the mean length of its vectors. ridge: what was added to its diagonal. coordinates: (n), where
// intensity 1 of each lies.
struct AffectFit {
    std::vector<double> kernel;
    double ridge;
    std::vector<AffectPoint> coordinates;
};

// A linear map without intercept from vectors to coordinates, by kernel ridge regression: zero,
// which is neutral, lies at the origin. Every layer counts alike, however long its vectors are, and
// so does every dose that they were scaled to. Emotions whose vectors are much alike come to lie
// near each other, whatever their anchors say.
//
// scales: (n_emotion), what the vectors as measured were multiplied by. are_increments: each layer
// has only what it has beyond the one before.
AffectFit fit_affect(const Bank& bank, const std::vector<double>& scales, bool are_increments,
                     const AnchoredEmotions& known);

// Where emotions lie: as given, or else as the table has it; none of those that neither knows.
std::vector<std::optional<AffectPoint>> places_of(
    const std::vector<std::string>& names, const std::vector<std::optional<AffectPoint>>& given);

// The map of emotions whose coordinates are given (none where they are not) or stand in the table.
// names, anchors, scales: (n_emotion).
std::shared_ptr<const AffectMap> fitted_map(const Bank& bank, const std::vector<std::string>& names,
                                            const std::vector<std::optional<AffectPoint>>& anchors,
                                            const std::vector<double>& scales, bool are_increments);

// The table alone, where there are no vectors.
std::shared_ptr<const AffectMap> map_of_names(const std::vector<std::string>& names);

}  // namespace llamood

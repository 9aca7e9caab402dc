// Valence, arousal, dominance: which mix of emotions comes nearest to a point of them. Where the
// emotions lie is found in affect_fit.hpp.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace llamood {

constexpr std::size_t n_axis = 3;
constexpr std::array<const char*, n_axis> affect_axes = {"valence", "arousal", "dominance"};

using AffectPoint = std::array<double, n_axis>;
using NamedAxes = std::array<bool, n_axis>;  // which were asked for; the others are free

// What an error on an axis that was not named counts, and what total intensity counts, where an
// error on a named axis counts 1. Without the price on intensity, a point a hair outside what one
// emotion spans is bought with large doses that cancel each other.
constexpr double free_axis_counts = 0.05;
constexpr double intensity_counts = 0.05;
// A point is outside if it is missed by more than this share of its own distance from neutral.
constexpr double most_missed = 0.1;

// weights: (n_known), 0 or larger, at most three of them not 0. reached: where the mix lies.
// is_outside: the point was missed on the named axes, and `reached` is its projection.
struct AffectMix {
    std::vector<double> weights;
    AffectPoint reached{};
    bool is_outside = false;
};

class AffectCone;

// Never changes, and may be asked from several threads.
class AffectMap {
  public:
    // coordinates: where intensity 1 of each lies, of the emotions that are known. others: the
    // names of those that are not.
    AffectMap(std::vector<std::string> names, std::vector<AffectPoint> coordinates,
              std::vector<std::string> others);
    ~AffectMap();
    AffectMap(const AffectMap&) = delete;
    AffectMap& operator=(const AffectMap&) = delete;

    // (n_known)
    const std::vector<std::string>& names() const { return names_; }

    // The mix that comes nearest. What the point says of axes that are not named counts nothing:
    // they are kept as near to 0 as the named ones allow.
    //
    // Minimised is the squared distance from the point, with the axes that are free and the total
    // intensity as further coordinates to be kept near 0, each counting little. That is the
    // projection of the point onto the cone of all mixes, which is unique and moves no further than
    // the point does; so weights are continuous too. (Of emotions that lie at one place, the first
    // is used.) Every mix has a price and the point has none, so it lies outside the cone, and its
    // projection on a face, which three emotions span. Along a ray all is in proportion.
    //
    // Throws MoodError for a point other than neutral if no emotion is known.
    AffectMix mix(const AffectPoint& point, const NamedAxes& named) const;

  private:
    // The mix of points of this ray, which rounding cannot tell apart.
    const AffectMix& mix_of_ray(const AffectPoint& ray, const NamedAxes& named) const;
    [[noreturn]] void refuse(const AffectPoint& point) const;

    std::vector<std::string> names_;
    std::vector<AffectPoint> coordinates_;
    std::vector<std::string> others_;
    mutable std::mutex mutex_;
    mutable std::map<NamedAxes, std::unique_ptr<AffectCone>> cones_;  // found once for each choice
};

}  // namespace llamood

// What a face shows of what is read: one of some labels, which stays until another is clearly it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "moods/affect.hpp"
#include "moods/mood.hpp"

namespace llamood {

constexpr double shown_from = 1.0;         // z-scores; from which on an emotion is shown
constexpr double shown_longer = 0.5;       // by which it may fall below that, or another exceed it
constexpr std::size_t longest_label = 64;  // bytes of a face's, which every event says
constexpr int shown_after = 4;             // tokens after one another that say the same

// A face for an emotion that is read; none for the neutral one.
struct FaceLabel {
    std::string label;
    std::optional<std::string> emotion;
};

// The faces that there are.
class FaceSet {
  public:
    // Throws std::invalid_argument for emotions that are not among `emotions`, for two neutral
    // faces, and for labels that are said twice, empty or too long. Where none is neutral,
    // "neutral" is.
    FaceSet(const std::vector<FaceLabel>& labels, const Names& emotions);

    const std::string& neutral() const { return neutral_; }
    // Of a place among `emotions`; null where it has no face.
    const std::string* of(std::size_t emotion) const;
    std::size_t n_emotion() const { return labels_.size(); }
    // As they were given.
    const std::vector<FaceLabel>& given() const { return given_; }

  private:
    std::vector<std::optional<std::string>> labels_;  // (n_emotion)
    std::string neutral_ = "neutral";
    std::vector<FaceLabel> given_;
};

// What is shown. score: the reading that decides, a z-score; none for the neutral face.
// point: valence, arousal and dominance as read, each -1 to 1.
struct Shown {
    std::string label;
    std::optional<double> score;
    AffectPoint point{};
};

// One face, over tokens that follow one another.
class Face {
  public:
    // Where it stands. emotion, coming: among those that are read.
    struct State {
        std::optional<std::size_t> emotion;  // whose face is shown; none for the neutral one
        std::optional<std::size_t> coming;
        int n_coming = 0;
    };

    Face() = default;
    explicit Face(State state) : state_(state) {}
    const State& state() const { return state_; }

    // readings: (n_emotion), smoothed z-scores; empty where nothing is read.
    void see(const FaceSet& faces, const std::vector<double>& reading);
    // places: (n_emotion), where emotions lie in affect, as far as that is known.
    Shown shown(const FaceSet& faces, const std::vector<double>& reading,
                const std::vector<std::optional<AffectPoint>>& places) const;

  private:
    std::optional<std::size_t> next(const FaceSet& faces, const std::vector<double>& reading) const;

    State state_;
};

// Where readings (n_emotion) lie between emotions at known places: of what is read above 0 each
// draws towards its own, and neutral, the origin, as one z-score does.
AffectPoint point_of(const std::vector<double>& reading,
                     const std::vector<std::optional<AffectPoint>>& places);

}  // namespace llamood

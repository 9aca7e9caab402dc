// A mood, resolved against the vectors at hand: what is added at each token, within limits. The
// same in Python is python/llamood/moods/steering.py.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "moods/mood.hpp"
#include "steering/steering_vectors.hpp"

namespace llamood {

// Something that was asked for and is not given. what: of what (an emotion, or $max), so as to say
// it once.
struct Notice {
    std::string what;
    std::string text;
};

// What a limit takes away. place: of the emotion; that of base is n_emotion, that of the whole mix
// n_emotion + 1.
struct Excess {
    std::size_t place;
    double asked;
};

// (n_emotion) each: the weights asked at a token, and what the limits leave of them.
struct Target {
    std::vector<double> asked;
    std::vector<double> limited;
    std::vector<Excess> excesses;
};

// Never changes; one may serve many performances.
class Steering {
  public:
    // Throws MoodError for emotions that are not at hand and layers that the model lacks.
    Steering(const Mood& mood, std::shared_ptr<const SteeringVectors> steering_vectors);

    const Mood& mood() const { return named_.mood(); }
    int n_emotion() const { return static_cast<int>(named_.names().size()); }
    // Which layers the mood asks for, both included.
    LayerRange layers() const { return layers_; }
    // Whether the prompt is steered from its first token on, not only from its last.
    bool is_everywhere() const { return mood().settings().is_everywhere; }
    // Whether every token is given the same.
    bool is_still() const;
    // What one token leaves of the distance to what is asked.
    double kept() const { return kept_; }

    // token: counted from where the mood begins.
    Target target(std::int64_t token, const Heard& heard) const;

    Notice notice(const Excess& excess) const;

  private:
    std::vector<double> found_limits() const;
    double found_cap() const;

    NamedMood named_;
    std::shared_ptr<const SteeringVectors> steering_vectors_;
    LayerRange layers_;
    double kept_;
    std::vector<double> limits_;  // (n_emotion + 1), of intensities
    std::vector<double> gram_;    // of its layers
    double cap_;                  // of the size of the whole mix; infinite where there is none
};

}  // namespace llamood

// A mood, resolved against the vectors at hand: what is added at each token, within limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "moods/mood.hpp"
#include "steering/blend.hpp"
#include "steering/capping.hpp"
#include "steering/holding.hpp"
#include "steering/steering_vectors.hpp"

namespace llamood {

// Something that was asked for and is not given. what: of what (an emotion, "affect", $layers,
// $max), so as to say it once.
struct Notice {
    std::string what;
    std::string text;
};

// What is not given at some tokens: of each emotion, of base and of the whole mix the most that was
// asked for beyond its limit, 0 where that was kept; whether the point of affect is out of reach;
// and whether what is felt adds nothing.
struct Missed {
    std::vector<double> excesses;  // (n_emotion + 2); empty where every limit was kept
    bool is_outside = false;
    bool is_silent = false;

    // At these tokens or at those.
    void join(const Missed& other);
    // Leaves what is missed in another way than in these.
    void leave_out(const Missed& known);
    bool is_any() const;
};

// (n_emotion) each: the weights asked at a token, and what the limits leave of them.
struct Target {
    std::vector<double> asked;
    std::vector<double> limited;
    Missed missed;
};

// Never changes; one may serve many performances.
class Steering {
  public:
    // stored: in the dose `stored`; the mood may ask for another. affect_map, told, neutral: where
    // the mood needs them (see AffectMap, held_by and caps_by). Throws MoodError for emotions that
    // are not at hand, layers that the model lacks, a dose that these vectors cannot be given in,
    // and readings that cannot be held or bounded.
    Steering(const Mood& mood, const std::shared_ptr<const SteeringVectors>& stored,
             std::shared_ptr<const AffectMap> affect_map = nullptr,
             const std::optional<Told>& told = std::nullopt, const NeutralText* neutral = nullptr);

    const Mood& mood() const { return named_.mood(); }
    // In the mood's dose.
    const SteeringVectors& vectors() const { return *vectors_; }
    std::size_t n_emotion() const { return named_.names().size(); }
    // Which layers the mood asks for, both included.
    LayerRange layers() const { return layers_; }
    // Whether the prompt is steered from its first token on, not only from its last.
    bool is_everywhere() const { return mood().settings().is_everywhere; }
    // Whether the mood depends on the text, or on a function.
    bool listens() const { return listens_; }
    // What one token leaves of the distance to what is asked.
    double kept() const { return kept_; }
    const std::vector<Held>& held() const { return held_; }
    // By key.
    const std::map<std::string, Gate>& gates() const { return gates_; }
    // Whether the weights of a token are known before the token ahead of it is decoded.
    bool is_foreseen() const { return held_.empty() && gates_.empty(); }

    // token: counted from where the mood begins. held: see NamedMood::intensities.
    Target target(std::int64_t token, const Heard& heard,
                  const std::vector<double>& held = {}) const;

    // The target of token 0, where nothing has been heard and nothing is read yet. Throws what can
    // be said, and not worked out.
    Target first() const;
    // What every token is asked, where that is the same; else null.
    const Target* constant() const { return constant_.has_value() ? &*constant_ : nullptr; }
    // The one blend of all tokens, where nothing changes; else null.
    const Blend* still() const { return still_.has_value() ? &*still_ : nullptr; }
    // Within what hidden states are kept, at each token that the mood is felt at.
    const CapsPtr& caps() const { return caps_; }
    // What weights (n_emotion) add in this mood's dose and layers, within its caps.
    Blend blend(std::vector<float> weights) const;

    // How many times as much as reads fluently weights (n_emotion) add: of a mix the root of the
    // sum of the squares. None where that is not known of any of them.
    std::optional<double> overdose(const std::vector<double>& weights) const;

    // In words.
    std::vector<Notice> notices(const Missed& missed) const;

  private:
    std::vector<double> found_limits() const;
    double found_cap() const;
    void cap(Target& target) const;
    Notice held_back(std::size_t emotion, double asked) const;

    std::shared_ptr<const SteeringVectors> vectors_;
    NamedMood named_;
    LayerRange layers_;
    bool listens_;
    double kept_;
    std::vector<Held> held_;
    CapsPtr caps_;
    std::map<std::string, Gate> gates_;
    std::vector<double> limits_;  // (n_emotion + 1), of intensities
    std::vector<double> gram_;    // of its layers; empty where nothing is felt
    std::vector<double> fluent_;  // (n_emotion), the largest weights that read fluently in them
    double cap_;                  // of the size of the whole mix; infinite where there is none
    std::optional<Target> constant_;
    std::optional<Blend> still_;
};

}  // namespace llamood

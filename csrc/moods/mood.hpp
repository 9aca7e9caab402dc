// What a model is asked to feel: a schedule for each emotion, and how they mix; an immutable value.
// How people write one in Python is python/llamood/moods/mood.py.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "moods/affect.hpp"
#include "moods/schedule.hpp"
#include "moods/settings.hpp"

namespace llamood {

using Names = std::vector<std::string>;

// Stands for the mean of all vectors, unless a vector has that name.
constexpr const char* base_name = "base";

// name: of an emotion, or of an axis of affect. cap, floor: of an emotion, between what the hidden
// states are kept, see Bounding.
struct Feeling {
    std::string name;
    SchedulePtr schedule;
    std::optional<double> cap = std::nullopt;
    std::optional<double> floor = std::nullopt;

    bool is_bounded() const { return cap.has_value() || floor.has_value(); }
};

class Mood {
  public:
    // Neutral.
    Mood() = default;

    // written: as in {"joy": 0.8, "$inertia": 30}. Throws MoodError for what is no mood.
    static Mood read(const JsonValue& written);

    // The same weights at every token. Throws MoodError as above.
    static Mood of(const std::vector<std::pair<std::string, double>>& weights);

    // What read() makes the same mood of. Throws MoodError where a Python function is in it.
    JsonValue to_json() const;

    // Of emotions, an intensity, a multiple of its vector; negative pushes away.
    const std::vector<Feeling>& feelings() const { return feelings_; }
    // Of axes of affect, the coordinate for which a mix of emotions is found.
    const std::vector<Feeling>& affect() const { return affect_; }
    const Settings& settings() const { return settings_; }

    // Whether nothing is asked for at any token, and nothing is bounded.
    bool is_neutral() const;
    // Whether an emotion has a cap or a floor.
    bool is_bounded() const;
    // Whether every token is asked the same.
    bool is_constant() const;
    // Whether what is asked depends on the text, or on a function.
    bool listens() const;
    // Whether a reading is to be held, so that only a voice with readings can feel it.
    bool holds() const;
    // The same where one is only waited for, or bounded.
    bool reads() const;
    // The texts that it listens to.
    std::vector<std::string> texts() const;
    // The gates that it waits for, by key.
    std::map<std::string, Gate> gates() const;

  private:
    void feel(const std::string& name, SchedulePtr schedule);
    template <class Is>
    bool all(Is is) const;

    std::vector<Feeling> feelings_;
    std::vector<Feeling> affect_;
    Settings settings_;
};

// weights: (n_emotion + 1), the intensity asked of each emotion before they are blended, the last
// for base where no vector has that name. is_outside: the point of affect is out of reach.
struct Intensities {
    std::vector<double> weights;
    bool is_outside = false;
};

// A mood whose emotions are found among the names at hand, which it only gives weights of.
class NamedMood {
  public:
    // affect_map: of these names; needed where the mood names a point of affect. Throws MoodError
    // for an emotion that is neither among `names` nor base.
    NamedMood(Mood mood, Names names, std::shared_ptr<const AffectMap> affect_map = nullptr);

    const Mood& mood() const { return mood_; }
    const Names& names() const { return names_; }

    // held: (n_feeling), what it takes at this token to hold the readings that are held, NaN of the
    // others; empty where none is. Throws MoodError for a reading that is not held, and what a
    // function throws.
    Intensities intensities(std::int64_t token, const Heard& heard,
                            const std::vector<double>& held = {}) const;

    // Effective weights (n_emotion) of intensities: the sum of weights times vectors is the blend.
    //
    // With base B the mean of all vectors EV_k and s the strongest weight, shared_once is
    //     s B + sum_k w_k (EV_k - B) = sum_k w_k EV_k + (s - sum_k w_k) B,
    // and B spread over the n vectors makes the effective weight of each
    //     w_k + (s - sum_k w_k) / n.
    // base asked for by name has no part of its own: it counts only towards s.
    std::vector<double> blended(const std::vector<double>& intensities) const;

    // out (n_emotion): the weights asked at a token, as if no text were heard.
    void row(std::int64_t token, float* out) const;

    // Where each of the mood's feelings is among the intensities.
    const std::vector<std::size_t>& places() const { return places_; }

  private:
    bool add_affect(std::int64_t token, const Heard& heard, std::vector<double>& weights) const;

    Mood mood_;
    Names names_;
    std::vector<std::size_t> places_;
    std::shared_ptr<const AffectMap> affect_map_;
    std::vector<std::size_t> affect_places_;  // of the map's names
    std::vector<std::size_t> axes_;           // of each of the mood's axes
    NamedAxes named_{};
};

}  // namespace llamood

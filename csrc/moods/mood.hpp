// What a model is asked to feel: a schedule for each emotion, and how they mix; an immutable value.
// The same in Python is python/llamood/moods/mood.py.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "moods/schedule.hpp"
#include "moods/settings.hpp"

namespace llamood {

using Names = std::vector<std::string>;

// Stands for the mean of all vectors, unless a vector has that name.
constexpr const char* base_name = "base";

struct Feeling {
    std::string emotion;
    SchedulePtr schedule;
};

class Mood {
  public:
    // Neutral.
    Mood() = default;

    // json: as in {"joy": 0.8, "$inertia": 30}. Throws MoodError for what is no mood, and for what
    // needs more than numbers: readings that are held, points of affect.
    static Mood parse(const std::string& json);

    // The same weights at every token. Throws MoodError as above.
    static Mood of(const std::vector<std::pair<std::string, double>>& weights);

    const std::vector<Feeling>& feelings() const { return feelings_; }
    const Settings& settings() const { return settings_; }

    // Whether nothing is asked for at any token.
    bool is_neutral() const;
    // Whether every token is asked the same.
    bool is_constant() const;
    // Whether what is asked depends on the text.
    bool listens() const;
    // The texts that it listens to.
    std::vector<std::string> texts() const;

  private:
    void feel(const std::string& emotion, SchedulePtr schedule);

    std::vector<Feeling> feelings_;
    Settings settings_;
};

// A mood whose emotions are found among the names at hand, which it only gives weights of.
class NamedMood {
  public:
    // Throws MoodError for an emotion that is neither among `names` nor base.
    NamedMood(Mood mood, Names names);

    const Mood& mood() const { return mood_; }
    const Names& names() const { return names_; }

    // The intensity asked of each emotion at a token: (n_emotion + 1), the last for base where no
    // vector has that name.
    std::vector<double> intensities(std::int64_t token, const Heard& heard) const;

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
    Mood mood_;
    Names names_;
    std::vector<std::size_t> places_;
};

}  // namespace llamood

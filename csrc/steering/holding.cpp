#include "steering/holding.hpp"

#include <algorithm>
#include <cmath>

#include "moods/composition.hpp"
#include "moods/mood_error.hpp"
#include "moods/triggers.hpp"
#include "text/suggestion.hpp"

namespace llamood {

namespace {

constexpr double lag = 20.0;    // tokens, the half-life with which the smoothed reading of a text
                                // follows a weight
constexpr double lead = 4.0;    // tokens; what is read is late by more, but further ahead is noise
constexpr double n_stride = 4;  // from one limit to the other
constexpr double default_max = 1.0;  // of a vector as stored whose ceiling is not known

double held_at(const std::string& name, const std::optional<Told>& told) {
    const double score = read_at(name, told, "held");
    if (score > 0.0) return score;
    throw MoodError(name, "what it adds is not read as this emotion, so that cannot be held");
}

Regulator regulator(const Feeling& feeling, std::size_t emotion, const SteeringVectors& vectors,
                    double score) {
    const double ceiling = vectors.ceilings()[emotion];
    const double unit = vectors.units()[emotion];
    const bool is_known = vectors.is_calibrated(emotion);
    // The weight that is believed.
    const double full = is_known ? ceiling : unit / std::fabs(vectors.scales()[emotion]);
    double most = std::isfinite(ceiling) ? ceiling : default_max * unit;
    const Schedule* schedule = feeling.schedule.get();
    const Schedules inner = schedule->inner();
    if (const auto* max = dynamic_cast<const Max*>(schedule)) {
        most = max->size();
        schedule = inner[0].get();
    }
    if (most == 0.0) {
        throw MoodError(feeling.name,
                        "a max above 0 was expected, found 0; nothing can be held with that");
    }
    const double target = dynamic_cast<const Hold&>(*schedule).target();
    return Regulator({target, score / full, lag, -most, most, 2.0 * most / n_stride, lead});
}

}  // namespace

double read_at(const std::string& name, const std::optional<Told>& told, const std::string& vain) {
    if (!told.has_value()) throw MoodError(name, not_read);
    if (told->empty()) {
        throw MoodError(name, "cannot be " + vain +
                                  ": readings of this model are too unsure; measure a better "
                                  "baseline (llamood read --measure)");
    }
    const auto is_it = [&name](const auto& each) { return each.first == name; };
    const auto found = std::find_if(told->begin(), told->end(), is_it);
    if (found == told->end()) {
        std::vector<std::string> names;
        for (const auto& [known, score] : *told) names.push_back(known);
        throw MoodError(name, "is not read, so it cannot be " + vain + "; read are " +
                                  listed(names) + did_you_mean(name, names));
    }
    return found->second;
}

std::vector<Held> held_by(const Mood& mood, const SteeringVectors& vectors,
                          const std::optional<Told>& told) {
    std::vector<Held> held;
    for (std::size_t i = 0; i < mood.feelings().size(); ++i) {
        const Feeling& feeling = mood.feelings()[i];
        if (!feeling.schedule->regulates()) continue;
        const double score = held_at(feeling.name, told);
        const auto& names = vectors.names();
        const auto emotion = static_cast<std::size_t>(
            std::find(names.begin(), names.end(), feeling.name) - names.begin());
        held.push_back({i, emotion, regulator(feeling, emotion, vectors, score)});
    }
    return held;
}

void require_read(const Mood& mood, const std::optional<Told>& told) {
    for (const auto* some : {&mood.feelings(), &mood.affect()}) {
        for (const Feeling& feeling : *some) {
            for (const auto& [key, gate] : gates_of(*feeling.schedule)) {
                for (const Limit& limit : gate.condition.limits) {
                    placed(feeling.name + ".when",
                           [&] { return read_at(limit.emotion, told, "waited for"); });
                }
            }
        }
    }
}

}  // namespace llamood

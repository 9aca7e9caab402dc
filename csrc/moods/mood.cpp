#include "moods/mood.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "moods/composition.hpp"
#include "moods/kinds.hpp"
#include "moods/mood_error.hpp"
#include "moods/notation.hpp"
#include "moods/parameters.hpp"
#include "moods/shapes.hpp"
#include "text/suggestion.hpp"
#include "text/unicode.hpp"

namespace llamood {

namespace {

constexpr std::size_t longest_shown = 40;  // characters of a name that is none

// Throws MoodError for what cannot be the name of an emotion.
void require_name(const std::string& name) {
    std::string fault;
    if (name.empty() || name.front() == ' ' || name.back() == ' ' || name[0] == '@' ||
        !is_printable(name) || utf8_of(characters_of(name)) != name) {
        fault = "an emotion's name is printable, without space around it or '@' before it";
    } else if (name.find_first_of(",=()") != std::string::npos) {
        fault = "an emotion's name holds no comma, equals sign or parenthesis";
    }
    if (!fault.empty()) {
        throw MoodError(utf8_of(characters_of(name).substr(0, longest_shown)),
                        fault + "; rename the vector");
    }
}

std::size_t axis_named(const std::string& name) {
    return static_cast<std::size_t>(std::find(affect_axes.begin(), affect_axes.end(), name) -
                                    affect_axes.begin());
}

// Throws MoodError for what cannot be a coordinate of affect.
void require_coordinate(const std::string& axis, const Schedule& schedule) {
    if (schedule.regulates()) {
        throw MoodError(axis, "no axis of affect is read, so none can be held; hold an emotion");
    }
    const auto [low, high] = schedule.bounds();
    if (schedule.calls() || (low >= -1.0 && high <= 1.0)) return;
    throw MoodError(axis, "a coordinate of affect lies between -1 and 1, found " +
                              shortened(low < -1.0 ? low : high));
}

void gather_texts(const Schedule& schedule, std::set<std::string>& texts) {
    if (schedule.text() != nullptr) texts.insert(*schedule.text());
    for (const SchedulePtr& each : schedule.inner()) gather_texts(*each, texts);
}

// The schedule with its bounds, as it is written.
SchedulePtr with_bounds(const Feeling& feeling) {
    SchedulePtr schedule = feeling.schedule;
    const auto bound = [&schedule](const char* kind, std::optional<double> at) {
        if (!at) return;
        Values values;
        values.set("bound", {*at});
        values.set("schedule", {schedule});
        schedule = made_of(*kind_named(kind), values);
    };
    bound("floor", feeling.floor);
    bound("cap", feeling.cap);
    return schedule;
}

// Takes the bounds off the schedule, so that what is left is what is added.
void take_bounds(Feeling& feeling) {
    while (const auto* bound = dynamic_cast<const Bounding*>(feeling.schedule.get())) {
        const bool is_cap = dynamic_cast<const Capped*>(bound) != nullptr;
        (is_cap ? feeling.cap : feeling.floor) = bound->bound();
        feeling.schedule = bound->inner()[0];
    }
}

// The weight largest in size, with its sign; of two equal the positive one.
double strongest(const std::vector<double>& weights) {
    const auto [lowest, highest] = std::minmax_element(weights.begin(), weights.end());
    return *highest >= -*lowest ? *highest : *lowest;
}

std::string unknown(const std::string& name, const Names& names) {
    const std::string fault = "no such emotion among those at hand";
    if (names.empty()) return fault + " (none)";
    const std::set<std::string> sorted(names.begin(), names.end());
    const Names known(sorted.begin(), sorted.end());
    const std::string hint = did_you_mean(name, known);
    return fault + " (" + listed(known) + ")" + (hint.empty() ? "." : hint) +
           " To add it: llamood emotion add MODEL " + name + " --texts FILE";
}

}  // namespace

void Mood::feel(const std::string& name, SchedulePtr schedule) {
    Feeling feeling{name, std::move(schedule)};
    take_bounds(feeling);
    if (axis_named(name) < n_axis) {
        if (feeling.is_bounded()) {
            throw MoodError(name,
                            "no axis of affect is read, so none has a cap or a floor; give one to "
                            "an emotion");
        }
        require_coordinate(name, *feeling.schedule);
        affect_.push_back(std::move(feeling));
        return;
    }
    require_name(name);
    feelings_.push_back(std::move(feeling));
}

Mood Mood::read(const JsonValue& written) {
    const auto* members = written.as<JsonObject>();
    if (members == nullptr) {
        throw MoodError("", "emotions and weights were expected, as in {\"joy\": 0.8}, found " +
                                found(written));
    }
    Mood mood;
    for (const auto& [key, part] : *members) {
        if (key[0] == '$') {
            mood.settings_.read(key, part);
        } else {
            mood.feel(key, placed(key, [&part = part] { return from_json(part); }));
        }
    }
    return mood;
}

Mood Mood::of(const std::vector<std::pair<std::string, double>>& weights) {
    Mood mood;
    for (const auto& [emotion, weight] : weights) {
        const auto is_it = [&name = emotion](const Feeling& each) { return each.name == name; };
        if (!mood.all([&is_it](const Feeling& each) { return !is_it(each); })) {
            throw MoodError(emotion, "given twice; give it once");
        }
        const double checked = placed(emotion, [w = weight] { return Number{}.check(w); });
        mood.feel(emotion, constant(checked));
    }
    return mood;
}

JsonValue Mood::to_json() const {
    JsonObject written;
    for (const auto* some : {&feelings_, &affect_}) {
        for (const Feeling& feeling : *some) {
            written.push_back({feeling.name, placed(feeling.name, [&feeling] {
                                   return llamood::to_json(*with_bounds(feeling));
                               })});
        }
    }
    for (JsonMember& member : settings_.written()) written.push_back(std::move(member));
    return {std::move(written)};
}

template <class Is>
bool Mood::all(Is is) const {
    return std::all_of(feelings_.begin(), feelings_.end(), is) &&
           std::all_of(affect_.begin(), affect_.end(), is);
}

bool Mood::is_neutral() const {
    return all([](const Feeling& feeling) {
        const Bounds bounds = feeling.schedule->bounds();
        return bounds.low == 0.0 && bounds.high == 0.0 && !feeling.is_bounded();
    });
}

bool Mood::is_bounded() const {
    return !all([](const Feeling& feeling) { return !feeling.is_bounded(); });
}

bool Mood::is_constant() const {
    return all([](const Feeling& feeling) {
        return dynamic_cast<const Constant*>(feeling.schedule.get()) != nullptr;
    });
}

bool Mood::listens() const {
    return !all([](const Feeling& feeling) { return !feeling.schedule->listens(); });
}

bool Mood::holds() const {
    return !all([](const Feeling& feeling) { return !feeling.schedule->regulates(); });
}

bool Mood::reads() const {
    return holds() || is_bounded() || !gates().empty();
}

std::vector<std::string> Mood::texts() const {
    std::set<std::string> texts;
    for (const auto* some : {&feelings_, &affect_}) {
        for (const Feeling& feeling : *some) gather_texts(*feeling.schedule, texts);
    }
    return {texts.begin(), texts.end()};
}

std::map<std::string, Gate> Mood::gates() const {
    std::map<std::string, Gate> gates;
    for (const auto* some : {&feelings_, &affect_}) {
        for (const Feeling& feeling : *some) gates.merge(gates_of(*feeling.schedule));
    }
    return gates;
}

NamedMood::NamedMood(Mood mood, Names names, std::shared_ptr<const AffectMap> affect_map)
    : mood_(std::move(mood)), names_(std::move(names)), affect_map_(std::move(affect_map)) {
    const auto place_of = [this](const std::string& name) {
        return static_cast<std::size_t>(std::find(names_.begin(), names_.end(), name) -
                                        names_.begin());
    };
    for (const Feeling& feeling : mood_.feelings()) {
        places_.push_back(place_of(feeling.name));
        if (places_.back() < names_.size()) continue;
        if (feeling.name != base_name || names_.empty()) {
            throw MoodError(feeling.name, unknown(feeling.name, names_));
        }
    }
    for (const Feeling& each : mood_.affect()) {
        axes_.push_back(axis_named(each.name));
        named_[axes_.back()] = true;
        if (affect_map_ == nullptr) {
            throw MoodError(each.name, "where emotions lie in affect is not known here");
        }
    }
    if (affect_map_ == nullptr) return;
    for (const std::string& name : affect_map_->names()) affect_places_.push_back(place_of(name));
}

Intensities NamedMood::intensities(std::int64_t token, const Heard& heard,
                                   const std::vector<double>& held) const {
    Intensities asked{std::vector<double>(names_.size() + 1, 0.0), false};
    for (std::size_t i = 0; i < places_.size(); ++i) {
        if (!held.empty() && !std::isnan(held[i])) {
            asked.weights[places_[i]] = held[i];
            continue;
        }
        const Feeling& feeling = mood_.feelings()[i];
        asked.weights[places_[i]] =
            placed(feeling.name, [&] { return feeling.schedule->at(token, heard); });
    }
    if (!axes_.empty()) asked.is_outside = add_affect(token, heard, asked.weights);
    return asked;
}

// Returns whether the point is outside.
bool NamedMood::add_affect(std::int64_t token, const Heard& heard,
                           std::vector<double>& weights) const {
    AffectPoint point{};
    for (std::size_t i = 0; i < axes_.size(); ++i) {
        const Feeling& axis = mood_.affect()[i];
        point[axes_[i]] = placed(axis.name, [&] { return axis.schedule->at(token, heard); });
    }
    const AffectMix mix = affect_map_->mix(point, named_);
    for (std::size_t i = 0; i < affect_places_.size(); ++i) {
        weights[affect_places_[i]] += mix.weights[i];
    }
    return mix.is_outside;
}

std::vector<double> NamedMood::blended(const std::vector<double>& intensities) const {
    std::vector<double> weights(intensities.begin(), intensities.end() - 1);
    if (weights.empty()) return weights;
    double shared = intensities.back();
    if (mood_.settings().blend == Mixing::shared_once) {
        shared = strongest(intensities) - std::accumulate(weights.begin(), weights.end(), 0.0);
    }
    if (shared == 0.0) return weights;  // where nothing is shared nothing may be rounded
    const double each = shared / static_cast<double>(weights.size());
    for (double& weight : weights) weight += each;
    return weights;
}

void NamedMood::row(std::int64_t token, float* out) const {
    const std::vector<double> weights = blended(intensities(token, Heard()).weights);
    std::transform(weights.begin(), weights.end(), out,
                   [](double weight) { return static_cast<float>(weight) + 0.0f; });
}

}  // namespace llamood

#include "moods/mood.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <set>

#include "moods/mood_error.hpp"
#include "moods/notation.hpp"
#include "moods/parameters.hpp"
#include "moods/shapes.hpp"
#include "text/suggestion.hpp"
#include "text/unicode.hpp"

namespace llamood {

namespace {

const Names axes = {"valence", "arousal", "dominance"};
constexpr std::size_t longest_shown = 40;  // characters of a name that is none

// Throws MoodError for what cannot be the name of an emotion.
void require_name(const std::string& name) {
    std::string fault;
    if (name.empty() || name.front() == ' ' || name.back() == ' ' || name[0] == '@' ||
        !is_printable(name)) {
        fault = "an emotion's name is printable, without space around it or '@' before it";
    } else if (name.find_first_of(",=()") != std::string::npos) {
        fault = "an emotion's name holds no comma, equals sign or parenthesis";
    }
    if (!fault.empty()) {
        throw MoodError(utf8_of(characters_of(name).substr(0, longest_shown)),
                        fault + "; rename the vector");
    }
}

// Throws MoodError for what would need more than numbers.
void require_numbers(const std::string& key, const Schedule& schedule) {
    if (std::find(axes.begin(), axes.end(), key) != axes.end()) {
        throw MoodError(key,
                        "a point of affect is found only by the Python package; name emotions "
                        "instead");
    }
    if (schedule.regulates()) {
        throw MoodError(key,
                        "a reading is held only by the Python package, whose voices read while "
                        "they speak; write an intensity instead");
    }
}

void gather_texts(const Schedule& schedule, std::set<std::string>& texts) {
    if (schedule.text() != nullptr) texts.insert(*schedule.text());
    for (const SchedulePtr& each : schedule.inner()) gather_texts(*each, texts);
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

void Mood::feel(const std::string& emotion, SchedulePtr schedule) {
    require_numbers(emotion, *schedule);
    require_name(emotion);
    feelings_.push_back({emotion, std::move(schedule)});
}

Mood Mood::parse(const std::string& json) {
    const JsonValue value = read_json(json);
    const auto* written = value.as<JsonObject>();
    if (written == nullptr) {
        throw MoodError(
            "", "emotions and weights were expected, as in {\"joy\": 0.8}, found " + found(value));
    }
    Mood mood;
    for (const auto& [key, part] : *written) {
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
        for (const Feeling& feeling : mood.feelings_) {
            if (feeling.emotion == emotion) throw MoodError(emotion, "given twice; give it once");
        }
        const double checked = placed(emotion, [w = weight] { return Number{}.check(w); });
        mood.feel(emotion, made<Constant>(checked));
    }
    return mood;
}

bool Mood::is_neutral() const {
    return std::all_of(feelings_.begin(), feelings_.end(), [](const Feeling& feeling) {
        const Bounds bounds = feeling.schedule->bounds();
        return bounds.low == 0.0 && bounds.high == 0.0;
    });
}

bool Mood::is_constant() const {
    return std::all_of(feelings_.begin(), feelings_.end(), [](const Feeling& feeling) {
        return dynamic_cast<const Constant*>(feeling.schedule.get()) != nullptr;
    });
}

bool Mood::listens() const {
    return std::any_of(feelings_.begin(), feelings_.end(),
                       [](const Feeling& feeling) { return feeling.schedule->listens(); });
}

std::vector<std::string> Mood::texts() const {
    std::set<std::string> texts;
    for (const Feeling& feeling : feelings_) gather_texts(*feeling.schedule, texts);
    return {texts.begin(), texts.end()};
}

NamedMood::NamedMood(Mood mood, Names names) : mood_(std::move(mood)), names_(std::move(names)) {
    for (const Feeling& feeling : mood_.feelings()) {
        const auto place = std::find(names_.begin(), names_.end(), feeling.emotion);
        if (place == names_.end() && (feeling.emotion != base_name || names_.empty())) {
            throw MoodError(feeling.emotion, unknown(feeling.emotion, names_));
        }
        places_.push_back(static_cast<std::size_t>(place - names_.begin()));
    }
}

std::vector<double> NamedMood::intensities(std::int64_t token, const Heard& heard) const {
    std::vector<double> intensities(names_.size() + 1, 0.0);
    for (std::size_t i = 0; i < places_.size(); ++i) {
        const Feeling& feeling = mood_.feelings()[i];
        intensities[places_[i]] = feeling.schedule->at(token, heard);
    }
    return intensities;
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
    const std::vector<double> weights = blended(intensities(token, Heard()));
    std::transform(weights.begin(), weights.end(), out,
                   [](double weight) { return static_cast<float>(weight) + 0.0f; });
}

}  // namespace llamood

#include "steering/steering.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "moods/composition.hpp"
#include "moods/json_value.hpp"
#include "moods/mood_error.hpp"
#include "text/suggestion.hpp"

namespace llamood {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double rounding = 1e-9;

LayerRange found_layers(const Mood& mood, const SteeringVectors& vectors) {
    const int n_layer = vectors.n_layer();
    const LayerRange layers = mood.settings().layers.value_or(LayerRange{0, n_layer - 1});
    if (layers.last >= n_layer) {
        throw MoodError("$layers", "asked for layers " + std::to_string(layers.first) + " to " +
                                       std::to_string(layers.last) +
                                       ", but the model has layers 0 to " +
                                       std::to_string(n_layer - 1));
    }
    if (layers.last < vectors.first_layer() && !mood.is_neutral()) {
        throw MoodError("$layers",
                        "llama.cpp adds nothing at layer 0 at site layer_out, and no other layer "
                        "was asked for; ask for layers from 1 on");
    }
    return layers;
}

double found_kept(const Mood& mood) {
    const auto inertia = mood.settings().inertia;
    return inertia.has_value() ? std::pow(0.5, 1.0 / *inertia) : 0.0;
}

bool is_any(const std::vector<double>& weights) {
    return std::any_of(weights.begin(), weights.end(), [](double each) { return each != 0.0; });
}

}  // namespace

void Missed::join(const Missed& other) {
    is_outside = is_outside || other.is_outside;
    is_silent = is_silent || other.is_silent;
    if (excesses.size() < other.excesses.size()) excesses.resize(other.excesses.size(), 0.0);
    for (std::size_t i = 0; i < other.excesses.size(); ++i) {
        excesses[i] = std::max(excesses[i], other.excesses[i]);
    }
}

void Missed::leave_out(const Missed& known) {
    is_outside = is_outside && !known.is_outside;
    is_silent = is_silent && !known.is_silent;
    for (std::size_t i = 0; i < std::min(excesses.size(), known.excesses.size()); ++i) {
        if (known.excesses[i] > 0.0) excesses[i] = 0.0;
    }
}

bool Missed::is_any() const {
    return is_outside || is_silent || llamood::is_any(excesses);
}

Steering::Steering(const Mood& mood, const std::shared_ptr<const SteeringVectors>& stored,
                   std::shared_ptr<const AffectMap> affect_map, const std::optional<Told>& told,
                   const NeutralText* neutral)
    : vectors_(mood.settings().dose == Dose::stored ? stored : stored->relative()),
      named_(mood, stored->names(), std::move(affect_map)),
      layers_(found_layers(mood, *vectors_)),
      listens_(mood.listens()),
      kept_(found_kept(mood)),
      held_(held_by(mood, *vectors_, told)),
      caps_(caps_by(mood, stored->names(), layers_, told, neutral)),
      gates_(mood.gates()),
      limits_(found_limits()),
      gram_(mood.is_neutral() ? std::vector<double>() : vectors_->gram(layers_)),
      fluent_(vectors_->fluent(layers_)),
      cap_(found_cap()) {
    require_read(mood, told);
    if (!mood.is_constant()) return;
    constant_ = first();
    if (!mood.settings().inertia.has_value()) still_ = blend(rounded(constant_->limited));
}

// The largest intensity of each, either way. $max stands for those of vectors that were never
// calibrated.
std::vector<double> Steering::found_limits() const {
    std::vector<double> limits = vectors_->ceilings();
    for (std::size_t i = 0; mood().settings().max.has_value() && i < limits.size(); ++i) {
        if (!vectors_->is_calibrated(i)) limits[i] = infinity;
    }
    limits.push_back(infinity);
    const auto& feelings = mood().feelings();
    for (std::size_t i = 0; i < feelings.size(); ++i) {
        const auto* max = dynamic_cast<const Max*>(feelings[i].schedule.get());
        if (max != nullptr) limits[named_.places()[i]] = max->size();
    }
    return limits;
}

// Unless asked for, that of the emotion which is the strongest at its own limit; none where a limit
// is not known.
double Steering::found_cap() const {
    if (mood().settings().max.has_value()) return *mood().settings().max;
    const std::size_t n = n_emotion();
    double cap = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
        if (gram_.empty() || !std::isfinite(limits_[i])) return infinity;
        cap = std::max(cap, limits_[i] * std::sqrt(gram_[i * n + i]));
    }
    return n == 0 ? infinity : cap;
}

Target Steering::target(std::int64_t token, const Heard& heard,
                        const std::vector<double>& held) const {
    Intensities intensities = named_.intensities(token, heard, held);
    Target target{named_.blended(intensities.weights), {}, {{}, intensities.is_outside, false}};
    std::vector<double>& excesses = target.missed.excesses;
    for (std::size_t i = 0; i < limits_.size(); ++i) {
        double& weight = intensities.weights[i];
        const double asked = std::fabs(weight);
        if (asked <= limits_[i]) continue;
        excesses.resize(limits_.size() + 1, 0.0);
        excesses[i] = asked;
        weight = clipped(weight, -limits_[i], limits_[i]);
    }
    target.limited = excesses.empty() ? target.asked : named_.blended(intensities.weights);
    if (is_any(target.limited)) cap(target);
    return target;
}

// Holds the whole mix.
void Steering::cap(Target& target) const {
    const double size = size_of(target.limited, gram_);
    target.missed.is_silent = size == 0.0;
    if (!(size > cap_ * (1.0 + rounding))) return;
    target.missed.excesses.resize(limits_.size() + 1, 0.0);
    target.missed.excesses.back() = size;
    const double factor = cap_ / size;
    for (double& weight : target.limited) weight *= factor;
}

Target Steering::first() const {
    std::vector<double> held;
    if (!held_.empty()) held.assign(mood().feelings().size(), std::nan(""));
    for (const Held& each : held_) held[each.feeling] = 0.0;
    return target(0, Heard(), held);
}

Blend Steering::blend(std::vector<float> weights) const {
    const std::int64_t key = key_of(weights, vectors_->digest(), layers_, caps_);
    if (key == 0) return {};
    return {std::move(weights), mood().settings().dose, layers_, key, caps_};
}

std::optional<double> Steering::overdose(const std::vector<double>& weights) const {
    double square = 0.0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        const double times = weights[i] / fluent_[i];
        square += times * times;
    }
    if (square == 0.0 && is_any(weights)) return std::nullopt;
    return std::sqrt(square);
}

std::vector<Notice> Steering::notices(const Missed& missed) const {
    std::vector<Notice> notices;
    if (missed.is_outside) {
        Names axes;
        for (const Feeling& axis : mood().affect()) axes.push_back(axis.name);
        notices.push_back({"affect", "the point asked for (" + listed(axes) +
                                         ") lies outside what a mix of these emotions reaches; the "
                                         "nearest that it does reach is taken (llamood inspect "
                                         "shows where they lie)"});
    }
    for (std::size_t i = 0; i + 1 < missed.excesses.size(); ++i) {
        if (missed.excesses[i] > 0.0) notices.push_back(held_back(i, missed.excesses[i]));
    }
    if (missed.is_silent) {
        const int first = std::max(layers_.first, vectors_->first_layer());
        notices.push_back({"$layers", "nothing is added of what was asked for: in layers " +
                                          std::to_string(first) + " to " +
                                          std::to_string(layers_.last) +
                                          " its vectors are zero, or take each other back (llamood "
                                          "inspect shows where they are not)"});
    }
    if (!missed.excesses.empty() && missed.excesses.back() > 0.0) {
        notices.push_back({"$max", "the whole mix is held at size " + shortened(cap_, 3) +
                                       ", where 1 is about one vector at intensity 1; " +
                                       shortened(missed.excesses.back(), 3) +
                                       " was asked for ('$max' sets another limit)"});
    }
    return notices;
}

// Of an emotion, or base.
Notice Steering::held_back(std::size_t emotion, double asked) const {
    const bool is_base = emotion == n_emotion();
    const std::string name = is_base ? base_name : named_.names()[emotion];
    if (!is_base && !vectors_->is_calibrated(emotion)) {
        return {name, name + " is held at " + shortened(limits_[emotion], 3) +
                          ", which in all layers together adds " + shortened(100 * safe_sum) +
                          " % of the hidden state's size, as its vector was never calibrated; " +
                          shortened(asked) +
                          " was asked for (llamood calibrate finds its own limit, 'max' sets "
                          "another)"};
    }
    return {name,
            name + " is held at " + shortened(limits_[emotion]) +
                ", the largest intensity at which these vectors are known to read fluently; " +
                shortened(asked) + " was asked for ('max' sets another limit)"};
}

}  // namespace llamood

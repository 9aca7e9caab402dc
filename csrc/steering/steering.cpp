#include "steering/steering.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "moods/composition.hpp"
#include "moods/json_value.hpp"
#include "moods/mood_error.hpp"

namespace llamood {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double rounding = 1e-9;

LayerRange found_layers(const Mood& mood, const SteeringVectors& steering_vectors) {
    const int n_layer = steering_vectors.n_layer();
    const LayerRange layers = mood.settings().layers.value_or(LayerRange{0, n_layer - 1});
    if (layers.last >= n_layer) {
        throw MoodError("$layers", "asked for layers " + std::to_string(layers.first) + " to " +
                                       std::to_string(layers.last) +
                                       ", but the model has layers 0 to " +
                                       std::to_string(n_layer - 1));
    }
    if (layers.last < steering_vectors.first_layer() && !mood.is_neutral()) {
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

}  // namespace

Steering::Steering(const Mood& mood, std::shared_ptr<const SteeringVectors> steering_vectors)
    : named_(mood, steering_vectors->names()),
      steering_vectors_(std::move(steering_vectors)),
      layers_(found_layers(mood, *steering_vectors_)),
      kept_(found_kept(mood)),
      limits_(found_limits()),
      gram_(steering_vectors_->gram(layers_)),
      cap_(found_cap()) {}

bool Steering::is_still() const {
    return mood().is_constant() && !mood().settings().inertia.has_value();
}

// The largest intensity of each, either way. $max stands for those of vectors that were never
// calibrated.
std::vector<double> Steering::found_limits() const {
    std::vector<double> limits = steering_vectors_->ceilings();
    for (std::size_t i = 0; mood().settings().max.has_value() && i < limits.size(); ++i) {
        if (!steering_vectors_->is_calibrated(i)) limits[i] = infinity;
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
    const std::size_t n = limits_.size() - 1;
    double cap = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
        if (!std::isfinite(limits_[i])) return infinity;
        cap = std::max(cap, limits_[i] * std::sqrt(gram_[i * n + i]));
    }
    return n == 0 ? infinity : cap;
}

Target Steering::target(std::int64_t token, const Heard& heard) const {
    std::vector<double> intensities = named_.intensities(token, heard);
    Target target{named_.blended(intensities), {}, {}};
    for (std::size_t i = 0; i < intensities.size(); ++i) {
        const double asked = std::fabs(intensities[i]);
        if (asked <= limits_[i]) continue;
        target.excesses.push_back({i, asked});
        intensities[i] = clipped(intensities[i], -limits_[i], limits_[i]);
    }
    target.limited = target.excesses.empty() ? target.asked : named_.blended(intensities);
    if (!std::isfinite(cap_)) return target;
    const double size = size_of(target.limited, gram_);
    if (size <= cap_ * (1.0 + rounding)) return target;
    target.excesses.push_back({limits_.size(), size});
    for (double& weight : target.limited) weight *= cap_ / size;
    return target;
}

Notice Steering::notice(const Excess& excess) const {
    if (excess.place == limits_.size()) {
        return {"$max", "the whole mix is held at size " + shortened(cap_, 3) +
                            ", where 1 is about one vector at intensity 1; " +
                            shortened(excess.asked, 3) +
                            " was asked for ('$max' sets another limit)"};
    }
    const bool is_base = excess.place == named_.names().size();
    const std::string name = is_base ? base_name : named_.names()[excess.place];
    if (!is_base && !steering_vectors_->is_calibrated(excess.place)) {
        return {name, name + " is held at " + shortened(limits_[excess.place], 3) +
                          ", which in all layers together adds " + shortened(100 * safe_sum) +
                          " % of the hidden state's size, as its vector was never calibrated; " +
                          shortened(excess.asked) +
                          " was asked for (llamood calibrate finds its own limit, 'max' sets "
                          "another)"};
    }
    return {name,
            name + " is held at " + shortened(limits_[excess.place]) +
                ", the largest intensity at which these vectors are known to read fluently; " +
                shortened(excess.asked) + " was asked for ('max' sets another limit)"};
}

}  // namespace llamood

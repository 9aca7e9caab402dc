#include "voices/face.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "moods/json_value.hpp"
#include "text/suggestion.hpp"

namespace llamood {

FaceSet::FaceSet(const std::vector<FaceLabel>& labels, const Names& emotions)
    : labels_(emotions.size()), given_(labels) {
    std::set<std::string> seen;
    bool has_neutral = false;
    for (const auto& [label, emotion] : labels) {
        if (label.empty() || label.size() > longest_label) {
            throw std::invalid_argument("a face's label has 1 to " + std::to_string(longest_label) +
                                        " bytes, found " + std::to_string(label.size()));
        }
        if (!seen.insert(label).second) {
            throw std::invalid_argument("the face " + label + " was given twice; give it once");
        }
        if (!emotion.has_value()) {
            if (has_neutral) {
                throw std::invalid_argument("two faces are neutral, " + neutral_ + " and " + label +
                                            "; one was expected");
            }
            has_neutral = true;
            neutral_ = label;
            continue;
        }
        const auto place = std::find(emotions.begin(), emotions.end(), *emotion);
        if (place == emotions.end()) {
            throw std::invalid_argument("the face " + label + " is of " + found(*emotion) +
                                        ", which is not read; read are " + listed(emotions) +
                                        did_you_mean(*emotion, emotions));
        }
        auto& of_emotion = labels_[static_cast<std::size_t>(place - emotions.begin())];
        if (of_emotion.has_value()) {
            throw std::invalid_argument("two faces are of " + *emotion + ", " + *of_emotion +
                                        " and " + label + "; one was expected");
        }
        of_emotion = label;
    }
    if (seen.count(neutral_) > 0 && !has_neutral) {
        throw std::invalid_argument("the face " + neutral_ +
                                    " is of an emotion, and none is neutral; name the one that "
                                    "is shown of no emotion");
    }
}

const std::string* FaceSet::of(std::size_t emotion) const {
    return labels_[emotion].has_value() ? &*labels_[emotion] : nullptr;
}

// What would be shown if readings stayed as they are.
std::optional<std::size_t> Face::next(const FaceSet& faces,
                                      const std::vector<double>& reading) const {
    std::optional<std::size_t> best;
    for (std::size_t i = 0; i < reading.size(); ++i) {
        if (faces.of(i) != nullptr && (!best || reading[i] > reading[*best])) best = i;
    }
    if (!best) return std::nullopt;
    const bool may_stay = state_.emotion && reading[*state_.emotion] >= shown_from - shown_longer;
    if (may_stay && reading[*best] < reading[*state_.emotion] + shown_longer) return state_.emotion;
    if (reading[*best] >= shown_from) return best;
    return may_stay ? state_.emotion : std::nullopt;
}

void Face::see(const FaceSet& faces, const std::vector<double>& reading) {
    if (reading.empty()) return;
    if (state_.emotion && faces.of(*state_.emotion) == nullptr)
        state_.emotion.reset();  // of other faces
    const auto now = next(faces, reading);
    state_.n_coming = now == state_.coming ? state_.n_coming + 1 : 1;
    state_.coming = now;
    if (state_.n_coming >= shown_after) state_.emotion = now;
}

Shown Face::shown(const FaceSet& faces, const std::vector<double>& reading,
                  const std::vector<std::optional<AffectPoint>>& places) const {
    Shown shown{faces.neutral(), std::nullopt, point_of(reading, places)};
    const std::string* label = state_.emotion ? faces.of(*state_.emotion) : nullptr;
    if (label == nullptr) return shown;
    shown.label = *label;
    if (!reading.empty()) shown.score = reading[*state_.emotion];
    return shown;
}

AffectPoint point_of(const std::vector<double>& reading,
                     const std::vector<std::optional<AffectPoint>>& places) {
    AffectPoint point{};
    double total = 1.0;
    for (std::size_t i = 0; i < std::min(reading.size(), places.size()); ++i) {
        if (!places[i].has_value() || reading[i] <= 0.0) continue;
        total += reading[i];
        for (std::size_t axis = 0; axis < n_axis; ++axis) {
            point[axis] += reading[i] * (*places[i])[axis];
        }
    }
    for (double& coordinate : point) coordinate /= total;
    return point;
}

}  // namespace llamood

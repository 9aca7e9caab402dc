#include "voices/shared_context.hpp"

#include <stdexcept>

#include "voices/faults.hpp"

namespace llamood {

SharedContext::SharedContext(Parts parts) : parts_(std::move(parts)) {
    std::vector<FaceLabel> labels;
    for (const std::string& emotion : parts_.shown) {
        if (emotion.size() > longest_label) continue;
        labels.push_back({emotion, std::nullopt});
        if (emotion != "neutral") labels.back().emotion = emotion;
    }
    faces_ = std::make_shared<const FaceSet>(labels, vectors().names());
}

std::unique_ptr<Reader> SharedContext::reader(int voice) const {
    if (parts_.projector == nullptr) return nullptr;
    return std::make_unique<Reader>(parts_.projector, voice, parts_.n_ctx);
}

std::vector<Drawn> SharedContext::step(const Room& room) {
    try {
        std::vector<Drawn> drawn = parts_.decode(stage(), room);
        parts_.rows->require_places(vectors().first_layer(), vectors().site());
        return drawn;
    } catch (const std::runtime_error& error) {
        throw ModelFault(parts_.name + ": " + error.what());
    }
}

}  // namespace llamood

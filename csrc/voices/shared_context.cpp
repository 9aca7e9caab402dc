#include "voices/shared_context.hpp"

#include <stdexcept>

#include "voices/faults.hpp"

namespace llamood {

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

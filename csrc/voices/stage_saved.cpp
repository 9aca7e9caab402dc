// What a stage has decoded, to be saved, and taken back.
#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "voices/stage.hpp"

namespace llamood {

// Of positions from n on.
void Stage::forget_begins(int voice, llama_pos n) {
    auto& begins = begins_[voice];
    begins.erase(std::lower_bound(begins.begin(), begins.end(), n), begins.end());
}

std::string Stage::decoded(int voice) const {
    require_open();
    std::string decoded(llama_state_seq_get_size(ctx_, voice), '\0');
    auto* to = reinterpret_cast<std::uint8_t*>(decoded.data());
    decoded.resize(llama_state_seq_get_data(ctx_, to, decoded.size(), voice));
    return decoded;
}

std::string Stage::origin() const {
    require_open();
    const llama_model* model = llama_get_model(ctx_);
    std::string description(256, '\0');
    llama_model_desc(model, description.data(), description.size());
    return std::string(description.c_str()) + ", " + std::to_string(llama_model_size(model)) +
           " bytes, memory " + std::to_string(LLAMA_STATE_SEQ_VERSION);
}

const std::vector<llama_pos>& Stage::begins(int voice) const {
    require_open();
    return begins_.at(static_cast<std::size_t>(voice));
}

bool Stage::restore(int voice, const std::string& decoded, llama_pos n,
                    std::vector<llama_pos> begins) {
    if (at(voice).is_speaking()) throw std::runtime_error("the voice speaks");
    const auto* from = reinterpret_cast<const std::uint8_t*>(decoded.data());
    const bool is_taken = llama_state_seq_set_data(ctx_, from, decoded.size(), voice) > 0;
    if (is_taken && n_cached(voice) == n && reaches(voice, n)) {
        begins_[voice] = std::move(begins);
        return true;
    }
    llama_memory_seq_rm(llama_get_memory(ctx_), voice, -1, -1);
    return false;
}

}  // namespace llamood

// What a stage has decoded, to be saved, and taken back.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "voices/stage.hpp"

namespace llamood {

namespace {

// Relied on of llama.cpp (0c1e570): it writes a number that says what follows, the sequence, how
// many streams there are, and how many cells; then of each cell its position, how many sequences it
// has, and which. A position beyond all others it takes, and can never remove again. (A memory that
// slides writes a second such list after the keys and values of the first.)
bool has_positions(const std::string& decoded, llama_pos n) {
    constexpr std::size_t n_before = 3;
    constexpr std::size_t of_cell = 3;
    const std::size_t most = decoded.size() / sizeof(std::uint32_t);
    if (most <= n_before) return false;
    std::vector<std::uint32_t> words(std::min(most, n_before + 1 + of_cell * n));
    std::memcpy(words.data(), decoded.data(), words.size() * sizeof(std::uint32_t));
    const std::size_t n_cell = words[n_before];
    if (n_cell > static_cast<std::size_t>(n)) return false;
    if (words.size() < n_before + 1 + of_cell * n_cell) return false;
    for (std::size_t cell = 0; cell < n_cell; ++cell) {
        const std::uint32_t* at = words.data() + n_before + 1 + of_cell * cell;
        if (at[0] >= static_cast<std::uint32_t>(n) || at[1] != 1) return false;
    }
    return true;
}

}  // namespace

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
    if (!has_positions(decoded, n)) return false;
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

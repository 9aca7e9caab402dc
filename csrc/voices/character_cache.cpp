// What a voice of a cast has decoded: what it may take over from others, and what of it is saved.
#include <algorithm>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "voices/character.hpp"

namespace llamood {

namespace {

constexpr int worth_waiting = 32;  // tokens that another voice is about to decode

}  // namespace

int Character::n_cached() const {
    return static_cast<int>(shared_.stage().n_cached(number_));
}

int Character::n_same(const std::vector<llama_token>& tokens,
                      const std::vector<std::int64_t>& keys) const {
    const std::size_t n = std::min(tokens.size(), tokens_.size());
    std::size_t same = 0;
    while (same < n && tokens[same] == tokens_[same] && keys[same] == keys_[same]) ++same;
    return static_cast<int>(same);
}

int Character::n_common(const std::vector<llama_token>& tokens,
                        const std::vector<std::int64_t>& keys) const {
    return std::min(n_same(tokens, keys), n_cached());
}

// Nothing can be taken over from a memory that slides, see borrow().
std::optional<Lead> Character::lead(const std::vector<std::int64_t>& wanted,
                                    const Others& others) const {
    if (shared_.slides()) return std::nullopt;
    const auto& tokens = turn_->plan.tokens;
    int decoded = n_common(tokens, wanted);
    for (const Character* other : others) {
        decoded = std::max(decoded, other->n_common(tokens, wanted));
    }
    std::optional<Lead> best;
    const int most = decoded + worth_waiting - 1;
    for (const Character* other : others) {
        if (!other->is_prompting()) continue;
        const int n = other->n_same(tokens, wanted);
        if (n > (best ? best->n : most)) best = {other->number_, n};
    }
    return best;
}

// How many positions after the first `n` another voice had decoded; none from a memory that slides,
// which may have forgotten them.
int Character::borrow(int n, const std::vector<std::int64_t>& wanted, const Others& others) {
    if (shared_.slides()) return 0;
    const auto& tokens = turn_->plan.tokens;
    int most = n;
    const Character* from = nullptr;
    for (const Character* other : others) {
        const int known = std::min(other->n_common(tokens, wanted), turn_->position());
        if (known <= most) continue;
        most = known;
        from = other;
    }
    if (from == nullptr) return 0;
    shared_.stage().share(from->number_, number_, n, most);
    return most - n;
}

// -- saved -------------------------------------------------------------------------------------

SavedCache Character::saved_cache(bool is_whole) const {
    const bool is_decoded = begins_.empty();  // else it was saved before, and is not used yet
    const auto n =
        is_decoded ? static_cast<std::size_t>(n_cached()) : static_cast<std::size_t>(n_known_);
    SavedCache cache;
    cache.tokens.assign(tokens_.begin(), tokens_.begin() + static_cast<std::ptrdiff_t>(n));
    cache.keys.assign(keys_.begin(), keys_.begin() + static_cast<std::ptrdiff_t>(n));
    cache.begins = is_decoded ? shared_.stage().begins(number_) : begins_;
    if (!is_whole || !is_decoded) return cache;
    cache.origin = origin();
    if (reader_ != nullptr) cache.past = reader_->past(n_cached());
    cache.decoded = shared_.stage().decoded(number_);
    return cache;
}

std::string Character::origin() const {
    const std::string model = shared_.stage().origin();
    return reader_ == nullptr ? model : model + ", read by " + reader_->origin();
}

// What does not fit is decoded anew when it is needed, in the same batches.
void Character::restore_cache(SavedCache cache) {
    const auto n = static_cast<int>(cache.tokens.size());
    const auto& begins = cache.begins;
    if (!std::is_sorted(begins.begin(), begins.end()) ||
        (!begins.empty() && (begins.front() < 0 || begins.back() >= n))) {
        throw std::invalid_argument("cache: its batches are none of its positions");
    }
    if (n > shared_.n_ctx() || n == 0) return;
    tokens_ = std::move(cache.tokens);
    keys_ = std::move(cache.keys);
    begins_ = cache.begins;
    n_known_ = n;
    if (cache.origin != origin()) return;
    if (!shared_.stage().restore(number_, cache.decoded, n, std::move(cache.begins))) return;
    begins_.clear();
    if (reader_ != nullptr) reader_->restore(n, cache.past);
}

// After how many of the tokens from `n` on a batch has to end, so that those before `n_known`,
// which were decoded before the voice was saved, are decoded as they were.
std::vector<std::size_t> Character::ends(int n, int n_known) {
    std::vector<std::size_t> ends;
    if (begins_.empty()) return ends;
    n_known_ = n_known = std::min(n_known, n_known_);
    begins_.erase(std::lower_bound(begins_.begin(), begins_.end(), n_known), begins_.end());
    if (n_known <= n) begins_.clear();
    if (begins_.empty()) return ends;
    for (const llama_pos begin : begins_) {
        if (begin > n && begin < n_known) ends.push_back(begin - n);
    }
    ends.push_back(n_known - n);
    return ends;
}

}  // namespace llamood

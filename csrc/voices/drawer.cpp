#include "voices/drawer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <string>

namespace llamood {

namespace {

// Candidates that are judged in one piece of work: of a grammar with a hundred ways half a
// millisecond.
constexpr std::size_t n_piece = 1024;
// So many of the likeliest are judged first, for each that is needed; and so many at least.
constexpr std::size_t n_for_each = 4;
constexpr std::size_t n_first = 256;

constexpr int longest_answer = 1'000'000;  // tokens, for as many of which llama.cpp makes room
constexpr int deepest_grammar = 500;       // brackets, which llama.cpp reads by recursion

// How deep the round brackets of a grammar lie in each other, outside of texts and of classes of
// characters.
int n_nested(const std::string& grammar) {
    int depth = 0;
    int deepest = 0;
    char until = 0;
    for (std::size_t i = 0; i < grammar.size(); ++i) {
        const char c = grammar[i];
        if (until != 0) {
            if (c == '\\') ++i;
            if (c == until) until = 0;
        } else if (c == '"' || c == '[') {
            until = c == '"' ? '"' : ']';
        } else if (c == '(') {
            deepest = std::max(deepest, ++depth);
        } else if (c == ')') {
            --depth;
        }
    }
    return deepest;
}

llama_sampler* require_made(llama_sampler* made, const char* what) {
    if (made == nullptr) throw std::invalid_argument(std::string(what) + " was not understood");
    return made;
}

llama_sampler_ptr new_chain() {
    return llama_sampler_ptr(llama_sampler_chain_init(llama_sampler_chain_default_params()));
}

llama_sampler_ptr chain_of(const Sampling& sampling) {
    llama_sampler_ptr chain = new_chain();
    const auto add = [&chain](llama_sampler* made, const char* what) {
        llama_sampler_chain_add(chain.get(), require_made(made, what));
    };
    if (sampling.temperature == 0.0f) {
        add(llama_sampler_init_greedy(), "greedy");
        return chain;
    }
    if (sampling.temperature > 0.0f) {
        add(llama_sampler_init_top_k(sampling.top_k), "top_k");
        add(llama_sampler_init_typical(sampling.typical_p, 1), "typical_p");
        add(llama_sampler_init_top_p(sampling.top_p, 1), "top_p");
        add(llama_sampler_init_min_p(sampling.min_p, 1), "min_p");
        add(llama_sampler_init_temp(sampling.temperature), "temperature");
    }
    add(llama_sampler_init_dist(sampling.seed), "seed");
    return chain;
}

std::size_t enough_of(const Sampling& sampling) {
    if (sampling.temperature == 0.0f) return 1;
    return sampling.temperature > 0.0f ? static_cast<std::size_t>(std::max(sampling.top_k, 0)) : 0;
}

bool is_likelier(const llama_token_data& a, const llama_token_data& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

bool is_refused(const llama_token_data& candidate) {
    return std::isinf(candidate.logit) && candidate.logit < 0.0f;
}

}  // namespace

Drawer::Drawer(const llama_vocab* vocab, const TokenTree* tree, const Sampling& sampling)
    : chain_(chain_of(sampling)),
      n_enough_(enough_of(sampling)),
      tree_(sampling.grammar.find('<') == std::string::npos ? tree : nullptr) {
    const llama_token n_vocab = llama_vocab_n_tokens(vocab);
    penalties_.reset(require_made(
        llama_sampler_init_penalties(n_vocab, std::min(sampling.last_n_tokens, longest_answer),
                                     sampling.repeat_penalty, sampling.frequency_penalty,
                                     sampling.presence_penalty),
        "penalties"));
    if (!sampling.grammar.empty()) {
        grammar_.reset(require_made(
            llama_sampler_init_grammar(vocab, sampling.grammar.c_str(), "root"), "the grammar"));
    }
    candidates_.resize(static_cast<std::size_t>(n_vocab));
}

bool Drawer::takes(const llama_vocab* vocab, const std::string& grammar) {
    if (grammar.empty()) return true;
    if (n_nested(grammar) > deepest_grammar) return false;
    const llama_sampler_ptr made(llama_sampler_init_grammar(vocab, grammar.c_str(), "root"));
    return made != nullptr;
}

void Drawer::accept(llama_token token) {
    llama_sampler_accept(penalties_.get(), token);
    if (grammar_ != nullptr) llama_sampler_accept(grammar_.get(), token);
    llama_sampler_accept(chain_.get(), token);
}

void Drawer::skip(int n) {
    n_drawn_ += n;
    for (; n > 0; --n) {
        llama_token_data one{0, 0.0f, 0.0f};
        llama_token_data_array array{&one, 1, -1, false};
        llama_sampler_apply(chain_.get(), &array);
    }
}

void Drawer::begin(const float* logits) {
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
        candidates_[i] = {static_cast<llama_token>(i), logits[i], 0.0f};
    }
    llama_token_data_array all{candidates_.data(), candidates_.size(), -1, false};
    llama_sampler_apply(penalties_.get(), &all);
    n_judged_ = 0;
    fitting_.clear();
    is_begun_ = false;
    is_drawing_ = true;
}

bool Drawer::go_on() {
    if (grammar_ != nullptr && !find_likeliest() && !look_at_more()) return false;
    token_ = chosen(grammar_ == nullptr ? candidates_ : fitting_);
    is_drawing_ = false;
    return true;
}

// Whether as many of the likeliest fit as count. Tried once a token.
bool Drawer::find_likeliest() {
    if (is_begun_) return false;
    is_begun_ = true;
    if (tree_ != nullptr) {
        queue_ = tree_->roots();
    } else {
        queue_.resize(candidates_.size());
        std::iota(queue_.begin(), queue_.end(), 0);
    }
    const std::size_t n = std::max(n_first, n_for_each * n_enough_);
    if (n_enough_ == 0 || n > candidates_.size() / 2) return false;
    fitting_.resize(n);
    std::partial_sort_copy(candidates_.begin(), candidates_.end(), fitting_.begin(), fitting_.end(),
                           is_likelier);
    llama_token_data_array some{fitting_.data(), n, -1, false};
    llama_sampler_apply(grammar_.get(), &some);
    fitting_.erase(std::remove_if(fitting_.begin(), fitting_.end(), is_refused), fitting_.end());
    if (fitting_.size() < n_enough_) fitting_.clear();
    return !fitting_.empty();
}

// Whether all that may fit were looked at.
bool Drawer::look_at_more() {
    const std::size_t end = std::min(n_judged_ + n_piece, queue_.size());
    piece_.clear();
    for (; n_judged_ < end; ++n_judged_) piece_.push_back({queue_[n_judged_], 0.0f, 0.0f});
    llama_token_data_array some{piece_.data(), piece_.size(), -1, false};
    llama_sampler_apply(grammar_.get(), &some);
    for (const llama_token_data& each : piece_) {
        if (is_refused(each)) continue;
        fitting_.push_back(candidates_[each.id]);
        if (tree_ == nullptr) continue;
        queue_.insert(queue_.end(), tree_->begin(each.id), tree_->end(each.id));
    }
    if (n_judged_ < queue_.size()) return false;
    std::sort(fitting_.begin(), fitting_.end(),
              [](const llama_token_data& a, const llama_token_data& b) { return a.id < b.id; });
    return true;
}

llama_token Drawer::chosen(std::vector<llama_token_data>& among) {
    if (grammar_ != nullptr && std::all_of(among.begin(), among.end(), is_refused)) {
        return LLAMA_TOKEN_NULL;
    }
    llama_token_data_array array{among.data(), among.size(), -1, false};
    llama_sampler_apply(chain_.get(), &array);
    if (array.selected < 0 || static_cast<std::size_t>(array.selected) >= array.size) {
        throw std::runtime_error("llama.cpp drew no token");
    }
    ++n_drawn_;
    const llama_token token = array.data[array.selected].id;
    accept(token);
    return token;
}

}  // namespace llamood

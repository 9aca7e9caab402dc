#include "voices/token_tree.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include "voices/text_stream.hpp"

namespace llamood {

namespace {

bool begins_with(const std::string& text, const std::string& beginning) {
    return text.compare(0, beginning.size(), beginning) == 0;
}

}  // namespace

TokenTree::TokenTree(const llama_vocab* vocab) {
    const llama_token n_vocab = llama_vocab_n_tokens(vocab);
    std::vector<std::string> texts;
    std::vector<llama_token> order;
    for (llama_token token = 0; token < n_vocab; ++token) {
        texts.push_back(piece_of(vocab, token, true));  // as grammars of llama.cpp look at it
        if (llama_vocab_is_eog(vocab, token) || texts.back().empty()) {
            roots_.push_back(token);
        } else {
            order.push_back(token);
        }
    }
    // Whoever begins with a token comes after it, and before all that do not.
    std::sort(order.begin(), order.end(), [&texts](llama_token a, llama_token b) {
        return texts[a] != texts[b] ? texts[a] < texts[b] : a < b;
    });
    std::vector<llama_token> parents(n_vocab, LLAMA_TOKEN_NULL);
    std::vector<llama_token> open;  // each begins with the one before
    first_.assign(static_cast<std::size_t>(n_vocab) + 1, 0);
    for (const llama_token token : order) {
        while (!open.empty() && !begins_with(texts[token], texts[open.back()])) open.pop_back();
        if (open.empty()) {
            roots_.push_back(token);
        } else {
            parents[token] = open.back();
            ++first_[open.back() + 1];
        }
        open.push_back(token);
    }
    std::partial_sum(first_.begin(), first_.end(), first_.begin());
    children_.resize(first_.back());
    std::vector<std::size_t> next(first_.begin(), first_.end() - 1);
    for (const llama_token token : order) {
        if (parents[token] != LLAMA_TOKEN_NULL) children_[next[parents[token]]++] = token;
    }
}

}  // namespace llamood

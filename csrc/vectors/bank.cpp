#include "vectors/bank.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace llamood {

namespace {

// Floats. The tile of the output stays in the first cache while every emotion is added to it,
// and is short enough for the vectors of one group to be fetched from memory side by side.
constexpr std::size_t tile_size = 512;

// Vectors added in one pass over a tile: few loads and stores of the output, few streams at once.
constexpr std::size_t group_size = 3;

// weight * vector, a part of a blend; vector: (n_layer, n_embd).
struct Term {
    const float* vector;
    float weight;
};

// out[begin, end) = sum of the terms in their order, onto what is there already if `onto`: one
// multiplication and one addition each, rounded to float32, and none for the first of a blend.
// This file is compiled without fused multiply-add, so that every machine gets the same bits.
template <std::size_t n_term, bool onto>
void add(const Term* terms, std::size_t begin, std::size_t end, float* __restrict out) {
    Term term[n_term];
    std::copy_n(terms, n_term, term);
    for (std::size_t i = begin; i < end; ++i) {
        float sum = term[0].weight * term[0].vector[i];
        if (onto) sum = out[i] + sum;
        for (std::size_t k = 1; k < n_term; ++k) sum += term[k].weight * term[k].vector[i];
        out[i] = sum;
    }
}

template <bool onto>
void add_group(const Term* terms, std::size_t n_term, std::size_t begin, std::size_t end,
               float* out) {
    static_assert(group_size == 3, "one case per size of a group");
    switch (n_term) {
        case 1:
            return add<1, onto>(terms, begin, end, out);
        case 2:
            return add<2, onto>(terms, begin, end, out);
        default:
            return add<3, onto>(terms, begin, end, out);
    }
}

// As `add`, for any number of terms but none.
void add_all(const std::vector<Term>& terms, std::size_t begin, std::size_t end, float* out) {
    const std::size_t n_first = std::min(group_size, terms.size());
    add_group<false>(terms.data(), n_first, begin, end, out);
    for (std::size_t k = n_first; k < terms.size(); k += group_size) {
        const std::size_t n_term = std::min(group_size, terms.size() - k);
        add_group<true>(terms.data() + k, n_term, begin, end, out);
    }
}

}  // namespace

Bank::Bank(const float* data, int n_emotion, int n_layer, int n_embd)
    : n_emotion_(n_emotion),
      n_layer_(n_layer),
      n_embd_(n_embd),
      data_(data, data + static_cast<std::size_t>(n_emotion) * n_layer * n_embd) {}

void Bank::require_fit(int n_layer, int n_embd, std::size_t n_weight) const {
    if (n_layer != n_layer_ || n_embd != n_embd_) {
        throw std::invalid_argument("the vectors have " + std::to_string(n_layer_) +
                                    " layers of width " + std::to_string(n_embd_) +
                                    ", the model has " + std::to_string(n_layer) + " of width " +
                                    std::to_string(n_embd));
    }
    if (n_weight != static_cast<std::size_t>(n_emotion_)) {
        throw std::invalid_argument("expected " + std::to_string(n_emotion_) + " weights, found " +
                                    std::to_string(n_weight));
    }
}

void Bank::blend(const float* weights, LayerRange range, float* out) const {
    const std::size_t size = static_cast<std::size_t>(n_layer_) * n_embd_;
    std::vector<Term> terms;
    for (int k = 0; k < n_emotion_; ++k) {
        if (weights[k] != 0.0f) terms.push_back({data_.data() + k * size, weights[k]});
    }
    const int first = std::max(range.first, 0);
    const int last = std::min(range.last, n_layer_ - 1);
    if (first > last || terms.empty()) {
        std::fill(out, out + size, 0.0f);
        return;
    }
    const std::size_t begin = static_cast<std::size_t>(first) * n_embd_;
    const std::size_t end = static_cast<std::size_t>(last + 1) * n_embd_;
    std::fill(out, out + begin, 0.0f);
    for (std::size_t at = begin; at < end; at += tile_size) {
        add_all(terms, at, std::min(at + tile_size, end), out);
    }
    std::fill(out + end, out + size, 0.0f);
}

}  // namespace llamood

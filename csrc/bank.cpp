#include "bank.hpp"

#include <algorithm>

namespace llamood {

namespace {

// Small enough for the output tile to stay in the first cache while every emotion is added.
constexpr std::size_t tile_size = 2048;

void add_scaled(float* __restrict out, const float* __restrict in, float weight, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) out[i] += weight * in[i];
}

}  // namespace

Bank::Bank(const float* data, int n_emotion, int n_layer, int n_embd)
    : n_emotion_(n_emotion),
      n_layer_(n_layer),
      n_embd_(n_embd),
      data_(data, data + static_cast<std::size_t>(n_emotion) * n_layer * n_embd) {}

void Bank::blend(const float* weights, LayerRange range, float* out) const {
    const std::size_t size = static_cast<std::size_t>(n_layer_) * n_embd_;
    std::fill(out, out + size, 0.0f);
    const int first = std::max(range.first, 0);
    const int last = std::min(range.last, n_layer_ - 1);
    if (first > last) return;

    const std::size_t begin = static_cast<std::size_t>(first) * n_embd_;
    const std::size_t end = static_cast<std::size_t>(last + 1) * n_embd_;
    for (std::size_t at = begin; at < end; at += tile_size) {
        const std::size_t n = std::min(tile_size, end - at);
        for (int k = 0; k < n_emotion_; ++k) {
            if (weights[k] != 0.0f)
                add_scaled(out + at, data_.data() + k * size + at, weights[k], n);
        }
    }
}

}  // namespace llamood

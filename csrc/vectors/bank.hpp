// The array of emotion vectors of one model, and the kernel that mixes them.
#pragma once

#include <cstddef>
#include <vector>

namespace llamood {

// Layers [first, last], both inclusive, as in llama_set_adapter_cvec.
struct LayerRange {
    int first;
    int last;

    bool empty() const { return first > last; }
    bool operator==(const LayerRange& other) const {
        return first == other.first && last == other.last;
    }
};

class Bank {
  public:
    // data: (n_emotion, n_layer, n_embd), C order; copied once, never written again.
    Bank(const float* data, int n_emotion, int n_layer, int n_embd);

    int n_emotion() const { return n_emotion_; }
    int n_layer() const { return n_layer_; }
    int n_embd() const { return n_embd_; }

    // (n_embd)
    const float* vector(int emotion, int layer) const {
        return data_.data() + (static_cast<std::size_t>(emotion) * n_layer_ + layer) * n_embd_;
    }

    // Throws std::invalid_argument where the model has another shape, or the weights another
    // number.
    void require_fit(int n_layer, int n_embd, std::size_t n_weight) const;

    // out (n_layer, n_embd) = sum over k of weights[k] * data[k]; layers outside of `range`
    // become zero. weights: (n_emotion). An emotion of weight 0 is not read at all.
    void blend(const float* weights, LayerRange range, float* out) const;

  private:
    int n_emotion_;
    int n_layer_;
    int n_embd_;
    std::vector<float> data_;
};

}  // namespace llamood

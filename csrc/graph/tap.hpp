// Reads hidden states of one llama.cpp context while they are computed, and sums them.
//
// What is known of llama.cpp's graphs (llama.cpp 0c1e570) and relied on here:
// - "l_out-<layer>" is the residual stream at the end of a block; "ffn_inp-<layer>" is the
//   residual stream between attention and MLP (llama and qwen families; other architectures
//   have other names for it, or none: that site is then never seen).
// - Rows are in batch order while the batch fits one ubatch and is split simply (kv_unified,
//   n_batch <= n_ubatch, no recurrent memory).
// - In the last block most graphs keep only the rows that asked for logits; there, rows are
//   those tokens, in order.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph_watch.hpp"
#include "graph/site.hpp"

namespace llamood {

class Tap final : public GraphWatcher {
  public:
    // n_slot: how many means are kept apart. Memory: n_slot * 2 * n_layer * n_embd doubles.
    Tap(GraphWatch& watch, int n_layer, int n_embd, int n_slot);
    ~Tap() override;
    Tap(const Tap&) = delete;
    Tap& operator=(const Tap&) = delete;

    // For the next decode: the slot of each token of the batch, -1 for tokens that are not
    // read; is_output: which tokens ask for logits. A token that is read must be an output,
    // or its last block is missing: std::invalid_argument. until: nothing after the
    // end of this layer is wanted, and it is not computed: of a small model the logits alone are a
    // fifth of the work. Without (-1) all is.
    void expect(const std::vector<int>& slots, const std::vector<bool>& is_output, int until = -1);

    // Forget a slot's sums.
    void clear(int slot);

    // Sums over the tokens read so far, float64: (n_site, n_layer, n_embd).
    const double* sum(int slot) const;
    // Sums over tokens of the mean square of the hidden state: (n_site, n_layer).
    const double* square(int slot) const;
    // Tokens read, per site and layer: (n_site, n_layer). Unequal where the model has no node
    // for a site, or where a batch was split.
    const std::int64_t* count(int slot) const;

    int n_layer() const { return n_layer_; }
    int n_embd() const { return n_embd_; }
    int n_slot() const { return n_slot_; }

    bool idle() const override { return !reading_; }
    bool ask(ggml_tensor* node, const NodeName& name) override;
    void see(ggml_tensor* node, const NodeName& name) override;
    bool ends(const NodeName& name) const override;

  private:
    std::size_t plane(int slot, int site, int layer) const {
        return (static_cast<std::size_t>(slot) * n_site + site) * n_layer_ + layer;
    }

    GraphWatch& watch_;
    int n_layer_;
    int n_embd_;
    int n_slot_;
    std::vector<int> slots_;         // of the tokens of the next batch
    std::vector<int> output_slots_;  // of those that ask for logits
    bool reading_ = false;
    int until_ = -1;
    std::vector<float> rows_;  // scratch for devices whose memory the host cannot read
    std::vector<double> sums_;
    std::vector<double> squares_;
    std::vector<std::int64_t> counts_;
};

}  // namespace llamood

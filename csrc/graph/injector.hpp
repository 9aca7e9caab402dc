// Adds a blend of emotion vectors to the hidden states of one llama.cpp context.
//
// What is known of llama.cpp's control vectors (llama.cpp 0c1e570) and relied on here:
// - llama_set_adapter_cvec takes layers 1 .. n_layer-1; layer 0 never has a vector. The add is
//   the last operation of a block, on the node "l_out-<layer>", for every row of the batch.
// - It marks the scheduler for a new reservation at every call: the next decode synchronises
//   and builds its graphs again. So it is called once per context.
// - Its tensors live in buffers of their own for the context's life, and graph reuse compares
//   only the control vector's address. So later changes are written into those tensors.
// - The tensors are found in the graph: where "l_out-<layer>" is an addition whose second
//   source is a leaf of one row and the model's width, that leaf is the control vector. The
//   leaf test matters: where no vector is set (and in layer 0) the second source is the
//   residual stream, which with one token is one row wide too. A leaf that lies among the
//   model's weights (a bias) is never taken.
// - Where a model lies on several devices, the scheduler may compute the last "l_out" of one of
//   them on the next, as it has no weights of its own, and reads copies of its sources there. A
//   copy lies in a buffer for computing, is made anew in each decode before the callback is asked
//   about the nodes that follow, and goes with the plan of the graph. So that of a leaf is never
//   kept, and written in every decode: its leaf was not seen, and holds what the setter was given.
//   With one token a copy of the residual stream looks the same but for its name.
// - A buffer that is too short leaves old numbers in the layers it does not reach: all layers
//   are passed, always.
// - The eval callback is asked about a graph's nodes in order, before the part of the graph that
//   holds them is computed. "l_out-0" comes before the first node that reads a control vector, so
//   what is written when it is asked for counts for this very graph. By then the batch is in
//   the memory, whose largest position is that of the token being decoded. Nothing synchronises
//   there: the decode before must be over, as it is where its logits were sampled.
// - Some architectures never add a control vector; the setter succeeds and does nothing. After
//   the first decode with a vector set, missing_layers() tells.
#pragma once

#include <llama.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "graph/graph_watch.hpp"
#include "vectors/bank.hpp"

namespace llamood {

class Injector final : public GraphWatcher {
  public:
    // ctx must have been made with watch's callback, and must stay open until close().
    Injector(GraphWatch& watch, llama_context* ctx);
    ~Injector() override;
    Injector(const Injector&) = delete;
    Injector& operator=(const Injector&) = delete;

    // From the next decode on, add sum of weights[k] * bank[k] in the layers of `range`.
    // Returns whether anything was written to the device: nothing is where nothing changed.
    // Throws std::invalid_argument for a bank or weights of another shape, std::runtime_error
    // where the context is closed or llama.cpp refuses the vector.
    bool apply(const std::shared_ptr<const Bank>& bank, const std::vector<float>& weights,
               LayerRange range);

    // From the next decode on, the token at `position` + i of sequence 0 is decoded under row i of
    // `rows` (n, n_emotion), without being told again: each decode takes one token and is
    // followed by sampling. Beyond the rows the last one stays. Ends with apply() or rest().
    // Throws as apply() does, and std::logic_error before a steered decode has shown that the
    // model takes vectors.
    void play(const std::shared_ptr<const Bank>& bank, std::vector<float> rows, LayerRange range,
              llama_pos position);

    // From the next decode on, add nothing. Returns whether anything was written. A context
    // that was never steered is left untouched; any other adds zeros, which is bit-equal.
    bool rest();

    // Layers in 1 .. n_layer-1 of whose control vector no decode has shown anything; meaningful
    // after the first decode that followed apply().
    std::vector<int> missing_layers() const;

    // Forget the context; every later apply() throws.
    void close();

    int n_layer() const { return n_layer_; }
    int n_embd() const { return n_embd_; }
    std::int64_t setter_calls() const { return setter_calls_; }
    std::int64_t writes() const { return writes_; }

    bool idle() const override {
        return rows_.empty() && (setter_calls_ == 0 || n_found_ == n_layer_ - 1);
    }
    bool ask(ggml_tensor* node, const NodeName& name) override;
    void see(ggml_tensor*, const NodeName&) override {}

  private:
    void require_open() const;
    // Whether a decode has shown that the model takes vectors.
    bool is_shown() const { return n_found_ > 0 || n_copied_ > 0; }
    // The leaf that a node of this layer adds, or a copy of it.
    void meet(ggml_tensor* leaf, int layer);
    // This layer of blend_.
    void write(ggml_tensor* leaf, int layer) const;
    // What the device holds, made to be this; returns whether it was something else.
    bool bring(const std::shared_ptr<const Bank>& bank, const float* weights, LayerRange range);
    // Brings blend_ to the device, by the setter or into the tensors of `range`.
    void hand_over(LayerRange range);
    // The row of the token that is being decoded, where there is one.
    void take_row();

    GraphWatch& watch_;
    llama_context* ctx_;
    int n_layer_;
    int n_embd_;
    std::vector<ggml_tensor*> leaves_;  // (n_layer), null until seen
    int n_found_ = 0;
    std::vector<bool> copied_;  // (n_layer), where a copy has been seen
    int n_copied_ = 0;
    std::vector<float> blend_;          // (n_layer, n_embd), what the device holds
    std::shared_ptr<const Bank> bank_;  // bank, weights and range of the blend
    std::vector<float> weights_;
    LayerRange range_{1, 0};   // empty while nothing is added
    std::vector<float> rows_;  // (n, n_emotion) of play(), empty while nothing is played
    std::shared_ptr<const Bank> played_;
    LayerRange played_range_{1, 0};
    llama_pos position_ = 0;  // of the first row
    std::int64_t setter_calls_ = 0;
    std::int64_t writes_ = 0;
};

}  // namespace llamood

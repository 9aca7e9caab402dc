// Projects hidden states of one llama.cpp context on directions while they are computed, and
// keeps the projections by position.
//
// Beside what tap.hpp says of llama.cpp's graphs, relied on here (llama.cpp 0c1e570):
// - When a node of a batch (of a ubatch, where the batch is split) is computed, its tokens are in
//   the memory already: the largest position of the sequence is that of its last row.
// - "l_out-<layer>" comes after the control vector was added: what the injector adds is in it.
#pragma once

#include <llama.h>

#include <vector>

#include "graph_watch.hpp"

namespace llamood {

class Probe final : public GraphWatcher {
  public:
    // directions: (n_layer, n_direction, n_embd), one set for each of the layers read, which are
    // given in rising order. ctx must have been made with watch's callback, hold one sequence, and
    // stay open until close().
    // Throws std::invalid_argument for layers that cannot be read: the last one holds only the
    // rows that ask for logits.
    Probe(GraphWatch& watch, llama_context* ctx, std::vector<int> layers,
          std::vector<float> directions, int n_direction);
    ~Probe() override;
    Probe(const Probe&) = delete;
    Probe& operator=(const Probe&) = delete;

    // out (n, n_layer, n_direction): the projections at positions begin .. begin + n - 1; NaN
    // where nothing was read. What was decoded last at a position counts.
    void read(llama_pos begin, int n, float* out) const;

    // Forget what was read.
    void forget();

    // Forget the context; nothing more is read.
    void close();

    int n_layer() const { return static_cast<int>(layers_.size()); }
    int n_direction() const { return n_direction_; }

    bool idle() const override { return ctx_ == nullptr; }
    bool ask(ggml_tensor* node, const NodeName& name) override;
    void see(ggml_tensor* node, const NodeName& name) override;

  private:
    // The place of a layer among those that are read; -1 where it is not.
    int place_of(const NodeName& name) const;

    GraphWatch& watch_;
    llama_context* ctx_;
    std::vector<int> layers_;
    std::vector<float> directions_;
    int n_direction_;
    int n_embd_;
    std::vector<float> rows_;    // scratch for devices whose memory the host cannot read
    std::vector<float> values_;  // (n_ctx, n_layer, n_direction)
};

}  // namespace llamood

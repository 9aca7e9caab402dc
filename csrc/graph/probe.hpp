// Projects hidden states of one llama.cpp context on directions while they are computed, and
// keeps the projections by sequence and position.
//
// Beside what tap.hpp says of llama.cpp's graphs, relied on here (llama.cpp 0c1e570):
// - When a node of a batch (of a ubatch, where the batch is split) is computed, its tokens are in
//   the memory already: where all are of one sequence, its largest position is that of the last
//   row. Of several sequences the memory does not say which row is whose, so that has to be told;
//   row_injector.hpp says when rows are in batch order.
// - "l_out-<layer>" comes after the control vector was added: what an injector adds is in it. So is
//   what a row injector adds, as watchers that change a node see it before those that read it.
#pragma once

#include <llama.h>

#include <cstddef>
#include <vector>

#include "graph/graph_watch.hpp"

namespace llamood {

class Probe final : public GraphWatcher {
  public:
    // Rows of a batch that lie side by side: `n` positions of a sequence from `begin` on.
    struct Run {
        llama_seq_id sequence;
        llama_pos begin;
        int n;
    };

    // directions: (n_layer, n_direction, n_embd), one set for each of the layers read, which are
    // given in rising order. n_sequence: how many sequences are read; where it is 1, every batch is
    // of sequence 0 alone unless expect() says otherwise. ctx must have been made with watch's
    // callback, and stay open until close(). Memory: the longest that each sequence was, times
    // n_layer * n_direction floats; of a single sequence, the whole context.
    // Throws std::invalid_argument for layers that cannot be read: the last one holds only the
    // rows that ask for logits.
    Probe(GraphWatch& watch, llama_context* ctx, std::vector<int> layers,
          std::vector<float> directions, int n_direction, int n_sequence = 1);
    ~Probe() override;
    Probe(const Probe&) = delete;
    Probe& operator=(const Probe&) = delete;

    // Everything below throws std::out_of_range for a sequence that is not read, and for positions
    // that the context does not have.

    // For the next decodes, until another is called: whose rows the batch has, in their order.
    // Nothing is read of a batch of which llama.cpp makes pieces.
    void expect(std::vector<Run> batch);

    // out (n, n_layer, n_direction): the projections at positions begin .. begin + n - 1; NaN
    // where nothing was read. What was decoded last at a position counts.
    void read(llama_seq_id sequence, llama_pos begin, int n, float* out) const;

    // These (n, n_layer, n_direction) were read at positions `begin` on, by a probe like this one.
    void put(llama_seq_id sequence, llama_pos begin, int n, const float* read);

    // What was read of one sequence at begin .. end - 1 was read of another one too.
    void share(llama_seq_id from, llama_seq_id to, llama_pos begin, llama_pos end);

    // Forget what was read of a sequence from a position on.
    void forget(llama_seq_id sequence, llama_pos begin);

    // Forget the context; nothing more is read.
    void close();

    int n_layer() const { return static_cast<int>(layers_.size()); }
    int n_direction() const { return n_direction_; }
    int n_sequence() const { return static_cast<int>(values_.size()); }

    bool idle() const override { return ctx_ == nullptr; }
    bool ask(ggml_tensor* node, const NodeName& name) override;
    void see(ggml_tensor* node, const NodeName& name) override;

  private:
    // The place of a layer among those that are read; -1 where it is not.
    int place_of(const NodeName& name) const;
    // The rows of a node of a batch of which nothing was told.
    Run latest(int n_row) const;
    // Returns the rows that follow those of the run.
    const float* project(const float* rows, int place, const Run& run);

    std::size_t n_value() const { return layers_.size() * n_direction_; }  // of a position
    void require(llama_seq_id sequence, llama_pos begin, llama_pos end) const;
    // The values of a sequence, with room for positions before `end`.
    std::vector<float>& values(llama_seq_id sequence, llama_pos end);

    GraphWatch& watch_;
    llama_context* ctx_;
    std::vector<int> layers_;
    std::vector<float> directions_;
    int n_direction_;
    int n_embd_;
    llama_pos n_ctx_;
    std::vector<Run> batch_;
    int n_row_ = 0;            // of the batch; 0 where nothing was told
    std::vector<float> rows_;  // scratch for devices whose memory the host cannot read
    std::vector<std::vector<float>> values_;  // of each sequence (n, n_layer, n_direction)
};

}  // namespace llamood

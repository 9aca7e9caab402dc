// Keeps each row of a llama.cpp batch within caps of its own, at the end of the blocks.
//
// What row_injector.hpp and probe.hpp say of llama.cpp is relied on here, and:
// - "l_out-<layer>" comes after the control vector was added, and watchers that change a node see
//   it in the order in which they were added: what a row injector adds to it counts too.
// - The first position of a sequence is where attention puts what it has no use for; its hidden
//   state is many times as large as any other, and says nothing. It is never changed.
// - Rows are read on the host, whatever device they lie on. There a row is written back only where
//   it was changed, so what is within its caps stays as it was computed, bit by bit.
#pragma once

#include <llama.h>

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph_watch.hpp"
#include "vectors/caps.hpp"

namespace llamood {

class RowLimiter final : public GraphWatcher {
  public:
    // ctx must have been made with watch's callback, and must stay open until close(). Made after
    // the injectors of the context. Where there is nothing to keep it does not watch, and so costs
    // nothing.
    RowLimiter(GraphWatch& watch, llama_context* ctx);
    ~RowLimiter() override;
    RowLimiter(const RowLimiter&) = delete;
    RowLimiter& operator=(const RowLimiter&) = delete;

    // Each of the following counts from the next decode on, until another is called. They throw
    // std::invalid_argument for caps of another width or in layers that cannot be kept: the last
    // one holds only the rows that ask for logits.

    // Every row of sequence 0, which alone is decoded, in batches that may be split in any way;
    // from position `begin` on, which is 1 or larger.
    void apply(CapsPtr caps, llama_pos begin = 1);
    // Row i of the batch; null where it is the first of a sequence. Order as of
    // RowInjector::expect.
    void expect(std::vector<CapsPtr> caps);
    void rest() {
        if (!idle()) bring({}, true);
    }

    // After a decode: throws std::runtime_error for what kept it from being kept as asked, if
    // anything did; its logits and hidden states are of no use then.
    void check();

    // Forget the context, and keep nothing.
    void close();

    // Since the beginning: how many rows were beyond their caps in a layer.
    std::int64_t n_kept() const { return n_kept_; }

    bool idle() const override { return last_ < 0; }
    bool ask(ggml_tensor* node, const NodeName& name) override;
    void see(ggml_tensor* node, const NodeName& name) override;
    bool changes() const override { return true; }

  private:
    void require(const Caps* caps) const;
    void bring(std::vector<CapsPtr> caps, bool are_alike);
    void keep(ggml_tensor* node, int layer);
    // Of the rows of a node where all are alike, how many come before begin_.
    llama_pos n_before(llama_pos n_row) const;

    GraphWatch& watch_;
    llama_context* ctx_;
    int n_layer_;
    int n_embd_;
    bool are_alike_ = true;  // every row gets the first of caps_
    std::vector<CapsPtr> caps_;
    llama_pos begin_ = 1;
    int last_ = -1;             // layer in which anything is kept
    std::vector<bool> wanted_;  // (n_layer)
    std::vector<float> rows_;   // scratch for devices whose memory the host cannot write
    std::string fault_;         // the first since it was told
    std::int64_t n_kept_ = 0;
};

}  // namespace llamood

// Adds to each row of a llama.cpp batch a blend of its own, at a node of the graph.
//
// Where Injector's vector belongs to a context, and is added to all rows at the end of a block,
// this adds where the graph has a node: at the end of a block, or between attention and MLP (see
// site.hpp), and in layer 0 too.
//
// Beside what injector.hpp says of llama.cpp, relied on here (llama.cpp 0c1e570):
// - The eval callback runs after the node that it asked for is computed and before anything reads
//   it: what is added to the node's memory is what the rest of the graph sees. A sum of two others
//   is never a view, so nothing else lies in that memory.
// - Each node asked for ends a sub-graph and synchronises: layers in which no row adds anything
//   are not asked for.
// - Rows are in batch order while the batch fits one ubatch and is split simply: kv_unified,
//   n_tokens <= n_ubatch, no recurrent memory. llama.cpp tells n_ubatch and what the memory is, and
//   unified it is where one sequence may have the whole context (llama_n_ctx_seq), or is alone.
//   A cache with a sliding window that finds no room for that split tries one by sequences, which
//   keeps the order too where the rows of each sequence lie side by side; where it makes pieces,
//   their row counts are those of no batch.
// - In the last block most graphs keep only the rows that ask for logits, in their order; with no
//   such row the node has none.
// - In place where the host can write the node's memory, and by a graph of our own on its device
//   where it cannot (device_rows.hpp); the buffer says which. A device sums in an order of its own,
//   so there a blend may differ in its last bits.
// - Where the callback says false, llama.cpp leaves out the rest of that part of the graph and goes
//   on: it is no way to stop a decode. So what goes wrong is kept, and told afterwards: check().
#pragma once

#include <llama.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "graph/device_rows.hpp"
#include "graph/graph_watch.hpp"
#include "vectors/bank.hpp"

namespace llamood {

class RowInjector final : public GraphWatcher {
  public:
    // node: the stem of the node's name, as node_of() has it. ctx must have been made with watch's
    // callback, and must stay open until close().
    RowInjector(GraphWatch& watch, llama_context* ctx, std::string node);
    ~RowInjector() override;
    RowInjector(const RowInjector&) = delete;
    RowInjector& operator=(const RowInjector&) = delete;

    // Each of the following counts from the next decode on, until another is called. They throw
    // std::invalid_argument for a bank or weights of another shape or weights that are not
    // finite, and std::runtime_error where the context is closed or what check() would tell was
    // not asked for.

    // Add sum of weights[k] * bank[k] to every row, in the layers of `range`. A batch may be split
    // in any way. Returns whether this is something else than before.
    bool apply(const std::shared_ptr<const Bank>& bank, const std::vector<float>& weights,
               LayerRange range);

    // The token at `position` + i of sequence 0 is decoded under row i of `rows` (n, n_emotion):
    // each decode takes one token. Beyond the rows the last one stays.
    void play(const std::shared_ptr<const Bank>& bank, std::vector<float> rows, LayerRange range,
              llama_pos position);

    // Token i of the batch is decoded under row i of `rows` (n_token, n_emotion), in the layers of
    // ranges[i]; is_output: which of them ask for logits. The rows of one sequence must lie side by
    // side. Equal rows share their blend, also with those of the batch before. Throws
    // std::runtime_error, too, where rows would not be in batch order: a batch larger than
    // n_ubatch, a memory that is recurrent, or one that is not shared by all sequences.
    void expect(const std::shared_ptr<const Bank>& bank, const std::vector<float>& rows,
                const std::vector<LayerRange>& ranges, const std::vector<bool>& is_output);

    // Add nothing. Returns whether something was added before.
    bool rest();

    // After a decode: throws std::runtime_error for what kept it from being steered as asked, if
    // anything did; its logits and hidden states are of no use then.
    void check();

    // The layers in which no decode has shown such a node; meaningful after the first decode in
    // which anything was to be added (n_blend).
    std::vector<int> missing_layers() const;

    // After a decode: throws std::runtime_error where layers from `first` on were to be added to
    // at this site, and none has a place for it. Of models in which some have none, reach.hpp
    // tells.
    void require_places(int first, const std::string& site);

    // Forget the context; every later call but rest() throws.
    void close();

    int n_layer() const { return n_layer_; }
    int n_embd() const { return n_embd_; }
    // Since the beginning: how many blends were made that add anything (one may be zero throughout
    // its layers), how many nodes were stopped at, and how many of those were added to on a device
    // of their own.
    std::int64_t n_blend() const { return n_blend_; }
    std::int64_t n_stop() const { return n_stop_; }
    std::int64_t n_on_device() const { return n_on_device_; }

    bool idle() const override { return played_ == nullptr && !adds_; }
    bool ask(ggml_tensor* node, const NodeName& name) override;
    void see(ggml_tensor* node, const NodeName& name) override;
    bool changes() const override { return true; }

  private:
    // What one row gets: weights (n_emotion), data (n_layer, n_embd), and in which layers that is
    // not zero.
    struct Blend {
        std::vector<float> weights;
        std::vector<float> data;
        std::vector<bool> adds;
    };
    struct Recipe {
        std::vector<float> weights;
        LayerRange range;

        bool operator<(const Recipe& other) const;
    };
    using Blends = std::map<Recipe, std::shared_ptr<const Blend>>;

    void require_open();
    void require_order(std::size_t n_token) const;
    // Blends are kept of this bank only, and of one batch only.
    void turn_to(const std::shared_ptr<const Bank>& bank);
    // Null where the weights are all zero.
    std::shared_ptr<const Blend> blend(const Bank& bank, const Recipe& recipe);
    // What is added from now on; one blend stands for all rows.
    void bring(std::vector<std::shared_ptr<const Blend>> rows);
    // The row of the token that is being decoded, where there is one.
    void take_row();
    // The blends of the rows of a node, empty where they are not those of the batch.
    const std::vector<std::shared_ptr<const Blend>>* rows_of(const ggml_tensor* node, int layer);
    // The rows of a node of a layer get theirs.
    void add_to(ggml_tensor* node, int layer);
    void add_on_device(const ggml_tensor* node, int layer,
                       const std::vector<std::shared_ptr<const Blend>>& blends);
    void fail(int layer, const std::string& what);

    GraphWatch& watch_;
    llama_context* ctx_;
    std::string node_;
    int n_layer_;
    int n_embd_;

    std::shared_ptr<const Bank> bank_;  // of all blends that are kept
    Blends blends_;
    bool alike_ = true;                                  // every row gets the first of rows_
    std::vector<std::shared_ptr<const Blend>> rows_;     // null where nothing is added
    std::vector<std::shared_ptr<const Blend>> outputs_;  // of those that ask for logits
    std::vector<bool> wanted_;                           // (n_layer), where any row adds anything
    bool adds_ = false;                                  // whether any layer is wanted
    std::vector<bool> found_;                            // (n_layer), where such a node is

    std::vector<float> script_;  // (n, n_emotion) of play()
    std::shared_ptr<const Bank> played_;
    LayerRange played_range_{1, 0};
    llama_pos position_ = 0;  // of the first row

    std::unique_ptr<DeviceRows> device_rows_;  // made when the first such node is seen
    std::vector<float> nothing_;               // weights of a row that nothing is added to

    bool has_places_ = false;  // in all layers that can be added to, as far as that is known
    std::string fault_;        // the first since it was told
    std::int64_t n_blend_ = 0;
    std::int64_t n_stop_ = 0;
    std::int64_t n_on_device_ = 0;
};

}  // namespace llamood

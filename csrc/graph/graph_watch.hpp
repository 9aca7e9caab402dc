// One llama.cpp context takes one eval callback, given when the context is made. This owns
// that callback and shares it between the parts that want to look at the graph.
#pragma once

#include <ggml.h>

#include <vector>

namespace llamood {

// A node of llama.cpp's graph by its name: "l_out-12" is {"l_out", 12}.
struct NodeName {
    const char* stem;
    int stem_length;
    int layer;

    bool is(const char* other) const;
};

class GraphWatcher {
  public:
    virtual ~GraphWatcher() = default;
    // True while no node is of interest: spares reading the names of all nodes of every decode.
    virtual bool idle() const = 0;
    // Before the node is computed. True asks for see() with its data complete; that ends a
    // sub-graph there and synchronises the device, so ask only for what is read.
    virtual bool ask(ggml_tensor* node, const NodeName& name) = 0;
    // After the node is computed and before anything reads it.
    virtual void see(ggml_tensor* node, const NodeName& name) = 0;
    // Whether nothing of this decode matters any more after this node, which was seen: the rest is
    // not computed then, and logits are not to be looked at.
    virtual bool ends(const NodeName&) const { return false; }
    // Whether see() changes the node. Such watchers see it before those that only read it, in the
    // order in which they were added.
    virtual bool changes() const { return false; }
};

class GraphWatch {
  public:
    // For llama_context_params.cb_eval, with `this` as cb_eval_user_data.
    static bool callback(ggml_tensor* node, bool ask, void* self);

    // The watcher must outlive the context, or be removed.
    void add(GraphWatcher* watcher);
    void remove(GraphWatcher* watcher);

  private:
    std::vector<GraphWatcher*> watchers_;
};

}  // namespace llamood

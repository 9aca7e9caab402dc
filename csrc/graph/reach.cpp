#include "graph/reach.hpp"

#include <llama-cpp.h>

#include <cstddef>
#include <memory>
#include <utility>

#include "graph/graph_watch.hpp"
#include "graph/injector.hpp"
#include "vectors/bank.hpp"

namespace llamood {

namespace {

// Notes the nodes of both sites while a token is decoded, up to the end of the last block.
class Places final : public GraphWatcher {
  public:
    Places(GraphWatch& watch, const llama_model* model, const char* attention)
        : watch_(watch),
          attention_(attention),
          n_embd_(llama_model_n_embd(model)),
          layer_out(llama_model_n_layer(model)),
          attn_out(llama_model_n_layer(model)) {
        watch_.add(this);
    }
    ~Places() override { watch_.remove(this); }
    Places(const Places&) = delete;
    Places& operator=(const Places&) = delete;

    bool idle() const override { return false; }
    bool ask(ggml_tensor* node, const NodeName& name) override {
        const auto layer = static_cast<std::size_t>(name.layer);
        if (layer >= layer_out.size() || !are_rows(node)) return false;
        if (attention_ != nullptr && name.is(attention_)) attn_out[layer] = true;
        if (!name.is("l_out")) return false;
        layer_out[layer] = true;
        return ends(name);
    }
    void see(ggml_tensor*, const NodeName&) override {}
    bool ends(const NodeName& name) const override {
        return name.is("l_out") && static_cast<std::size_t>(name.layer) + 1 == layer_out.size();
    }

  private:
    // What a row injector adds to.
    bool are_rows(const ggml_tensor* node) const {
        return node->type == GGML_TYPE_F32 && node->ne[0] == n_embd_ &&
               node->ne[1] == ggml_nrows(node) && ggml_is_contiguous(node) &&
               node->view_src == nullptr;
    }

    GraphWatch& watch_;
    const char* attention_;
    int n_embd_;

  public:
    std::vector<bool> layer_out;
    std::vector<bool> attn_out;
};

llama_context_ptr smallest_context(llama_model* model, GraphWatch& watch) {
    llama_context_params params = llama_context_default_params();
    params.n_ctx = params.n_batch = params.n_ubatch = 1;
    params.n_threads = params.n_threads_batch = 1;
    params.cb_eval = GraphWatch::callback;
    params.cb_eval_user_data = &watch;
    return llama_context_ptr(llama_init_from_model(model, params));
}

}  // namespace

Reach reach_of(llama_model* model, const std::string& arch) {
    GraphWatch watch;
    const int n_layer = llama_model_n_layer(model);
    const int n_embd = llama_model_n_embd(model);
    if (llama_model_has_encoder(model) || n_layer < 2) return {};
    const llama_context_ptr ctx = smallest_context(model, watch);
    if (ctx == nullptr) return {};
    const std::vector<float> zeros(static_cast<std::size_t>(n_layer) * n_embd);
    Injector injector(watch, ctx.get());
    injector.apply(std::make_shared<Bank>(zeros.data(), 1, n_layer, n_embd), {0.0f},
                   {1, n_layer - 1});
    Places places(watch, model, node_of(attn_out, arch));
    llama_token token = 0;
    if (llama_decode(ctx.get(), llama_batch_get_one(&token, 1)) != 0) return {};
    Reach reach{std::vector<bool>(n_layer, true), std::move(places.layer_out),
                std::move(places.attn_out)};
    reach.vector[0] = false;
    for (const int layer : injector.missing_layers()) reach.vector[layer] = false;
    return reach;
}

}  // namespace llamood

#include "injector.hpp"

#include <ggml-backend.h>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace llamood {

Injector::Injector(GraphWatch& watch, llama_context* ctx) : watch_(watch), ctx_(ctx) {
    const llama_model* model = llama_get_model(ctx);
    n_layer_ = llama_model_n_layer(model);
    n_embd_ = llama_model_n_embd(model);
    leaves_.assign(n_layer_, nullptr);
    blend_.assign(static_cast<std::size_t>(n_layer_) * n_embd_, 0.0f);
    watch_.add(this);
}

Injector::~Injector() {
    watch_.remove(this);
}

void Injector::close() {
    ctx_ = nullptr;
}

void Injector::require_open() const {
    if (ctx_ == nullptr) throw std::runtime_error("the context is closed");
}

bool Injector::apply(const std::shared_ptr<const Bank>& bank, const std::vector<float>& weights,
                     LayerRange range) {
    require_open();
    if (bank->n_layer() != n_layer_ || bank->n_embd() != n_embd_) {
        throw std::invalid_argument("the vectors have " + std::to_string(bank->n_layer()) +
                                    " layers of width " + std::to_string(bank->n_embd()) +
                                    ", the model has " + std::to_string(n_layer_) + " of width " +
                                    std::to_string(n_embd_));
    }
    if (weights.size() != static_cast<std::size_t>(bank->n_emotion())) {
        throw std::invalid_argument("expected " + std::to_string(bank->n_emotion()) +
                                    " weights, found " + std::to_string(weights.size()));
    }
    range = {std::max(range.first, 1), std::min(range.last, n_layer_ - 1)};
    if (bank == bank_ && weights == weights_ && range == range_) return false;

    bank->blend(weights.data(), range, blend_.data());
    // Layers that were steered and no longer are must be written too: they are zero now.
    hand_over(range_.empty() ? range
                             : LayerRange{std::min(range.first, range_.first),
                                          std::max(range.last, range_.last)});
    bank_ = bank;
    weights_ = weights;
    range_ = range;
    return true;
}

bool Injector::rest() {
    require_open();
    if (range_.empty()) return false;
    std::fill(blend_.begin(), blend_.end(), 0.0f);
    hand_over(range_);
    bank_ = nullptr;
    weights_.clear();
    range_ = {1, 0};
    return true;
}

void Injector::hand_over(LayerRange range) {
    if (n_found_ == 0) {
        // Until a decode has shown the tensors, the public setter is the only way to them.
        // data starts at layer 1: (n_layer-1, n_embd)
        const std::size_t n = static_cast<std::size_t>(n_layer_ - 1) * n_embd_;
        if (llama_set_adapter_cvec(ctx_, blend_.data() + n_embd_, n, n_embd_, 1, n_layer_ - 1) !=
            0) {
            throw std::runtime_error("llama.cpp refused the control vector");
        }
        ++setter_calls_;
        return;
    }
    llama_synchronize(ctx_);  // a decode in flight still reads these tensors
    for (int layer = range.first; layer <= range.last; ++layer) {
        if (leaves_[layer] == nullptr) continue;
        ggml_backend_tensor_set(leaves_[layer],
                                blend_.data() + static_cast<std::size_t>(layer) * n_embd_, 0,
                                static_cast<std::size_t>(n_embd_) * sizeof(float));
    }
    ++writes_;
}

std::vector<int> Injector::missing_layers() const {
    require_open();
    std::vector<int> missing;
    for (int layer = 1; layer < n_layer_; ++layer) {
        if (leaves_[layer] == nullptr) missing.push_back(layer);
    }
    return missing;
}

bool Injector::ask(ggml_tensor* node, const NodeName& name) {
    if (idle()) return false;
    if (name.layer < 1 || name.layer >= n_layer_ || leaves_[name.layer] != nullptr) return false;
    if (!name.is("l_out") || node->op != GGML_OP_ADD) return false;
    ggml_tensor* leaf = node->src[1];
    const bool is_weight = leaf->buffer != nullptr && ggml_backend_buffer_get_usage(leaf->buffer) ==
                                                          GGML_BACKEND_BUFFER_USAGE_WEIGHTS;
    if (leaf->op == GGML_OP_NONE && leaf->ne[0] == n_embd_ && ggml_nrows(leaf) == 1 && !is_weight) {
        leaves_[name.layer] = leaf;
        ++n_found_;
    }
    return false;
}

}  // namespace llamood

#include "graph/row_limiter.hpp"

#include <ggml-backend.h>

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <utility>

namespace llamood {

RowLimiter::RowLimiter(GraphWatch& watch, llama_context* ctx) : watch_(watch), ctx_(ctx) {
    const llama_model* model = llama_get_model(ctx);
    n_layer_ = llama_model_n_layer(model);
    n_embd_ = llama_model_n_embd(model);
    wanted_.assign(n_layer_, false);
}

RowLimiter::~RowLimiter() {
    watch_.remove(this);
}

void RowLimiter::close() {
    rest();
    ctx_ = nullptr;
}

void RowLimiter::require(const Caps* caps) const {
    if (ctx_ == nullptr) throw std::runtime_error("the context is closed");
    if (caps == nullptr) return;
    if (caps->n_embd() != n_embd_ || caps->last_layer() > n_layer_ - 2) {
        throw std::invalid_argument("caps of width " + std::to_string(caps->n_embd()) +
                                    " up to layer " + std::to_string(caps->last_layer()) +
                                    "; expected width " + std::to_string(n_embd_) +
                                    ", and layers up to " + std::to_string(n_layer_ - 2));
    }
}

void RowLimiter::apply(CapsPtr caps, llama_pos begin) {
    require(caps.get());
    begin_ = std::max(begin, 1);
    if (are_alike_ && caps_.size() == 1 && caps_[0] == caps) return;
    bring({std::move(caps)}, true);
}

void RowLimiter::expect(std::vector<CapsPtr> caps) {
    for (const CapsPtr& each : caps) require(each.get());
    bring(std::move(caps), false);
}

void RowLimiter::bring(std::vector<CapsPtr> caps, bool are_alike) {
    are_alike_ = are_alike;
    caps_ = std::move(caps);
    std::fill(wanted_.begin(), wanted_.end(), false);
    last_ = -1;
    const Caps* known = nullptr;
    for (const CapsPtr& each : caps_) {
        if (each == nullptr || each.get() == known) continue;
        known = each.get();
        for (int layer = 0; layer <= known->last_layer(); ++layer) {
            if (known->is_in(layer)) wanted_[layer] = true;
        }
        last_ = std::max(last_, known->last_layer());
    }
    watch_.remove(this);
    if (!idle()) watch_.add(this);
}

void RowLimiter::check() {
    if (!fault_.empty()) throw std::runtime_error(std::exchange(fault_, {}));
}

bool RowLimiter::ask(ggml_tensor*, const NodeName& name) {
    return name.layer <= last_ && wanted_[name.layer] && name.is("l_out");
}

void RowLimiter::see(ggml_tensor* node, const NodeName& name) {
    if (!ask(node, name)) return;
    try {  // llama.cpp's C code is above
        if (node->type != GGML_TYPE_F32 || node->ne[0] != n_embd_ ||
            node->ne[1] != ggml_nrows(node) || !ggml_is_contiguous(node) ||
            node->view_src != nullptr) {
            throw std::runtime_error("expected rows of " + std::to_string(n_embd_) +
                                     " F32 numbers");
        }
        keep(node, name.layer);
    } catch (const std::exception& error) {
        if (fault_.empty()) fault_ = "l_out-" + std::to_string(name.layer) + ": " + error.what();
    }
}

// A batch is in the memory before its nodes are computed, and its last row is at the largest
// position.
llama_pos RowLimiter::n_before(llama_pos n_row) const {
    const llama_pos first = llama_memory_seq_pos_max(llama_get_memory(ctx_), 0) - n_row + 1;
    return std::clamp(begin_ - first, 0, n_row);
}

void RowLimiter::keep(ggml_tensor* node, int layer) {
    const auto n_row = static_cast<std::size_t>(node->ne[1]);
    if (!are_alike_ && n_row != caps_.size()) {
        throw std::runtime_error("the graph has " + std::to_string(n_row) +
                                 " rows there, the batch " + std::to_string(caps_.size()) +
                                 ", so it is not known which row is whose");
    }
    const bool is_host = ggml_backend_buffer_is_host(node->buffer);
    const std::size_t size = static_cast<std::size_t>(n_embd_) * sizeof(float);
    auto* rows = static_cast<float*>(node->data);
    if (!is_host) {
        rows_.resize(n_row * n_embd_);
        rows = rows_.data();
        ggml_backend_tensor_get(node, rows, 0, n_row * size);
    }
    for (std::size_t i = are_alike_ ? n_before(static_cast<llama_pos>(n_row)) : 0; i < n_row; ++i) {
        const Caps* caps = caps_[are_alike_ ? 0 : i].get();
        if (caps == nullptr || !caps->keep(layer, rows + i * n_embd_)) continue;
        ++n_kept_;
        if (!is_host) ggml_backend_tensor_set(node, rows + i * n_embd_, i * size, size);
    }
}

}  // namespace llamood

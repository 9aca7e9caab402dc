#include "graph/injector.hpp"

#include <ggml-backend.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace llamood {

namespace {

// The scheduler calls a copy "<backend>#<name>#<number>", and ggml a leaf without a name
// "leaf_<number>". Copies of the residual stream have its name.
bool is_copied_leaf(const ggml_tensor* tensor) {
    return std::strstr(ggml_get_name(tensor), "#leaf_") != nullptr;
}

}  // namespace

Injector::Injector(GraphWatch& watch, llama_context* ctx) : watch_(watch), ctx_(ctx) {
    const llama_model* model = llama_get_model(ctx);
    n_layer_ = llama_model_n_layer(model);
    n_embd_ = llama_model_n_embd(model);
    leaves_.assign(n_layer_, nullptr);
    copied_.assign(n_layer_, false);
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
    bank->require_fit(n_layer_, n_embd_, weights.size());
    rows_.clear();
    llama_synchronize(ctx_);  // a decode in flight still reads what is written here
    return bring(bank, weights.data(), range);
}

void Injector::play(const std::shared_ptr<const Bank>& bank, std::vector<float> rows,
                    LayerRange range, llama_pos position) {
    require_open();
    const std::size_t n_emotion = bank->n_emotion();
    bank->require_fit(n_layer_, n_embd_, rows.size() % n_emotion == 0 ? n_emotion : rows.size());
    if (!is_shown()) throw std::logic_error("no decode has shown where the vectors are added");
    llama_synchronize(ctx_);
    rows_ = std::move(rows);
    played_ = bank;
    played_range_ = range;
    position_ = position;
}

void Injector::take_row() {
    const llama_pos position = llama_memory_seq_pos_max(llama_get_memory(ctx_), 0);
    const std::size_t n_emotion = played_->n_emotion();
    const auto row = static_cast<std::ptrdiff_t>(position) - position_;
    if (row < 0 || static_cast<std::size_t>(row) >= rows_.size() / n_emotion) return;
    bring(played_, rows_.data() + row * n_emotion, played_range_);
}

bool Injector::bring(const std::shared_ptr<const Bank>& bank, const float* weights,
                     LayerRange range) {
    range = {std::max(range.first, 1), std::min(range.last, n_layer_ - 1)};
    const bool same =
        bank == bank_ && range == range_ && std::equal(weights_.begin(), weights_.end(), weights);
    if (same) return false;

    bank->blend(weights, range, blend_.data());
    // Layers that were steered and no longer are must be written too: they are zero now.
    hand_over(range_.empty() ? range
                             : LayerRange{std::min(range.first, range_.first),
                                          std::max(range.last, range_.last)});
    bank_ = bank;
    weights_.assign(weights, weights + bank->n_emotion());
    range_ = range;
    return true;
}

bool Injector::rest() {
    require_open();
    rows_.clear();
    if (range_.empty()) return false;
    llama_synchronize(ctx_);
    std::fill(blend_.begin(), blend_.end(), 0.0f);
    hand_over(range_);
    bank_ = nullptr;
    weights_.clear();
    range_ = {1, 0};
    return true;
}

void Injector::hand_over(LayerRange range) {
    if (!is_shown()) {
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
    for (int layer = range.first; layer <= range.last; ++layer) {
        if (leaves_[layer] != nullptr) write(leaves_[layer], layer);
    }
    ++writes_;
}

void Injector::write(ggml_tensor* leaf, int layer) const {
    const float* row = blend_.data() + static_cast<std::size_t>(layer) * n_embd_;
    ggml_backend_tensor_set(leaf, row, 0, static_cast<std::size_t>(n_embd_) * sizeof(float));
}

std::vector<int> Injector::missing_layers() const {
    require_open();
    std::vector<int> missing;
    for (int layer = 1; layer < n_layer_; ++layer) {
        if (leaves_[layer] == nullptr && !copied_[layer]) missing.push_back(layer);
    }
    return missing;
}

bool Injector::ask(ggml_tensor* node, const NodeName& name) {
    if (idle()) return false;
    if (!rows_.empty() && name.layer == 0 && name.is("l_out")) take_row();
    if (name.layer < 1 || name.layer >= n_layer_ || leaves_[name.layer] != nullptr) return false;
    if (!name.is("l_out") || node->op != GGML_OP_ADD) return false;
    ggml_tensor* leaf = node->src[1];
    const bool is_row = leaf->op == GGML_OP_NONE && leaf->ne[0] == n_embd_ && ggml_nrows(leaf) == 1;
    if (is_row && leaf->buffer != nullptr) meet(leaf, name.layer);
    return false;
}

void Injector::meet(ggml_tensor* leaf, int layer) {
    switch (ggml_backend_buffer_get_usage(leaf->buffer)) {
        case GGML_BACKEND_BUFFER_USAGE_WEIGHTS:
            return;
        case GGML_BACKEND_BUFFER_USAGE_COMPUTE:
            if (!is_copied_leaf(leaf)) return;
            if (!copied_[layer]) ++n_copied_;
            copied_[layer] = true;
            llama_synchronize(ctx_);  // a device may still be copying
            break;
        default:
            leaves_[layer] = leaf;
            ++n_found_;
    }
    if (writes_ > 0) write(leaf, layer);
}

}  // namespace llamood

#include "probe.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "host_rows.hpp"

namespace llamood {

Probe::Probe(GraphWatch& watch, llama_context* ctx, std::vector<int> layers,
             std::vector<float> directions, int n_direction)
    : watch_(watch),
      ctx_(ctx),
      layers_(std::move(layers)),
      directions_(std::move(directions)),
      n_direction_(n_direction) {
    const llama_model* model = llama_get_model(ctx);
    n_embd_ = llama_model_n_embd(model);
    const int last = llama_model_n_layer(model) - 2;
    if (layers_.empty() || layers_.front() < 0 || layers_.back() > last ||
        std::adjacent_find(layers_.begin(), layers_.end(), std::greater_equal<>()) !=
            layers_.end()) {
        throw std::invalid_argument("layers from 0 to " + std::to_string(last) +
                                    " can be read, each once and in rising order");
    }
    if (n_direction_ < 1 || directions_.size() != layers_.size() * n_direction_ * n_embd_) {
        throw std::invalid_argument("expected directions of (n_layer, n_direction, n_embd)");
    }
    values_.resize(llama_n_ctx(ctx) * layers_.size() * n_direction_);
    forget();
    watch_.add(this);
}

Probe::~Probe() {
    watch_.remove(this);
}

void Probe::forget() {
    std::fill(values_.begin(), values_.end(), std::numeric_limits<float>::quiet_NaN());
}

void Probe::close() {
    ctx_ = nullptr;
}

int Probe::place_of(const NodeName& name) const {
    if (!name.is("l_out")) return -1;
    const auto found = std::lower_bound(layers_.begin(), layers_.end(), name.layer);
    if (found == layers_.end() || *found != name.layer) return -1;
    return static_cast<int>(found - layers_.begin());
}

bool Probe::ask(ggml_tensor* node, const NodeName& name) {
    return !idle() && place_of(name) >= 0 && node->type == GGML_TYPE_F32 && node->ne[0] == n_embd_;
}

void Probe::see(ggml_tensor* node, const NodeName& name) {
    const int place = idle() ? -1 : place_of(name);
    if (place < 0) return;
    const auto n_row = static_cast<int>(ggml_nrows(node));
    const llama_pos last = llama_memory_seq_pos_max(llama_get_memory(ctx_), 0);
    const llama_pos first = last - n_row + 1;
    const std::size_t per_position = layers_.size() * n_direction_;
    if (first < 0 || (last + 1) * per_position > values_.size()) return;

    const float* rows = host_rows(node, rows_);
    const float* set =
        directions_.data() + static_cast<std::size_t>(place) * n_direction_ * n_embd_;
    for (int r = 0; r < n_row; ++r) {
        const float* row = rows + static_cast<std::size_t>(r) * n_embd_;
        float* out = values_.data() + (first + r) * per_position +
                     static_cast<std::size_t>(place) * n_direction_;
        for (int k = 0; k < n_direction_; ++k) {
            const float* direction = set + static_cast<std::size_t>(k) * n_embd_;
            double sum = 0.0;
            for (int i = 0; i < n_embd_; ++i) sum += static_cast<double>(row[i]) * direction[i];
            out[k] = static_cast<float>(sum);
        }
    }
}

void Probe::read(llama_pos begin, int n, float* out) const {
    const std::size_t per_position = layers_.size() * n_direction_;
    if (begin < 0 || n < 0 ||
        (static_cast<std::size_t>(begin) + n) * per_position > values_.size()) {
        throw std::out_of_range("positions beyond the context");
    }
    std::copy_n(values_.begin() + begin * per_position, n * per_position, out);
}

}  // namespace llamood

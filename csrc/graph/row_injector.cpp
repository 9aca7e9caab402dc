#include "graph/row_injector.hpp"

#include <ggml-backend.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <stdexcept>
#include <tuple>
#include <utility>

namespace llamood {

namespace {

void require_finite(const std::vector<float>& weights) {
    const auto is_finite = [](float weight) { return std::isfinite(weight); };
    if (!std::all_of(weights.begin(), weights.end(), is_finite)) {
        throw std::invalid_argument("weights must be finite");
    }
}

void add(const float* added, int n, float* row) {
    for (int i = 0; i < n; ++i) row[i] += added[i];
}

}  // namespace

bool RowInjector::Recipe::operator<(const Recipe& other) const {
    return std::tie(range.first, range.last, weights) <
           std::tie(other.range.first, other.range.last, other.weights);
}

RowInjector::RowInjector(GraphWatch& watch, llama_context* ctx, std::string node)
    : watch_(watch), ctx_(ctx), node_(std::move(node)) {
    const llama_model* model = llama_get_model(ctx);
    n_layer_ = llama_model_n_layer(model);
    n_embd_ = llama_model_n_embd(model);
    wanted_.assign(n_layer_, false);
    found_.assign(n_layer_, false);
    watch_.add(this);
}

RowInjector::~RowInjector() {
    watch_.remove(this);
}

void RowInjector::close() {
    rest();
    device_rows_ = nullptr;
    ctx_ = nullptr;
}

void RowInjector::require_open() {
    if (ctx_ == nullptr) throw std::runtime_error("the context is closed");
    check();
}

void RowInjector::check() {
    if (!fault_.empty()) throw std::runtime_error(std::exchange(fault_, {}));
}

void RowInjector::require_order(std::size_t n_token) const {
    const llama_model* model = llama_get_model(ctx_);
    const std::string why = "rows with moods of their own need a batch that llama.cpp keeps whole";
    if (n_token > llama_n_ubatch(ctx_)) {
        throw std::runtime_error(why + ": " + std::to_string(n_token) +
                                 " tokens do not fit n_ubatch, which is " +
                                 std::to_string(llama_n_ubatch(ctx_)));
    }
    if (llama_model_is_recurrent(model) || llama_model_is_hybrid(model)) {
        throw std::runtime_error(why + ", and a recurrent memory sorts it by sequences");
    }
    if (llama_n_seq_max(ctx_) > 1 && llama_n_ctx_seq(ctx_) != llama_n_ctx(ctx_)) {
        throw std::runtime_error(why + "; make the context with kv_unified = true");
    }
}

bool RowInjector::apply(const std::shared_ptr<const Bank>& bank, const std::vector<float>& weights,
                        LayerRange range) {
    require_open();
    bank->require_fit(n_layer_, n_embd_, weights.size());
    require_finite(weights);
    played_ = nullptr;
    turn_to(bank);
    auto added = blend(*bank, {weights, range});
    if (alike_ && rows_.size() == 1 && rows_[0] == added) return false;
    alike_ = true;
    bring({std::move(added)});
    return true;
}

void RowInjector::play(const std::shared_ptr<const Bank>& bank, std::vector<float> rows,
                       LayerRange range, llama_pos position) {
    require_open();
    const std::size_t n_emotion = bank->n_emotion();
    bank->require_fit(n_layer_, n_embd_, rows.size() % n_emotion == 0 ? n_emotion : rows.size());
    require_finite(rows);
    script_ = std::move(rows);
    played_ = bank;
    played_range_ = range;
    position_ = position;
}

void RowInjector::expect(const std::shared_ptr<const Bank>& bank, const std::vector<float>& rows,
                         const std::vector<LayerRange>& ranges,
                         const std::vector<bool>& is_output) {
    require_open();
    const std::size_t n_emotion = bank->n_emotion();
    const std::size_t n_token = is_output.size();
    bank->require_fit(n_layer_, n_embd_, n_emotion);
    if (rows.size() != n_token * n_emotion) {
        throw std::invalid_argument(std::to_string(rows.size() / n_emotion) +
                                    " rows of weights for a batch of " + std::to_string(n_token));
    }
    if (ranges.size() != n_token) {
        throw std::invalid_argument(std::to_string(ranges.size()) +
                                    " ranges of layers for a batch of " + std::to_string(n_token));
    }
    require_finite(rows);
    require_order(n_token);
    played_ = nullptr;
    turn_to(bank);
    const Blends before = std::exchange(blends_, {});
    std::vector<std::shared_ptr<const Blend>> blends(n_token);
    Recipe recipe{};
    for (std::size_t i = 0; i < n_token; ++i) {
        recipe.weights.assign(rows.begin() + i * n_emotion, rows.begin() + (i + 1) * n_emotion);
        recipe.range = ranges[i];
        const auto known = before.find(recipe);
        if (known != before.end()) blends_.insert(*known);
        blends[i] = blend(*bank, recipe);
    }
    outputs_.clear();
    for (std::size_t i = 0; i < n_token; ++i) {
        if (is_output[i]) outputs_.push_back(blends[i]);
    }
    alike_ = false;
    bring(std::move(blends));
}

bool RowInjector::rest() {
    const bool added = !idle();
    played_ = nullptr;
    alike_ = true;
    bring({});
    return added;
}

void RowInjector::turn_to(const std::shared_ptr<const Bank>& bank) {
    if (bank == bank_ && blends_.size() <= rows_.size()) return;
    blends_.clear();
    bank_ = bank;
}

std::shared_ptr<const RowInjector::Blend> RowInjector::blend(const Bank& bank,
                                                             const Recipe& recipe) {
    const auto& weights = recipe.weights;
    if (std::all_of(weights.begin(), weights.end(), [](float w) { return w == 0.0f; })) {
        return nullptr;
    }
    auto& known = blends_[recipe];
    if (known != nullptr) return known;
    auto made = std::make_shared<Blend>();
    made->weights = weights;
    made->data.resize(static_cast<std::size_t>(n_layer_) * n_embd_);
    bank.blend(weights.data(), recipe.range, made->data.data());
    made->adds.resize(n_layer_);
    for (int layer = 0; layer < n_layer_; ++layer) {
        const float* begin = made->data.data() + static_cast<std::size_t>(layer) * n_embd_;
        made->adds[layer] =
            std::any_of(begin, begin + n_embd_, [](float value) { return value != 0.0f; });
    }
    if (std::find(made->adds.begin(), made->adds.end(), true) != made->adds.end()) ++n_blend_;
    known = std::move(made);
    return known;
}

void RowInjector::bring(std::vector<std::shared_ptr<const Blend>> rows) {
    rows_ = std::move(rows);
    std::fill(wanted_.begin(), wanted_.end(), false);
    const Blend* last = nullptr;
    for (const auto& row : rows_) {
        if (row == nullptr || row.get() == last) continue;
        last = row.get();
        for (int layer = 0; layer < n_layer_; ++layer) {
            if (row->adds[layer]) wanted_[layer] = true;
        }
    }
    adds_ = std::find(wanted_.begin(), wanted_.end(), true) != wanted_.end();
}

void RowInjector::take_row() {
    const llama_pos position = llama_memory_seq_pos_max(llama_get_memory(ctx_), 0);
    const std::size_t n_emotion = played_->n_emotion();
    const auto row = static_cast<std::ptrdiff_t>(position) - position_;
    if (row < 0 || static_cast<std::size_t>(row) >= script_.size() / n_emotion) return;
    turn_to(played_);
    const float* weights = script_.data() + row * n_emotion;
    auto added = blend(*played_, {{weights, weights + n_emotion}, played_range_});
    alike_ = true;
    bring({std::move(added)});
}

std::vector<int> RowInjector::missing_layers() const {
    std::vector<int> missing;
    for (int layer = 0; layer < n_layer_; ++layer) {
        if (!found_[layer]) missing.push_back(layer);
    }
    return missing;
}

void RowInjector::require_places(int first, const std::string& site) {
    if (has_places_ || n_blend_ == 0) return;
    const auto n_missing = std::count(found_.begin() + first, found_.end(), false);
    if (n_missing == n_layer_ - first) {
        throw std::runtime_error("llama.cpp's graph of this architecture has no place for site " +
                                 site + " in " + std::to_string(n_missing) + " of " +
                                 std::to_string(n_layer_) +
                                 " layers, so no mood can be added there");
    }
    has_places_ = true;
}

bool RowInjector::ask(ggml_tensor*, const NodeName& name) {
    if (idle() || name.layer >= n_layer_ || !name.is(node_.c_str())) return false;
    if (played_ != nullptr && name.layer == 0) take_row();
    found_[name.layer] = true;
    return wanted_[name.layer];
}

void RowInjector::fail(int layer, const std::string& what) {
    if (fault_.empty()) fault_ = node_ + "-" + std::to_string(layer) + ": " + what;
}

const std::vector<std::shared_ptr<const RowInjector::Blend>>* RowInjector::rows_of(
    const ggml_tensor* node, int layer) {
    const auto n_row = static_cast<std::size_t>(node->ne[1]);
    if (n_row == rows_.size()) return &rows_;
    if (n_row == outputs_.size() && layer == n_layer_ - 1) return &outputs_;
    fail(layer, "the graph has " + std::to_string(n_row) + " rows there, the batch " +
                    std::to_string(rows_.size()) + " of which " + std::to_string(outputs_.size()) +
                    " ask for logits, so it is not known which row is whose");
    return nullptr;
}

void RowInjector::see(ggml_tensor* node, const NodeName& name) {
    if (idle() || name.layer >= n_layer_ || !name.is(node_.c_str()) || !wanted_[name.layer]) return;
    ++n_stop_;
    if (node->type != GGML_TYPE_F32 || node->ne[0] != n_embd_ || node->ne[1] != ggml_nrows(node) ||
        !ggml_is_contiguous(node) || node->view_src != nullptr) {
        return fail(name.layer, "expected rows of " + std::to_string(n_embd_) + " F32 numbers");
    }
    try {  // llama.cpp's C code is above
        add_to(node, name.layer);
    } catch (const std::exception& error) {
        fail(name.layer, error.what());
    }
}

void RowInjector::add_to(ggml_tensor* node, int layer) {
    const auto* blends = alike_ ? &rows_ : rows_of(node, layer);
    if (blends == nullptr || node->ne[1] == 0) return;
    if (!ggml_backend_buffer_is_host(node->buffer)) return add_on_device(node, layer, *blends);
    auto* rows = static_cast<float*>(node->data);
    const std::size_t at = static_cast<std::size_t>(layer) * n_embd_;
    for (std::int64_t i = 0; i < node->ne[1]; ++i) {
        const Blend* added = (*blends)[alike_ ? 0 : i].get();
        if (added == nullptr || !added->adds[layer]) continue;
        add(added->data.data() + at, n_embd_, rows + i * n_embd_);
    }
}

void RowInjector::add_on_device(const ggml_tensor* node, int layer,
                                const std::vector<std::shared_ptr<const Blend>>& blends) {
    if (device_rows_ == nullptr || device_rows_->bank() != bank_) {
        device_rows_ = std::make_unique<DeviceRows>(bank_);
    }
    nothing_.assign(bank_->n_emotion(), 0.0f);
    std::vector<const float*> weights;
    for (const auto& blend : blends) {
        const bool adds = blend != nullptr && blend->adds[layer];
        weights.push_back(adds ? blend->weights.data() : nothing_.data());
    }
    device_rows_->add(node, layer, weights);
    ++n_on_device_;
}

}  // namespace llamood

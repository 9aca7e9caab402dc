#include "graph/probe.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>

#include "graph/host_rows.hpp"

namespace llamood {

namespace {

constexpr float unread = std::numeric_limits<float>::quiet_NaN();

}  // namespace

Probe::Probe(GraphWatch& watch, llama_context* ctx, std::vector<int> layers,
             std::vector<float> directions, int n_direction, int n_sequence)
    : watch_(watch),
      ctx_(ctx),
      layers_(std::move(layers)),
      directions_(std::move(directions)),
      n_direction_(n_direction),
      n_ctx_(static_cast<llama_pos>(llama_n_ctx(ctx))) {
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
    if (n_sequence < 1 || n_sequence > static_cast<int>(llama_n_seq_max(ctx))) {
        throw std::invalid_argument("1 to " + std::to_string(llama_n_seq_max(ctx)) +
                                    " sequences can be read, found " + std::to_string(n_sequence));
    }
    values_.resize(n_sequence);
    if (n_sequence == 1) values(0, n_ctx_);  // there is no telling how far a batch will reach
    watch_.add(this);
}

Probe::~Probe() {
    watch_.remove(this);
}

void Probe::close() {
    ctx_ = nullptr;
}

void Probe::require(llama_seq_id sequence, llama_pos begin, llama_pos end) const {
    if (sequence < 0 || sequence >= n_sequence()) {
        throw std::out_of_range("sequence " + std::to_string(sequence) + " is not read, of " +
                                std::to_string(n_sequence()));
    }
    if (begin < 0 || end < begin || end > n_ctx_) {
        throw std::out_of_range("positions beyond the context");
    }
}

std::vector<float>& Probe::values(llama_seq_id sequence, llama_pos end) {
    std::vector<float>& known = values_[sequence];
    known.resize(std::max(known.size(), end * n_value()), unread);
    return known;
}

void Probe::expect(std::vector<Run> batch) {
    for (const Run& run : batch) {
        require(run.sequence, run.begin, run.begin);  // what reaches too far is never decoded
        if (run.n < 1) throw std::invalid_argument("expected runs of at least one row");
    }
    n_row_ = 0;
    for (const Run& run : batch) {
        auto& known = values(run.sequence, run.begin + run.n);
        std::fill_n(known.begin() + run.begin * n_value(), run.n * n_value(), unread);
        n_row_ += run.n;
    }
    batch_ = std::move(batch);
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

Probe::Run Probe::latest(int n_row) const {
    const llama_pos last = llama_memory_seq_pos_max(llama_get_memory(ctx_), 0);
    return {0, last - n_row + 1, n_row};
}

void Probe::see(ggml_tensor* node, const NodeName& name) {
    const int place = idle() ? -1 : place_of(name);
    if (place < 0) return;
    const auto n_row = static_cast<int>(ggml_nrows(node));
    if (n_row_ > 0) {
        if (n_row != n_row_) return;
        const float* rows = host_rows(node, rows_);
        for (const Run& run : batch_) rows = project(rows, place, run);
    } else if (n_sequence() == 1) {
        const Run run = latest(n_row);
        if (run.begin < 0 || run.begin + run.n > n_ctx_) return;
        project(host_rows(node, rows_), place, run);
    }
}

const float* Probe::project(const float* rows, int place, const Run& run) {
    const float* set =
        directions_.data() + static_cast<std::size_t>(place) * n_direction_ * n_embd_;
    float* out = values_[run.sequence].data() + run.begin * n_value() +
                 static_cast<std::size_t>(place) * n_direction_;
    for (int r = 0; r < run.n; ++r, rows += n_embd_, out += n_value()) {
        for (int k = 0; k < n_direction_; ++k) {
            const float* direction = set + static_cast<std::size_t>(k) * n_embd_;
            double sum = 0.0;
            for (int i = 0; i < n_embd_; ++i) sum += static_cast<double>(rows[i]) * direction[i];
            out[k] = static_cast<float>(sum);
        }
    }
    return rows;
}

void Probe::read(llama_seq_id sequence, llama_pos begin, int n, float* out) const {
    require(sequence, begin, begin + n);
    const std::vector<float>& known = values_[sequence];
    const std::size_t first = std::min(begin * n_value(), known.size());
    const std::size_t last = std::min((begin + n) * n_value(), known.size());
    out = std::copy(known.begin() + first, known.begin() + last, out);
    std::fill_n(out, n * n_value() - (last - first), unread);
}

void Probe::put(llama_seq_id sequence, llama_pos begin, int n, const float* read) {
    require(sequence, begin, begin + n);
    std::copy_n(read, n * n_value(), values(sequence, begin + n).begin() + begin * n_value());
}

void Probe::share(llama_seq_id from, llama_seq_id to, llama_pos begin, llama_pos end) {
    require(from, begin, end);
    require(to, begin, end);
    if (from == to) return;
    const std::vector<float>& source = values(from, end);
    std::copy(source.begin() + begin * n_value(), source.begin() + end * n_value(),
              values(to, end).begin() + begin * n_value());
}

void Probe::forget(llama_seq_id sequence, llama_pos begin) {
    require(sequence, begin, n_ctx_);
    std::vector<float>& known = values_[sequence];
    std::fill(known.begin() + std::min(begin * n_value(), known.size()), known.end(), unread);
}

}  // namespace llamood

#include "graph/tap.hpp"

#include <algorithm>
#include <stdexcept>

#include "graph/host_rows.hpp"

namespace llamood {

namespace {

int site_of(const NodeName& name) {
    if (name.is("l_out")) return layer_out;
    if (name.is("ffn_inp")) return attn_out;
    return -1;
}

}  // namespace

Tap::Tap(GraphWatch& watch, int n_layer, int n_embd, int n_slot)
    : watch_(watch), n_layer_(n_layer), n_embd_(n_embd), n_slot_(n_slot) {
    if (n_layer < 1 || n_embd < 1 || n_slot < 1) {
        throw std::invalid_argument("a tap needs at least one layer, one column and one slot");
    }
    const std::size_t planes = static_cast<std::size_t>(n_slot) * n_site * n_layer;
    sums_.assign(planes * n_embd, 0.0);
    squares_.assign(planes, 0.0);
    counts_.assign(planes, 0);
    watch_.add(this);
}

Tap::~Tap() {
    watch_.remove(this);
}

void Tap::expect(const std::vector<int>& slots, const std::vector<bool>& is_output, int until) {
    if (slots.size() != is_output.size()) {
        throw std::invalid_argument("one slot and one output mark for each token");
    }
    std::vector<int> output_slots;
    bool reading = false;
    for (std::size_t i = 0; i < slots.size(); ++i) {
        if (slots[i] >= n_slot_) throw std::invalid_argument("no such slot");
        if (slots[i] >= 0 && !is_output[i]) {
            throw std::invalid_argument("a token that is read must ask for logits");
        }
        if (is_output[i]) output_slots.push_back(slots[i]);
        reading |= slots[i] >= 0;
    }
    slots_ = slots;
    output_slots_ = std::move(output_slots);
    reading_ = reading;
    until_ = until;
}

void Tap::clear(int slot) {
    if (slot < 0 || slot >= n_slot_) throw std::invalid_argument("no such slot");
    const std::size_t begin = plane(slot, 0, 0);
    const std::size_t end = plane(slot + 1, 0, 0);
    std::fill(sums_.begin() + begin * n_embd_, sums_.begin() + end * n_embd_, 0.0);
    std::fill(squares_.begin() + begin, squares_.begin() + end, 0.0);
    std::fill(counts_.begin() + begin, counts_.begin() + end, 0);
}

const double* Tap::sum(int slot) const {
    return sums_.data() + plane(slot, 0, 0) * n_embd_;
}
const double* Tap::square(int slot) const {
    return squares_.data() + plane(slot, 0, 0);
}
const std::int64_t* Tap::count(int slot) const {
    return counts_.data() + plane(slot, 0, 0);
}

bool Tap::ask(ggml_tensor* node, const NodeName& name) {
    return !idle() && name.layer < n_layer_ && site_of(name) >= 0 && node->type == GGML_TYPE_F32 &&
           node->ne[0] == n_embd_;
}

bool Tap::ends(const NodeName& name) const {
    return name.layer == until_ && site_of(name) == layer_out;
}

void Tap::see(ggml_tensor* node, const NodeName& name) {
    const int site = site_of(name);
    if (idle() || site < 0 || name.layer >= n_layer_ || node->ne[0] != n_embd_) return;
    const auto n_row = static_cast<std::size_t>(ggml_nrows(node));
    const std::vector<int>* slots = nullptr;
    if (n_row == slots_.size()) {
        slots = &slots_;
    } else if (n_row == output_slots_.size()) {
        slots = &output_slots_;
    } else {
        return;  // a split batch: count() tells
    }

    const float* rows = host_rows(node, rows_);
    for (std::size_t r = 0; r < n_row; ++r) {
        const int slot = (*slots)[r];
        if (slot < 0) continue;
        const std::size_t p = plane(slot, site, name.layer);
        double* sum = sums_.data() + p * n_embd_;
        const float* row = rows + r * n_embd_;
        double square = 0.0;
        for (int i = 0; i < n_embd_; ++i) {
            sum[i] += row[i];
            square += static_cast<double>(row[i]) * row[i];
        }
        squares_[p] += square / n_embd_;
        ++counts_[p];
    }
}

}  // namespace llamood

#include "graph/device_rows.hpp"

#include <ggml.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace llamood {

namespace {

// Shapes of graphs that are kept: of prompts there are as many as there are lengths.
constexpr std::size_t most_shapes = 16;
// Columns of a product that are computed from F32 factors.
constexpr std::int64_t most_columns = 8;
// Emotions are filled up to a multiple of this by zeros.
constexpr std::int64_t emotion_group = 8;

std::int64_t n_part_of(std::int64_t n, std::int64_t size) {
    return (n + size - 1) / size;
}

struct Free {
    void operator()(ggml_context* ctx) const { ggml_free(ctx); }
    void operator()(ggml_backend_t backend) const { ggml_backend_free(backend); }
    void operator()(ggml_backend_buffer_t buffer) const { ggml_backend_buffer_free(buffer); }
};
using Context = std::unique_ptr<ggml_context, Free>;
using Backend = std::unique_ptr<ggml_backend, Free>;
using Buffer = std::unique_ptr<ggml_backend_buffer, Free>;

Context context_of(std::size_t n_tensor, std::size_t n_node = 0) {
    const std::size_t graph = n_node == 0 ? 0 : ggml_graph_overhead_custom(n_node, false);
    Context ctx(ggml_init({n_tensor * ggml_tensor_overhead() + graph, nullptr, true}));
    if (ctx == nullptr) throw std::runtime_error("no memory for a graph");
    return ctx;
}

Buffer allocated(const Context& ctx, ggml_backend_buffer_type_t type) {
    Buffer buffer(ggml_backend_alloc_ctx_tensors_from_buft(ctx.get(), type));
    if (buffer == nullptr) {
        throw std::runtime_error("no memory for vectors on " +
                                 std::string(ggml_backend_buft_name(type)));
    }
    return buffer;
}

// The graph for one number of rows and of weights, which adds vectors * weights to the rows: one
// blend to all of them, to each its own where there are as many, and otherwise to each the one that
// is picked for it, of most_columns at most.
struct Adding {
    Context own;       // of what lies in `buffer`
    Context borrowed;  // of what is elsewhere: the rows, and views of them
    Buffer buffer;
    ggml_tensor* weights;              // (n_weight, n_emotion)
    ggml_tensor* picks = nullptr;      // (n_row), where some rows share their weights
    ggml_tensor* rows;                 // (n_row, n_embd), a node of llama.cpp's
    std::vector<ggml_tensor*> blends;  // (at most most_columns, n_embd) each
    ggml_cgraph* graph;

    Adding(ggml_backend_buffer_type_t type, ggml_tensor* vectors, std::int64_t n_row,
           std::int64_t n_weight) {
        const std::int64_t n_part = n_part_of(n_weight, most_columns);
        const std::size_t n_node = 4 * n_part + 2;
        own = context_of(2 * n_part + 3);
        borrowed = context_of(2 * n_part + 2, n_node);
        weights = ggml_new_tensor_2d(own.get(), GGML_TYPE_F32, vectors->ne[0], n_weight);
        rows = ggml_new_tensor_2d(borrowed.get(), GGML_TYPE_F32, vectors->ne[1], n_row);
        graph = ggml_new_graph_custom(borrowed.get(), n_node, false);
        if (n_weight == 1) {
            add(rows, blended(vectors, weights));
        } else if (n_weight < n_row) {
            picks = ggml_new_tensor_1d(own.get(), GGML_TYPE_I32, n_row);
            add(rows, ggml_get_rows(own.get(), blended(vectors, weights), picks));
        } else {
            for (std::int64_t i = 0; i < n_row; i += most_columns) {
                const std::int64_t n = std::min(n_row - i, most_columns);
                add(part(borrowed, rows, i, n), blended(vectors, part(own, weights, i, n)));
            }
        }
        buffer = allocated(own, type);
    }

    void look_at(const ggml_tensor* node, ggml_tensor* vectors) {
        for (ggml_tensor* blend : blends) blend->src[0] = vectors;
        ggml_context* ctx = borrowed.get();
        for (ggml_tensor* t = rows; t != nullptr; t = ggml_get_next_tensor(ctx, t)) {
            t->buffer = nullptr;
            t->data = nullptr;
            const ggml_status found = t == rows
                                          ? ggml_backend_tensor_alloc(node->buffer, t, node->data)
                                          : ggml_backend_view_init(t);
            if (found != GGML_STATUS_SUCCESS) {
                throw std::runtime_error("the rows cannot be looked at");
            }
        }
    }

  private:
    static ggml_tensor* part(const Context& ctx, ggml_tensor* whole, std::int64_t begin,
                             std::int64_t n) {
        const std::size_t size = whole->nb[1];
        return ggml_view_2d(ctx.get(), whole, whole->ne[0], n, size, begin * size);
    }

    ggml_tensor* blended(ggml_tensor* vectors, ggml_tensor* of) {
        blends.push_back(ggml_mul_mat(own.get(), vectors, of));
        ggml_prec_set_acc(blends.back(), GGML_PREC_F32);
        return blends.back();
    }

    void add(ggml_tensor* to, ggml_tensor* what) {
        ggml_build_forward_expand(graph, ggml_add_inplace(borrowed.get(), to, what));
    }
};

// Weights without those that are there already, and which of them each row gets; as they were where
// that would be more than most_columns.
struct Picked {
    std::vector<const float*> weights;
    std::vector<std::int32_t> rows;
};

Picked picked_of(const std::vector<const float*>& weights) {
    Picked picked;
    auto& distinct = picked.weights;
    for (const float* row : weights) {
        const auto found = std::find(distinct.begin(), distinct.end(), row);
        picked.rows.push_back(static_cast<std::int32_t>(found - distinct.begin()));
        if (found != distinct.end()) continue;
        if (static_cast<std::int64_t>(distinct.size()) == most_columns) return {weights, {}};
        distinct.push_back(row);
    }
    return picked;
}

}  // namespace

struct DeviceRows::Device {
    ggml_backend_buffer_type_t type;
    Backend backend;
    Context ctx;
    Buffer buffer;
    std::int64_t n_emotion;             // filled up
    std::vector<ggml_tensor*> vectors;  // (n_layer) of (n_embd, n_emotion)
    std::vector<bool> is_there;         // (n_layer), those that were brought
    std::map<std::pair<std::int64_t, std::int64_t>, std::unique_ptr<Adding>> addings;

    Device(const Bank& bank, ggml_backend_buffer_type_t buffer_type)
        : type(buffer_type),
          ctx(context_of(bank.n_layer())),
          n_emotion(emotion_group * n_part_of(bank.n_emotion(), emotion_group)),
          is_there(bank.n_layer(), false) {
        ggml_backend_dev_t device = ggml_backend_buft_get_device(type);
        if (device != nullptr) backend.reset(ggml_backend_dev_init(device, nullptr));
        if (backend == nullptr) {
            throw std::runtime_error("nothing computes where the hidden states lie (" +
                                     std::string(ggml_backend_buft_name(type)) + ")");
        }
        for (int layer = 0; layer < bank.n_layer(); ++layer) {
            vectors.push_back(
                ggml_new_tensor_2d(ctx.get(), GGML_TYPE_F32, n_emotion, bank.n_embd()));
        }
        buffer = allocated(ctx, type);
    }

    void bring(const Bank& bank, int layer) {
        if (is_there[layer]) return;
        std::vector<float> turned(static_cast<std::size_t>(n_emotion) * bank.n_embd(), 0.0f);
        for (int k = 0; k < bank.n_emotion(); ++k) {
            const float* vector = bank.vector(k, layer);
            for (int i = 0; i < bank.n_embd(); ++i) turned[i * n_emotion + k] = vector[i];
        }
        ggml_backend_tensor_set(vectors[layer], turned.data(), 0, turned.size() * sizeof(float));
        is_there[layer] = true;
    }

    Adding& adding(int layer, std::int64_t n_row, std::int64_t n_weight) {
        auto& found = addings[{n_row, n_weight}];
        if (found != nullptr) return *found;
        auto made = std::make_unique<Adding>(type, vectors[layer], n_row, n_weight);
        for (int i = 0; i < ggml_graph_n_nodes(made->graph); ++i) {
            if (ggml_backend_supports_op(backend.get(), ggml_graph_node(made->graph, i))) continue;
            throw std::runtime_error(std::string(ggml_backend_name(backend.get())) +
                                     " cannot add vectors");
        }
        if (addings.size() > most_shapes) addings.clear();
        return *(addings[{n_row, n_weight}] = std::move(made));
    }
};

DeviceRows::DeviceRows(std::shared_ptr<const Bank> bank) : bank_(std::move(bank)) {}

DeviceRows::~DeviceRows() = default;

DeviceRows::Device& DeviceRows::device_of(const ggml_tensor* node) {
    ggml_backend_buffer_type_t type = ggml_backend_buffer_get_type(node->buffer);
    const auto found = devices_.find(type);
    if (found != devices_.end()) return *found->second;
    return *(devices_[type] = std::make_unique<Device>(*bank_, type));
}

void DeviceRows::add(const ggml_tensor* node, int layer, const std::vector<const float*>& weights) {
    Device& device = device_of(node);
    device.bring(*bank_, layer);
    const Picked picked = picked_of(weights);
    const auto n_weight = static_cast<std::int64_t>(picked.weights.size());
    Adding& adding = device.adding(layer, node->ne[1], n_weight);
    adding.look_at(node, device.vectors[layer]);
    std::vector<float> sent(n_weight * device.n_emotion, 0.0f);
    for (std::int64_t i = 0; i < n_weight; ++i) {
        std::copy_n(picked.weights[i], bank_->n_emotion(), sent.begin() + i * device.n_emotion);
    }
    ggml_backend_tensor_set(adding.weights, sent.data(), 0, sent.size() * sizeof(float));
    if (adding.picks != nullptr) {
        ggml_backend_tensor_set(adding.picks, picked.rows.data(), 0,
                                picked.rows.size() * sizeof(std::int32_t));
    }
    if (ggml_backend_graph_compute(device.backend.get(), adding.graph) != GGML_STATUS_SUCCESS) {
        throw std::runtime_error(std::string(ggml_backend_name(device.backend.get())) +
                                 " failed to add vectors");
    }
}

}  // namespace llamood

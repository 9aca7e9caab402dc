#include "graph/device_rows.hpp"

#include <ggml.h>

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace llamood {

namespace {

// Shapes of graphs that are kept: of prompts there are as many as there are lengths.
constexpr std::size_t most_shapes = 16;

struct Free {
    void operator()(ggml_context* ctx) const { ggml_free(ctx); }
    void operator()(ggml_backend_t backend) const { ggml_backend_free(backend); }
    void operator()(ggml_backend_buffer_t buffer) const { ggml_backend_buffer_free(buffer); }
};
using Context = std::unique_ptr<ggml_context, Free>;
using Backend = std::unique_ptr<ggml_backend, Free>;
using Buffer = std::unique_ptr<ggml_backend_buffer, Free>;

Context context_of(std::size_t n_tensor) {
    const std::size_t size = n_tensor * ggml_tensor_overhead() + ggml_graph_overhead();
    Context ctx(ggml_init({size, nullptr, true}));
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

// The graph for one number of rows and of weights: sum = rows + vectors * weights, into rows.
struct Adding {
    Context own;       // of what lies in `buffer`
    Context borrowed;  // of what is elsewhere
    Buffer buffer;
    ggml_tensor* weights;  // (n_weight, n_emotion)
    ggml_tensor* blends;   // (n_weight, n_embd)
    ggml_tensor* rows;     // (n_row, n_embd), a node of llama.cpp's
    ggml_tensor* sum;      // a view of rows
    ggml_cgraph* graph;

    Adding(ggml_backend_buffer_type_t type, ggml_tensor* vectors, std::int64_t n_row, int n_weight)
        : own(context_of(2)), borrowed(context_of(2)) {
        weights = ggml_new_tensor_2d(own.get(), GGML_TYPE_F32, vectors->ne[0], n_weight);
        blends = ggml_mul_mat(own.get(), vectors, weights);
        ggml_prec_set_acc(blends, GGML_PREC_F32);
        rows = ggml_new_tensor_2d(borrowed.get(), GGML_TYPE_F32, vectors->ne[1], n_row);
        sum = ggml_add_inplace(borrowed.get(), rows, blends);
        graph = ggml_new_graph_custom(borrowed.get(), GGML_DEFAULT_GRAPH_SIZE, false);
        ggml_build_forward_expand(graph, sum);
        buffer = allocated(own, type);
    }

    void look_at(const ggml_tensor* node, ggml_tensor* vectors) {
        blends->src[0] = vectors;
        for (ggml_tensor* tensor : {rows, sum}) {
            tensor->buffer = nullptr;
            tensor->data = nullptr;
        }
        if (ggml_backend_tensor_alloc(node->buffer, rows, node->data) != GGML_STATUS_SUCCESS ||
            ggml_backend_view_init(sum) != GGML_STATUS_SUCCESS) {
            throw std::runtime_error("the rows cannot be looked at");
        }
    }
};

}  // namespace

struct DeviceRows::Device {
    ggml_backend_buffer_type_t type;
    Backend backend;
    Context ctx;
    Buffer buffer;
    std::vector<ggml_tensor*> vectors;  // (n_layer) of (n_embd, n_emotion)
    std::vector<bool> is_there;         // (n_layer), those that were brought
    std::map<std::pair<std::int64_t, int>, std::unique_ptr<Adding>> addings;

    Device(const Bank& bank, ggml_backend_buffer_type_t buffer_type)
        : type(buffer_type), ctx(context_of(bank.n_layer())), is_there(bank.n_layer(), false) {
        ggml_backend_dev_t device = ggml_backend_buft_get_device(type);
        if (device != nullptr) backend.reset(ggml_backend_dev_init(device, nullptr));
        if (backend == nullptr) {
            throw std::runtime_error("nothing computes where the hidden states lie (" +
                                     std::string(ggml_backend_buft_name(type)) + ")");
        }
        for (int layer = 0; layer < bank.n_layer(); ++layer) {
            vectors.push_back(
                ggml_new_tensor_2d(ctx.get(), GGML_TYPE_F32, bank.n_emotion(), bank.n_embd()));
        }
        buffer = allocated(ctx, type);
    }

    void bring(const Bank& bank, int layer) {
        if (is_there[layer]) return;
        std::vector<float> turned(static_cast<std::size_t>(bank.n_emotion()) * bank.n_embd());
        for (int k = 0; k < bank.n_emotion(); ++k) {
            const float* vector = bank.vector(k, layer);
            for (int i = 0; i < bank.n_embd(); ++i) turned[i * bank.n_emotion() + k] = vector[i];
        }
        ggml_backend_tensor_set(vectors[layer], turned.data(), 0, turned.size() * sizeof(float));
        is_there[layer] = true;
    }

    Adding& adding(int layer, std::int64_t n_row, int n_weight) {
        auto& found = addings[{n_row, n_weight}];
        if (found != nullptr) return *found;
        auto made = std::make_unique<Adding>(type, vectors[layer], n_row, n_weight);
        if (!ggml_backend_supports_op(backend.get(), made->blends) ||
            !ggml_backend_supports_op(backend.get(), made->sum)) {
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

void DeviceRows::add(const ggml_tensor* node, int layer, const std::vector<float>& weights,
                     int n_weight) {
    Device& device = device_of(node);
    device.bring(*bank_, layer);
    Adding& adding = device.adding(layer, node->ne[1], n_weight);
    adding.look_at(node, device.vectors[layer]);
    ggml_backend_tensor_set(adding.weights, weights.data(), 0, weights.size() * sizeof(float));
    if (ggml_backend_graph_compute(device.backend.get(), adding.graph) != GGML_STATUS_SUCCESS) {
        throw std::runtime_error(std::string(ggml_backend_name(device.backend.get())) +
                                 " failed to add vectors");
    }
}

}  // namespace llamood

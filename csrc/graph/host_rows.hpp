// The rows of a node that has been computed, where the host can read them.
#pragma once

#include <ggml-backend.h>
#include <ggml.h>

#include <vector>

namespace llamood {

// F32 rows of the node: its own memory, or a copy in `scratch` where its device's memory is not
// the host's. Valid until the node is computed again or `scratch` changes.
inline const float* host_rows(const ggml_tensor* node, std::vector<float>& scratch) {
    if (ggml_backend_buffer_is_host(node->buffer)) return static_cast<const float*>(node->data);
    scratch.resize(static_cast<std::size_t>(ggml_nelements(node)));
    ggml_backend_tensor_get(node, scratch.data(), 0, scratch.size() * sizeof(float));
    return scratch.data();
}

}  // namespace llamood

// Adds blends to rows that lie on a device whose memory the host cannot write: a small graph is
// computed on that device, and the rows are never copied.
//
// Relied on here (llama.cpp 0c1e570):
// - A buffer's type names its device, and a backend made for that device computes on whatever
//   buffers lie there, also those of another backend of the same device.
// - A tensor is at home where `buffer` and `data` say, so one small graph serves every layer: it is
//   made to look at this layer's rows and vectors before it is computed.
// - mul_mat of F32 is as exact as the device makes it, whatever precision is asked for: Vulkan's
//   rounds both factors to half precision, and CUDA's may round them to TF32, where the second has
//   many columns. Vulkan's kernels for up to 8 of them compute with F32; so do CUDA's for up to 3,
//   if the sums are of an even number of terms. So a product never has more than 8 columns here:
//   each mood of a batch is blended once, of more moods there are more products, and emotions are
//   filled up by zeros to a multiple of 8. That lets each product begin where a device's buffers
//   may be bound, too.
// - A row of F32 that get_rows brings is what it was, to the bit.
// - The RPC backend sends a graph with all that its tensors were computed from, so the rows are a
//   leaf of their own and not the node of llama.cpp's graph. It sends a graph anew unless its uid
//   is that of the one before; graphs made here have none, so neither is taken for the other.
#pragma once

#include <ggml-backend.h>

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "vectors/bank.hpp"

namespace llamood {

class DeviceRows {
  public:
    // The bank's vectors go to the device once, with the first add(), in the layers that are
    // added to.
    explicit DeviceRows(std::shared_ptr<const Bank> bank);
    ~DeviceRows();
    DeviceRows(const DeviceRows&) = delete;
    DeviceRows& operator=(const DeviceRows&) = delete;

    // node (n_row, n_embd) += the bank's vectors of a layer, times weights[i] (n_emotion) in row i;
    // (n_row) of them, or one for all rows. Rows whose weights are the same array share their
    // blend. Returns when it is done. Throws std::runtime_error where the device cannot do that.
    void add(const ggml_tensor* node, int layer, const std::vector<const float*>& weights);

    const std::shared_ptr<const Bank>& bank() const { return bank_; }

  private:
    struct Device;
    Device& device_of(const ggml_tensor* node);

    std::shared_ptr<const Bank> bank_;
    std::map<ggml_backend_buffer_type_t, std::unique_ptr<Device>> devices_;
};

}  // namespace llamood

#include "vectors/fingerprint.hpp"

#include <ggml-cpp.h>
#include <gguf.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <stdexcept>
#include <vector>

namespace llamood {

namespace {

// FNV-1a, 64 bit, in two lanes of different offset: identity, not security.
class Digest {
  public:
    void add(const void* data, std::size_t size) {
        const auto* bytes = static_cast<const unsigned char*>(data);
        for (std::size_t i = 0; i < size; ++i) {
            for (std::uint64_t& lane : lanes_) lane = (lane ^ bytes[i]) * 0x100000001b3ULL;
        }
    }
    void add(const std::string& text) { add(text.data(), text.size() + 1); }

    std::string hex() const {
        std::array<char, 33> text{};
        std::snprintf(text.data(), text.size(), "%016llx%016llx",
                      static_cast<unsigned long long>(lanes_[0]),
                      static_cast<unsigned long long>(lanes_[1]));
        return text.data();
    }

  private:
    std::array<std::uint64_t, 2> lanes_{0xcbf29ce484222325ULL, 0x9e3779b97f4a7c15ULL};
};

std::string number(const gguf_context* gguf, const std::string& key) {
    const std::int64_t id = gguf_find_key(gguf, key.c_str());
    if (id < 0 || gguf_get_kv_type(gguf, id) != GGUF_TYPE_UINT32) return "?";
    return std::to_string(gguf_get_val_u32(gguf, id));
}

void add_first_norm(Digest& digest, const gguf_context* gguf, const std::string& path) {
    for (const char* name : {"blk.0.attn_norm.weight", "output_norm.weight"}) {
        const std::int64_t id = gguf_find_tensor(gguf, name);
        if (id < 0 || gguf_get_tensor_type(gguf, id) != GGML_TYPE_F32) continue;
        std::vector<char> bytes(gguf_get_tensor_size(gguf, id));
        std::ifstream file(path, std::ios::binary);
        file.seekg(static_cast<std::streamoff>(gguf_get_data_offset(gguf) +
                                               gguf_get_tensor_offset(gguf, id)));
        if (!file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()))) {
            throw std::invalid_argument(path + ": the file ends before its tensors do");
        }
        digest.add(bytes.data(), bytes.size());
        return;
    }
}

}  // namespace

std::string fingerprint(const std::string& path) {
    const gguf_init_params params{/*no_alloc=*/true, /*ctx=*/nullptr};
    const gguf_context_ptr gguf(gguf_init_from_file(path.c_str(), params));
    const std::int64_t arch_id = gguf ? gguf_find_key(gguf.get(), "general.architecture") : -1;
    if (arch_id < 0 || gguf_get_kv_type(gguf.get(), arch_id) != GGUF_TYPE_STRING) {
        throw std::invalid_argument(path + ": not a GGUF model file");
    }
    const std::string arch = gguf_get_val_str(gguf.get(), arch_id);
    Digest digest;
    digest.add(arch);
    digest.add(number(gguf.get(), arch + ".block_count"));
    digest.add(number(gguf.get(), arch + ".embedding_length"));
    const std::int64_t tokens = gguf_find_key(gguf.get(), "tokenizer.ggml.tokens");
    digest.add(tokens < 0 ? "?" : std::to_string(gguf_get_arr_n(gguf.get(), tokens)));
    add_first_norm(digest, gguf.get(), path);
    return digest.hex();
}

}  // namespace llamood

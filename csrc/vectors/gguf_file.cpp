#include "vectors/gguf_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace llamood {

GgufFile::GgufFile(std::filesystem::path path) : path_(std::move(path)) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path_, error)) refuse("is not there, or is no file");
    ggml_context* tensors = nullptr;
    gguf_.reset(gguf_init_from_file(path_.u8string().c_str(), {/*no_alloc=*/true, &tensors}));
    tensors_.reset(tensors);
    if (gguf_ == nullptr) refuse("is no GGUF file, or a broken one");
}

void GgufFile::refuse(const std::string& fault) const {
    throw std::invalid_argument(path_.u8string() + ": " + fault);
}

// -1 where there is no such key.
std::int64_t GgufFile::find(const std::string& key, gguf_type type) const {
    const std::int64_t id = gguf_find_key(gguf_.get(), key.c_str());
    if (id < 0 || gguf_get_kv_type(gguf_.get(), id) == type) return id;
    refuse(key + " is " + gguf_type_name(gguf_get_kv_type(gguf_.get(), id)) + ", expected " +
           gguf_type_name(type));
}

std::int64_t GgufFile::find_array(const std::string& key, gguf_type type) const {
    const std::int64_t id = find(key, GGUF_TYPE_ARRAY);
    if (id < 0 || gguf_get_arr_type(gguf_.get(), id) == type) return id;
    refuse(key + " holds " + gguf_type_name(gguf_get_arr_type(gguf_.get(), id)) + ", expected " +
           gguf_type_name(type));
}

std::optional<std::string> GgufFile::text(const std::string& key) const {
    const std::int64_t id = find(key, GGUF_TYPE_STRING);
    if (id < 0) return std::nullopt;
    return gguf_get_val_str(gguf_.get(), id);
}

std::optional<double> GgufFile::number(const std::string& key) const {
    const std::int64_t id = find(key, GGUF_TYPE_FLOAT64);
    if (id < 0) return std::nullopt;
    return gguf_get_val_f64(gguf_.get(), id);
}

std::optional<std::uint32_t> GgufFile::whole(const std::string& key) const {
    const std::int64_t id = find(key, GGUF_TYPE_UINT32);
    if (id < 0) return std::nullopt;
    return gguf_get_val_u32(gguf_.get(), id);
}

std::optional<std::int32_t> GgufFile::integer(const std::string& key) const {
    const std::int64_t id = find(key, GGUF_TYPE_INT32);
    if (id < 0) return std::nullopt;
    return gguf_get_val_i32(gguf_.get(), id);
}

template <class T>
std::optional<std::vector<T>> GgufFile::array(const std::string& key, gguf_type type) const {
    const std::int64_t id = find_array(key, type);
    if (id < 0) return std::nullopt;
    const auto* values = static_cast<const T*>(gguf_get_arr_data(gguf_.get(), id));
    return std::vector<T>(values, values + gguf_get_arr_n(gguf_.get(), id));
}

std::optional<std::vector<float>> GgufFile::numbers(const std::string& key) const {
    return array<float>(key, GGUF_TYPE_FLOAT32);
}

std::optional<std::vector<double>> GgufFile::doubles(const std::string& key) const {
    return array<double>(key, GGUF_TYPE_FLOAT64);
}

std::optional<std::vector<std::int32_t>> GgufFile::integers(const std::string& key) const {
    return array<std::int32_t>(key, GGUF_TYPE_INT32);
}

std::optional<std::vector<std::string>> GgufFile::texts(const std::string& key) const {
    const std::int64_t id = find_array(key, GGUF_TYPE_STRING);
    if (id < 0) return std::nullopt;
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < gguf_get_arr_n(gguf_.get(), id); ++i) {
        texts.emplace_back(gguf_get_arr_str(gguf_.get(), id, i));
    }
    return texts;
}

int GgufFile::n_tensor() const {
    return static_cast<int>(gguf_get_n_tensors(gguf_.get()));
}

std::string GgufFile::tensor_name(int i) const {
    return gguf_get_tensor_name(gguf_.get(), i);
}

std::vector<std::int64_t> GgufFile::shape(const std::string& name) const {
    const ggml_tensor* tensor = ggml_get_tensor(tensors_.get(), name.c_str());
    if (tensor == nullptr) return {};
    std::vector<std::int64_t> shape(tensor->ne, tensor->ne + ggml_n_dims(tensor));
    std::reverse(shape.begin(), shape.end());
    return shape;
}

std::vector<float> GgufFile::read(const std::string& name) const {
    const std::int64_t id = gguf_find_tensor(gguf_.get(), name.c_str());
    if (id < 0) refuse(name + " is missing");
    if (gguf_get_tensor_type(gguf_.get(), id) != GGML_TYPE_F32) refuse(name + " is not F32");
    std::ifstream file(path_, std::ios::binary);
    const auto begin = static_cast<std::streamoff>(gguf_get_data_offset(gguf_.get()) +
                                                   gguf_get_tensor_offset(gguf_.get(), id));
    const std::size_t n_byte = gguf_get_tensor_size(gguf_.get(), id);
    file.seekg(0, std::ios::end);
    if (file.tellg() - begin < static_cast<std::streamoff>(n_byte)) {
        refuse("ends before " + name + " does");
    }
    file.seekg(begin);
    std::vector<float> values(n_byte / sizeof(float));
    file.read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(n_byte));
    if (!file) refuse(name + " cannot be read");
    if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); })) {
        refuse(name + " has NaN or infinity in it");
    }
    return values;
}

}  // namespace llamood

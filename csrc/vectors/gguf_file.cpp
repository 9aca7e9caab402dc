#include "vectors/gguf_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <utility>

namespace llamood {

namespace {

// The bytes are of a whole number of T: their number came of it.
template <class T>
std::vector<T> numbers_in(const std::vector<char>& bytes) {
    std::vector<T> numbers(bytes.size() / sizeof(T));
    if (!numbers.empty()) std::memcpy(numbers.data(), bytes.data(), numbers.size() * sizeof(T));
    return numbers;
}

}  // namespace

GgufFile::GgufFile(std::filesystem::path path) : header_(std::move(path)) {
    header_.require_order();
}

// Null where there is no such key.
const GgufHeader::Value* GgufFile::find(const std::string& key, gguf_type type) const {
    const GgufHeader::Value* value = header_.value(key);
    if (value == nullptr || value->type == type) return value;
    refuse(key + " is " + gguf_type_name(value->type) + ", expected " + gguf_type_name(type));
}

const GgufHeader::Value* GgufFile::find_array(const std::string& key, gguf_type type) const {
    const GgufHeader::Value* value = find(key, GGUF_TYPE_ARRAY);
    if (value == nullptr || value->element == type) return value;
    refuse(key + " holds " + gguf_type_name(value->element) + ", expected " + gguf_type_name(type));
}

template <class T>
std::optional<T> GgufFile::scalar(const std::string& key, gguf_type type) const {
    const GgufHeader::Value* value = find(key, type);
    if (value == nullptr) return std::nullopt;
    return numbers_in<T>(header_.bytes(value->begin, value->end)).front();
}

std::optional<std::string> GgufFile::text(const std::string& key) const {
    const GgufHeader::Value* value = find(key, GGUF_TYPE_STRING);
    if (value == nullptr) return std::nullopt;
    return header_.text(*value);
}

std::optional<double> GgufFile::number(const std::string& key) const {
    return scalar<double>(key, GGUF_TYPE_FLOAT64);
}

bool GgufFile::is_whole(const std::string& key) const {
    const GgufHeader::Value* value = header_.value(key);
    return value != nullptr && value->type == GGUF_TYPE_UINT32;
}

std::optional<std::uint32_t> GgufFile::whole(const std::string& key) const {
    return scalar<std::uint32_t>(key, GGUF_TYPE_UINT32);
}

std::optional<std::int32_t> GgufFile::integer(const std::string& key) const {
    return scalar<std::int32_t>(key, GGUF_TYPE_INT32);
}

template <class T>
std::optional<std::vector<T>> GgufFile::array(const std::string& key, gguf_type type) const {
    const GgufHeader::Value* value = find_array(key, type);
    if (value == nullptr) return std::nullopt;
    return numbers_in<T>(header_.bytes(value->begin, value->end));
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
    const GgufHeader::Value* value = find_array(key, GGUF_TYPE_STRING);
    if (value == nullptr) return std::nullopt;
    return header_.texts(*value);
}

int GgufFile::n_tensor() const {
    return static_cast<int>(header_.tensors().size());
}

std::string GgufFile::tensor_name(int i) const {
    return header_.tensors()[i].name;
}

std::vector<std::int64_t> GgufFile::shape(const std::string& name) const {
    const GgufHeader::Tensor* tensor = header_.tensor(name);
    if (tensor == nullptr) return {};
    std::vector<std::int64_t> shape = tensor->shape;
    while (shape.size() > 1 && shape.front() == 1) shape.erase(shape.begin());
    if (shape.empty()) shape.push_back(1);  // a single number
    return shape;
}

std::vector<float> GgufFile::read(const std::string& name) const {
    const GgufHeader::Tensor* tensor = header_.tensor(name);
    if (tensor == nullptr) refuse(name + " is missing");
    if (tensor->type != GGML_TYPE_F32) refuse(name + " is not F32");
    std::vector<float> values = numbers_in<float>(header_.data(*tensor));
    if (!std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); })) {
        refuse(name + " has NaN or infinity in it");
    }
    return values;
}

}  // namespace llamood

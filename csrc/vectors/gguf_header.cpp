#include "vectors/gguf_header.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <utility>

namespace llamood {

namespace {

constexpr std::uint64_t default_alignment = 32;
constexpr std::uint64_t largest_alignment = 1 << 20;
constexpr std::uint64_t far = 1 << 16;  // bytes, beyond which a jump is cheaper than reading on
constexpr std::uint32_t most_dimensions = 4;
constexpr std::uint64_t smallest_key = 13;     // bytes: its length, its type, a value of one
constexpr std::uint64_t smallest_tensor = 24;  // bytes: its length, dimensions, type and offset

// Bytes; 0 for what has no size of its own.
std::uint64_t size_of(gguf_type type) {
    switch (type) {
        case GGUF_TYPE_UINT8:
        case GGUF_TYPE_INT8:
        case GGUF_TYPE_BOOL:
            return 1;
        case GGUF_TYPE_UINT16:
        case GGUF_TYPE_INT16:
            return 2;
        case GGUF_TYPE_UINT32:
        case GGUF_TYPE_INT32:
        case GGUF_TYPE_FLOAT32:
            return 4;
        case GGUF_TYPE_UINT64:
        case GGUF_TYPE_INT64:
        case GGUF_TYPE_FLOAT64:
            return 8;
        default:
            return 0;
    }
}

}  // namespace

// Takes values from the front of the file, none that it has not got.
class GgufHeader::Take {
  public:
    explicit Take(const GgufHeader& header)
        : header_(header), file_(header.path_, std::ios::binary) {}

    std::uint64_t position() const { return position_; }

    template <class T>
    T number() {
        T number{};
        require(sizeof number);
        file_.read(reinterpret_cast<char*>(&number), sizeof number);
        advance(sizeof number);
        return number;
    }

    // How many of what takes at least so many bytes each.
    std::uint64_t count(std::uint64_t smallest) {
        const auto n = number<std::uint64_t>();
        if (n > left() / smallest) {
            header_.refuse("is cut off or damaged: it says that " + std::to_string(n) +
                           " things follow, and has " + std::to_string(left()) + " bytes left");
        }
        return n;
    }

    // Of a value. What is no such number may not even be held as a gguf_type.
    gguf_type type() {
        const auto found = number<std::uint32_t>();
        if (found >= GGUF_TYPE_COUNT) header_.refuse("has a key of unknown type");
        return static_cast<gguf_type>(found);
    }

    std::string text() {
        std::string text(count(1), '\0');
        file_.read(text.data(), static_cast<std::streamsize>(text.size()));
        advance(text.size());
        return text;
    }

    void skip(std::uint64_t n) {
        require(n);
        if (n < far) {
            file_.ignore(static_cast<std::streamsize>(n));
        } else {
            file_.seekg(static_cast<std::streamoff>(n), std::ios::cur);
        }
        advance(n);
    }

  private:
    std::uint64_t left() const { return header_.size_ - position_; }

    void require(std::uint64_t n) const {
        if (n > left()) header_.refuse("is cut off: it ends in the middle of its keys or tensors");
    }

    void advance(std::uint64_t n) {
        if (!file_) header_.refuse("cannot be read, or changed while it was");
        position_ += n;
    }

    const GgufHeader& header_;
    std::ifstream file_;
    std::uint64_t position_ = 0;
};

GgufHeader::GgufHeader(std::filesystem::path path) : path_(std::move(path)) {
    std::error_code error;
    if (!std::filesystem::is_regular_file(path_, error)) refuse("is not there, or is no file");
    size_ = std::filesystem::file_size(path_, error);
    if (error) refuse("cannot be read: " + error.message());
    Take take(*this);
    if (size_ < 4 || take.number<std::uint32_t>() != 0x46554747) refuse("is no GGUF file");  // GGUF
    const auto version = take.number<std::uint32_t>();
    if (version != 2 && version != 3) {
        refuse("has GGUF version " + std::to_string(version) +
               ", expected 2 or 3 (and little-endian)");
    }
    const std::uint64_t n_tensor = take.count(smallest_tensor);
    const std::uint64_t n_key = take.count(smallest_key);
    for (std::uint64_t i = 0; i < n_key; ++i) {
        std::string key = take.text();
        const Value value = take_value(take);
        if (!values_.emplace(std::move(key), value).second) refuse("has a key twice");
    }
    for (std::uint64_t i = 0; i < n_tensor; ++i) {
        tensors_.push_back(take_tensor(take));
        if (!places_.emplace(tensors_.back().name, i).second) refuse("has a tensor twice");
    }
    const std::uint64_t step = alignment();
    const std::uint64_t start = (take.position() + step - 1) / step * step;
    for (Tensor& tensor : tensors_) {
        if (tensor.begin % step != 0 || tensor.begin > UINT64_MAX - start) {
            refuse("has a tensor that begins nowhere");
        }
        tensor.begin += start;
    }
}

GgufHeader::Value GgufHeader::take_value(Take& take) const {
    Value value{take.type(), GGUF_TYPE_COUNT, 1, 0, 0};
    if (value.type == GGUF_TYPE_ARRAY) value.element = take.type();
    const gguf_type type = value.type == GGUF_TYPE_ARRAY ? value.element : value.type;
    const std::uint64_t size = size_of(type);
    if (size == 0 && type != GGUF_TYPE_STRING) refuse("has a list of lists");
    // A text takes at least its length.
    if (value.type == GGUF_TYPE_ARRAY) value.n = take.count(size == 0 ? 8 : size);
    value.begin = take.position();
    if (size == 0) {
        for (std::uint64_t i = 0; i < value.n; ++i) take.skip(take.count(1));
    } else {
        take.skip(value.n * size);
    }
    value.end = take.position();
    return value;
}

GgufHeader::Tensor GgufHeader::take_tensor(Take& take) const {
    Tensor tensor{take.text(), {}, 0, 0};
    const auto n_dimension = take.number<std::uint32_t>();
    if (n_dimension > most_dimensions) refuse("has a tensor of more than 4 dimensions");
    std::int64_t n_left = INT64_MAX;
    for (std::uint32_t i = 0; i < n_dimension; ++i) {
        tensor.shape.push_back(take.number<std::int64_t>());
        if (tensor.shape.back() < 0 || tensor.shape.back() > n_left) {
            refuse("has a tensor of impossible size");
        }
        n_left /= std::max<std::int64_t>(tensor.shape.back(), 1);
    }
    std::reverse(tensor.shape.begin(), tensor.shape.end());
    tensor.type = take.number<std::int32_t>();
    tensor.begin = take.number<std::uint64_t>();
    return tensor;
}

std::uint64_t GgufHeader::alignment() const {
    const std::uint64_t found = whole("general.alignment", default_alignment);
    const bool is_power = found != 0 && (found & (found - 1)) == 0;
    if (!is_power || found > largest_alignment) {
        refuse("general.alignment is " + std::to_string(found) + ", expected a power of two");
    }
    return found;
}

const GgufHeader::Value* GgufHeader::value(const std::string& key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? nullptr : &found->second;
}

const GgufHeader::Tensor* GgufHeader::tensor(const std::string& name) const {
    const auto found = places_.find(name);
    return found == places_.end() ? nullptr : &tensors_[found->second];
}

std::vector<char> GgufHeader::bytes(std::uint64_t begin, std::uint64_t end) const {
    if (begin > end || end > size_) refuse("ends before its tensors do");
    std::vector<char> bytes(end - begin);
    std::ifstream file(path_, std::ios::binary);
    file.seekg(static_cast<std::streamoff>(begin));
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!file) refuse("cannot be read, or changed while it was");
    return bytes;
}

std::string GgufHeader::text(const Value& value) const {
    const std::vector<char> found = bytes(value.begin + 8, value.end);  // after its length
    return {found.begin(), found.end()};
}

std::vector<std::string> GgufHeader::texts(const Value& value) const {
    const std::vector<char> found = bytes(value.begin, value.end);
    std::vector<std::string> texts;
    std::size_t at = 0;
    for (std::uint64_t i = 0; i < value.n; ++i) {
        std::uint64_t length = 0;
        if (found.size() - at < sizeof length) refuse("changed while it was read");
        std::memcpy(&length, found.data() + at, sizeof length);
        at += sizeof length;
        if (found.size() - at < length) refuse("changed while it was read");
        texts.emplace_back(found.data() + at, length);
        at += length;
    }
    return texts;
}

std::uint64_t GgufHeader::whole(const std::string& key, std::uint64_t otherwise) const {
    const Value* found = value(key);
    if (found == nullptr) return otherwise;
    constexpr std::array types{GGUF_TYPE_UINT8, GGUF_TYPE_UINT16, GGUF_TYPE_UINT32,
                               GGUF_TYPE_UINT64};
    if (std::find(types.begin(), types.end(), found->type) == types.end()) {
        refuse(key + " is no whole number of 0 or more");
    }
    std::uint64_t number = 0;
    const std::vector<char> little_endian = bytes(found->begin, found->end);
    std::memcpy(&number, little_endian.data(), little_endian.size());
    return number;
}

std::uint64_t GgufHeader::end(const Tensor& tensor) const {
    std::uint64_t n = sizeof(float);
    for (const std::int64_t length : tensor.shape) {
        const auto width = static_cast<std::uint64_t>(length);
        if (width != 0 && n > size_ / width) refuse("ends before its tensors do");
        n *= width;
    }
    if (tensor.begin > size_ || n > size_ - tensor.begin) refuse("ends before its tensors do");
    return tensor.begin + n;
}

std::vector<char> GgufHeader::data(const Tensor& tensor) const {
    return bytes(tensor.begin, end(tensor));
}

void GgufHeader::require_order() const {
    const std::uint64_t step = alignment();
    for (std::size_t i = 0; i + 1 < tensors_.size(); ++i) {
        if (tensors_[i].type != GGML_TYPE_F32) continue;
        if (tensors_[i + 1].begin != (end(tensors_[i]) + step - 1) / step * step) {
            refuse("its tensors overlap, or leave gaps between them");
        }
    }
}

void GgufHeader::refuse(const std::string& fault) const {
    throw std::invalid_argument(path_.u8string() + ": " + fault);
}

}  // namespace llamood

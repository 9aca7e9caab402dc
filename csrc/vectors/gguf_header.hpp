// The keys of a GGUF file and the list of its tensors, of a file that nobody vouches for.
//
// ggml's own reader believes the counts in a file, and compares each name with all before it. Here
// every count is held against the bytes that are left before anything is made of that size, and
// names are looked up: time and memory are bounded by what the file has, whatever it says.
#pragma once

#include <ggml.h>
#include <gguf.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

namespace llamood {

class GgufHeader {
  public:
    // Where the value of a key lies, in bytes from the start of the file. element: of an array;
    // n: its elements, or 1.
    struct Value {
        gguf_type type;
        gguf_type element;
        std::uint64_t n;
        std::uint64_t begin;
        std::uint64_t end;
    };
    // shape: the slowest dimension first. type: a ggml_type, or a number that is none. begin: in
    // bytes from the start of the file.
    struct Tensor {
        std::string name;
        std::vector<std::int64_t> shape;
        std::int32_t type;
        std::uint64_t begin;
    };

    // Everything here throws std::invalid_argument, naming the file, for what is missing or broken.
    explicit GgufHeader(std::filesystem::path path);

    const std::filesystem::path& path() const { return path_; }
    // Null where there is none.
    const Value* value(const std::string& key) const;
    const Tensor* tensor(const std::string& name) const;
    const std::vector<Tensor>& tensors() const { return tensors_; }

    // These bytes of the file.
    std::vector<char> bytes(std::uint64_t begin, std::uint64_t end) const;
    // Of a value of type string.
    std::string text(const Value& value) const;
    // Of an array of strings.
    std::vector<std::string> texts(const Value& value) const;
    // Of an unsigned value of any width; `otherwise` where there is no such key.
    std::uint64_t whole(const std::string& key, std::uint64_t otherwise) const;
    // The data of a tensor of type F32, whatever its numbers are.
    std::vector<char> data(const Tensor& tensor) const;
    // Throws unless each tensor of type F32 ends where the next begins, as llama.cpp asks.
    void require_order() const;

    [[noreturn]] void refuse(const std::string& fault) const;

  private:
    class Take;

    Value take_value(Take& take) const;
    Tensor take_tensor(Take& take) const;
    std::uint64_t alignment() const;
    // Where the data of a tensor of type F32 ends, which lies in the file.
    std::uint64_t end(const Tensor& tensor) const;

    std::filesystem::path path_;
    std::uint64_t size_ = 0;
    std::unordered_map<std::string, Value> values_;
    std::vector<Tensor> tensors_;
    std::unordered_map<std::string, std::size_t> places_;  // of tensors, by name
};

}  // namespace llamood

// A GGUF file of llamood's that was written by whoever: keys and F32 tensors, each checked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "vectors/gguf_header.hpp"

namespace llamood {

class GgufFile {
  public:
    // Everything here throws std::invalid_argument, naming the file, for what is missing, broken
    // or of another type than it says. Nothing of the tensors is read before it is asked for.
    explicit GgufFile(std::filesystem::path path);

    // None where there is no such key.
    std::optional<std::string> text(const std::string& key) const;
    std::optional<double> number(const std::string& key) const;
    // Whether there is such a key, of type uint32, as other writers may have it otherwise.
    bool is_whole(const std::string& key) const;
    std::optional<std::uint32_t> whole(const std::string& key) const;
    std::optional<std::int32_t> integer(const std::string& key) const;
    std::optional<std::vector<float>> numbers(const std::string& key) const;
    std::optional<std::vector<double>> doubles(const std::string& key) const;
    std::optional<std::vector<std::int32_t>> integers(const std::string& key) const;
    std::optional<std::vector<std::string>> texts(const std::string& key) const;

    int n_tensor() const;
    std::string tensor_name(int i) const;
    // Its dimensions, the slowest first, without those of size 1 before it; empty where there is no
    // such tensor.
    std::vector<std::int64_t> shape(const std::string& name) const;
    // Its numbers, which are finite.
    std::vector<float> read(const std::string& name) const;

    [[noreturn]] void refuse(const std::string& fault) const { header_.refuse(fault); }

  private:
    const GgufHeader::Value* find(const std::string& key, gguf_type type) const;
    const GgufHeader::Value* find_array(const std::string& key, gguf_type type) const;
    template <class T>
    std::optional<T> scalar(const std::string& key, gguf_type type) const;
    template <class T>
    std::optional<std::vector<T>> array(const std::string& key, gguf_type type) const;

    GgufHeader header_;
};

}  // namespace llamood

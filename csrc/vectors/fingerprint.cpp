#include "vectors/fingerprint.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <stdexcept>
#include <vector>

#include "vectors/gguf_header.hpp"

namespace llamood {

namespace fs = std::filesystem;

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

// A number that another type than this says is not known.
std::string number(const GgufHeader& file, const std::string& key) {
    const GgufHeader::Value* value = file.value(key);
    if (value == nullptr || value->type != GGUF_TYPE_UINT32) return "?";
    return std::to_string(file.whole(key, 0));
}

std::string n_token(const GgufHeader& file) {
    const GgufHeader::Value* tokens = file.value("tokenizer.ggml.tokens");
    if (tokens == nullptr) return "?";
    if (tokens->type != GGUF_TYPE_ARRAY) file.refuse("its tokens are no list");
    return std::to_string(tokens->n);
}

// Where part `i` of `n` of a model lies whose first part is at `first`: llama.cpp's names.
fs::path path_of_part(const GgufHeader& first, std::uint64_t i, std::uint64_t n) {
    const auto ending = [n](std::uint64_t part) {
        std::array<char, 64> text{};
        std::snprintf(text.data(), text.size(), "-%05llu-of-%05llu.gguf",
                      static_cast<unsigned long long>(part + 1),
                      static_cast<unsigned long long>(n));
        return std::string(text.data());
    };
    const std::string own = ending(0);
    std::string name = first.path().filename().u8string();
    if (name.size() < own.size() || name.substr(name.size() - own.size()) != own) {
        first.refuse("is a part of a model in " + std::to_string(n) +
                     " files, and is not called as its first one, ..." + own +
                     ": name that one, and leave the names as they were");
    }
    name.replace(name.size() - own.size(), own.size(), ending(i));
    return first.path().parent_path() / fs::u8path(name);
}

// The file, and the others of a model that was split into several.
std::vector<GgufHeader> parts_of(const fs::path& path) {
    std::vector<GgufHeader> parts;
    parts.emplace_back(path);
    const std::uint64_t n = parts.front().whole("split.count", 1);
    for (std::uint64_t i = 0; n > 1 && i < n; ++i) {
        const fs::path part = path_of_part(parts.front(), i, n);
        if (i > 0) parts.emplace_back(part);
        const GgufHeader& last = parts.back();
        if (last.whole("split.no", n) != i || last.whole("split.count", n) != n) {
            last.refuse("does not say that it is part " + std::to_string(i + 1) + " of " +
                        std::to_string(n) + " of the model; get the files again");
        }
    }
    return parts;
}

void add_first_norm(Digest& digest, const std::vector<GgufHeader>& parts) {
    for (const char* name : {"blk.0.attn_norm.weight", "output_norm.weight"}) {
        for (const GgufHeader& part : parts) {
            const GgufHeader::Tensor* norm = part.tensor(name);
            if (norm == nullptr || norm->type != GGML_TYPE_F32) continue;
            const std::vector<char> bytes = part.data(*norm);
            digest.add(bytes.data(), bytes.size());
            return;
        }
    }
}

std::string of_model(const fs::path& path) {
    const std::vector<GgufHeader> parts = parts_of(path);
    const GgufHeader& first = parts.front();
    const GgufHeader::Value* architecture = first.value("general.architecture");
    if (architecture == nullptr || architecture->type != GGUF_TYPE_STRING) {
        first.refuse("does not say of which architecture it is");
    }
    const std::string arch = first.text(*architecture);
    Digest digest;
    digest.add(arch);
    digest.add(number(first, arch + ".block_count"));
    digest.add(number(first, arch + ".embedding_length"));
    digest.add(n_token(first));
    add_first_norm(digest, parts);
    return digest.hex();
}

}  // namespace

std::string fingerprint(const std::string& path) {
    try {
        return of_model(fs::u8path(path));
    } catch (const std::invalid_argument& fault) {
        throw std::invalid_argument("not a GGUF model file, or not all of one: " +
                                    std::string(fault.what()));
    }
}

}  // namespace llamood

// BLAKE2b (RFC 7693) without a key: what is equal is known by it, also in another process, and as
// Python's hashlib.blake2b knows it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace llamood {

class Blake2b {
  public:
    // n_digest: 1 to 64 bytes. person: at most 16 bytes, which tell apart what it is used for.
    explicit Blake2b(std::size_t n_digest, const std::string& person = {});

    void add(const void* data, std::size_t size);
    void add(const std::string& bytes) { add(bytes.data(), bytes.size()); }

    // Of all that was added; nothing may be added any more.
    std::string digest();
    // The same in hexadecimal digits.
    std::string hex();

  private:
    static constexpr std::size_t block_size = 128;

    void compress(bool is_last);

    std::size_t n_digest_;
    std::array<std::uint64_t, 8> state_;
    std::array<unsigned char, block_size> block_{};
    std::size_t n_block_ = 0;      // bytes of the block that are there
    std::uint64_t n_counted_ = 0;  // bytes that were compressed
};

}  // namespace llamood

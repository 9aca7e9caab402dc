#include "vectors/blake2b.hpp"

#include <algorithm>
#include <cstring>

namespace llamood {

namespace {

constexpr std::array<std::uint64_t, 8> beginning = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};

constexpr unsigned char order[10][16] = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
                                         {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
                                         {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
                                         {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
                                         {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
                                         {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
                                         {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
                                         {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
                                         {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
                                         {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};
constexpr int n_round = 12;

std::uint64_t little(const unsigned char* bytes) {
    std::uint64_t word = 0;
    for (int i = 7; i >= 0; --i) word = word << 8 | bytes[i];
    return word;
}

std::uint64_t turned(std::uint64_t word, int n) {
    return word >> n | word << (64 - n);
}

void mix(std::array<std::uint64_t, 16>& v, int a, int b, int c, int d, std::uint64_t x,
         std::uint64_t y) {
    v[a] += v[b] + x;
    v[d] = turned(v[d] ^ v[a], 32);
    v[c] += v[d];
    v[b] = turned(v[b] ^ v[c], 24);
    v[a] += v[b] + y;
    v[d] = turned(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = turned(v[b] ^ v[c], 63);
}

}  // namespace

Blake2b::Blake2b(std::size_t n_digest, const std::string& person)
    : n_digest_(n_digest), state_(beginning) {
    std::array<unsigned char, 64> parameters{};
    parameters[0] = static_cast<unsigned char>(n_digest);
    parameters[2] = parameters[3] = 1;  // one leaf of a tree of one level
    std::copy_n(person.begin(), std::min<std::size_t>(person.size(), 16), parameters.begin() + 48);
    for (std::size_t i = 0; i < state_.size(); ++i) state_[i] ^= little(parameters.data() + 8 * i);
}

void Blake2b::add(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const unsigned char*>(data);
    while (size > 0) {
        if (n_block_ == block_size) {  // the last block is kept until it is known to be the last
            compress(false);
        }
        const std::size_t n = std::min(size, block_size - n_block_);
        std::memcpy(block_.data() + n_block_, bytes, n);
        n_block_ += n;
        bytes += n;
        size -= n;
    }
}

std::string Blake2b::hex() {
    constexpr const char* digits = "0123456789abcdef";
    std::string hex;
    for (const char each : digest()) {
        const auto byte = static_cast<unsigned char>(each);
        hex += {digits[byte >> 4], digits[byte & 15]};
    }
    return hex;
}

std::string Blake2b::digest() {
    std::fill(block_.begin() + static_cast<std::ptrdiff_t>(n_block_), block_.end(), 0);
    compress(true);
    std::string digest;
    for (std::size_t i = 0; i < n_digest_; ++i) {
        digest.push_back(static_cast<char>(state_[i / 8] >> 8 * (i % 8) & 0xff));
    }
    return digest;
}

void Blake2b::compress(bool is_last) {
    n_counted_ += n_block_;
    n_block_ = 0;
    std::array<std::uint64_t, 16> m{};
    for (std::size_t i = 0; i < m.size(); ++i) m[i] = little(block_.data() + 8 * i);
    std::array<std::uint64_t, 16> v{};
    std::copy(state_.begin(), state_.end(), v.begin());
    std::copy(beginning.begin(), beginning.end(), v.begin() + 8);
    v[12] ^= n_counted_;
    if (is_last) v[14] = ~v[14];
    for (int round = 0; round < n_round; ++round) {
        const unsigned char* s = order[round % 10];
        for (int i = 0; i < 4; ++i) {
            mix(v, i, 4 + i, 8 + i, 12 + i, m[s[2 * i]], m[s[2 * i + 1]]);
        }
        for (int i = 0; i < 4; ++i) {
            mix(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, m[s[8 + 2 * i]],
                m[s[9 + 2 * i]]);
        }
    }
    for (std::size_t i = 0; i < state_.size(); ++i) state_[i] ^= v[i] ^ v[i + 8];
}

}  // namespace llamood

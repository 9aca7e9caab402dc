#include "voices/likelihood.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>

namespace llamood {

namespace {

// So many numbers side by side, in loops that compilers make vectors of: not of std::max, whose
// references keep them from it, nor of a number that is compared and then computed with.
constexpr std::size_t block = 64;
using Block = std::array<float, block>;
constexpr std::size_t together = 64;  // blocks, before sums of floats round too much

// exp(-87) is the smallest that float32 holds at full precision.
constexpr float lowest = -87.0f;
constexpr float log2_e = 1.44269504f;
// Added to a number below 2^22, it leaves the nearest integer in the lowest bits.
constexpr float rounder = 12582912.0f;

float largest(const float* logits, std::size_t n) {
    Block best;
    best.fill(logits[0]);
    std::size_t at = 0;
    for (; at + block <= n; at += block) {
        for (std::size_t i = 0; i < block; ++i) {
            best[i] = logits[at + i] > best[i] ? logits[at + i] : best[i];
        }
    }
    const float found = *std::max_element(best.begin(), best.end());
    return at == n ? found : std::max(found, *std::max_element(logits + at, logits + n));
}

// Adds the exponentials of `values`, each at most 0 and at least `lowest`: 2 to the whole part, by
// the exponent's bits, times 2 to the rest, which lies within a half, by its Taylor series.
void add_exponentials(const Block& values, Block& sums) {
    for (std::size_t i = 0; i < block; ++i) {
        const float power = values[i] * log2_e;
        const float rounded = power + rounder;
        const float rest = power - (rounded - rounder);
        float found = 1.540353e-4f;
        found = found * rest + 1.3333558e-3f;
        found = found * rest + 9.6181291e-3f;
        found = found * rest + 5.5504109e-2f;
        found = found * rest + 2.4022651e-1f;
        found = found * rest + 6.9314718e-1f;
        found = found * rest + 1.0f;
        std::uint32_t bits = 0, whole = 0;
        std::memcpy(&bits, &found, sizeof bits);
        std::memcpy(&whole, &rounded, sizeof whole);
        bits += whole << 23;
        std::memcpy(&found, &bits, sizeof found);
        sums[i] += found;
    }
}

}  // namespace

double log_sum(const float* logits, std::size_t n) {
    const float peak = largest(logits, n);
    Block values;
    double total = 0.0;
    std::size_t at = 0;
    while (at + block <= n) {
        Block sums{};
        const std::size_t end = std::min(n - n % block, at + together * block);
        for (; at < end; at += block) {
            for (std::size_t i = 0; i < block; ++i) values[i] = logits[at + i] - peak;
            for (float& value : values) value = value > lowest ? value : lowest;
            add_exponentials(values, sums);
        }
        for (const float sum : sums) total += sum;
    }
    for (; at < n; ++at) total += std::exp(static_cast<double>(logits[at]) - peak);
    return peak + std::log(total);
}

std::vector<Likely> likely_of(llama_token token, int n, const float* logits, llama_token n_vocab) {
    const double total = log_sum(logits, static_cast<std::size_t>(n_vocab));
    std::vector<Likely> likely;
    const auto note = [&](llama_token each) {
        likely.push_back({each, static_cast<float>(logits[each] - total)});
    };
    note(token);
    if (n == 0) return likely;
    std::vector<llama_token> order(n_vocab);
    std::iota(order.begin(), order.end(), 0);
    const auto end = order.begin() + std::min(n, n_vocab);
    std::partial_sort(order.begin(), end, order.end(), [logits](llama_token a, llama_token b) {
        return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
    });
    std::for_each(order.begin(), end, note);
    return likely;
}

}  // namespace llamood

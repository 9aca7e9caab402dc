#include "steering/blend.hpp"

#include <algorithm>

#include "vectors/blake2b.hpp"

namespace llamood {

std::int64_t key_of(const float* weights, std::size_t n, const std::string& digest,
                    LayerRange layers) {
    if (std::all_of(weights, weights + n, [](float weight) { return weight == 0.0f; })) return 0;
    Blake2b hash(8);
    hash.add(digest);
    hash.add(weights, n * sizeof(float));
    hash.add(std::to_string(layers.first) + ":" + std::to_string(layers.last));
    std::uint64_t key = 0;
    const std::string bytes = hash.digest();
    for (std::size_t i = bytes.size(); i > 0; --i) {
        key = key << 8 | static_cast<unsigned char>(bytes[i - 1]);
    }
    return static_cast<std::int64_t>(key);
}

std::vector<float> rounded(const std::vector<double>& weights) {
    std::vector<float> row(weights.size());
    std::transform(weights.begin(), weights.end(), row.begin(),
                   [](double weight) { return static_cast<float>(weight) + 0.0f; });
    return row;
}

}  // namespace llamood

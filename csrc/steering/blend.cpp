#include "steering/blend.hpp"

#include <algorithm>

#include "vectors/blake2b.hpp"

namespace llamood {

bool Blend::adds() const {
    return std::any_of(weights.begin(), weights.end(), [](float each) { return each != 0.0f; });
}

std::int64_t key_of(const std::vector<float>& weights, const std::string& digest, LayerRange layers,
                    const CapsPtr& caps) {
    const auto is_zero = [](float weight) { return weight == 0.0f; };
    if (caps == nullptr && std::all_of(weights.begin(), weights.end(), is_zero)) return 0;
    Blake2b hash(8);
    hash.add(digest);
    hash.add(weights.data(), weights.size() * sizeof(float));
    if (caps != nullptr) hash.add(caps->digest());
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

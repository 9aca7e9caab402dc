// What is added at one token, and what tells it from what is added at others.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "moods/settings.hpp"
#include "vectors/bank.hpp"

namespace llamood {

// weights: (n_emotion), of the vectors in a dose, in layers `layers`; none where nothing is added.
// key: equal for equal blends of equal vectors, also in another process; 0 where nothing is added.
// Cached hidden states are told apart by it.
struct Blend {
    std::vector<float> weights;
    Dose dose = Dose::stored;
    LayerRange layers{0, -1};
    std::int64_t key = 0;

    bool operator==(const Blend& other) const {
        return weights == other.weights && dose == other.dose && layers == other.layers &&
               key == other.key;
    }
};

// weights: (n_emotion); digest: of the vectors (see SteeringVectors).
std::int64_t key_of(const float* weights, std::size_t n, const std::string& digest,
                    LayerRange layers);

// weights to float32, and -0.0 to 0.0.
std::vector<float> rounded(const std::vector<double>& weights);

}  // namespace llamood

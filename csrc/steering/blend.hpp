// What is added at one token, within which caps, and what tells it from others.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "moods/settings.hpp"
#include "vectors/bank.hpp"
#include "vectors/caps.hpp"

namespace llamood {

// weights: (n_emotion), of the vectors in a dose, in layers `layers`; none where nothing is done.
// key: equal for equal blends of equal vectors, also in another process; 0 where nothing is added,
// and nothing kept. Cached hidden states are told apart by it.
struct Blend {
    std::vector<float> weights;
    Dose dose = Dose::stored;
    LayerRange layers{0, -1};
    std::int64_t key = 0;
    CapsPtr caps;

    // Whether anything is added.
    bool adds() const;
    bool operator==(const Blend& other) const {
        return weights == other.weights && dose == other.dose && layers == other.layers &&
               key == other.key;
    }
};

// weights: (n_emotion); digest: of the vectors (see SteeringVectors).
std::int64_t key_of(const std::vector<float>& weights, const std::string& digest, LayerRange layers,
                    const CapsPtr& caps);

// weights to float32, and -0.0 to 0.0.
std::vector<float> rounded(const std::vector<double>& weights);

}  // namespace llamood

// What emotions are read against: how neutral text reads in one layer of a model, and how far what
// is injected moves that (python/llamood/probe.py measures and writes it).
#pragma once

#include <string>
#include <vector>

#include "vectors.hpp"

namespace llamood {

// Emotions are in the order of the vectors.
struct Baseline {
    int layer = 0;                  // the one that is read
    std::vector<float> directions;  // (n_emotion, n_embd), of unit length
    std::vector<double> mean;       // (n_emotion), of the projections of neutral tokens
    std::vector<double> spread;     // (n_emotion), above 0
    // (n_layer, n_emotion, n_emotion): by how much intensity 1 of a vector as stored, added in one
    // layer, moves each projection.
    std::vector<double> response;
};

// The file reading.baseline in a folder of vectors. Throws std::invalid_argument, naming it, where
// it is not there, is broken, was measured with other vectors, or tells emotions apart too badly to
// be trusted.
Baseline load_baseline(const std::string& folder, const Vectors& vectors, const ModelFacts& model);

}  // namespace llamood

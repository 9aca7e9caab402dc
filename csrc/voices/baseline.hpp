// What emotions are read against: how neutral text reads in some layers of a model, and how far
// what is injected moves that (python/llamood/readings/probe.py measures and writes it).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "steering/capping.hpp"
#include "steering/holding.hpp"
#include "vectors/vectors.hpp"

namespace llamood {

// Emotions are in the order of the vectors.
struct Baseline {
    std::vector<int> layers;        // those that are read together
    std::vector<float> directions;  // (n_layer_read, n_emotion, n_embd), of unit length
    std::vector<double> mean;       // (n_layer_read, n_emotion), of projections of neutral tokens
    // (n_layer_read, n_emotion): what a projection counts in a score, which is the sum over layers
    // of what lies above the mean.
    std::vector<double> weights;
    // (n_layer, n_emotion, n_emotion): by how much intensity 1 of a vector as stored, added in one
    // layer, moves each score.
    std::vector<double> response;
    // What each vector as measured is itself read at: the reading of the answers that it is the
    // mean of, against neutral ones.
    Told told;
    // Never null; empty where the file does not say it.
    std::shared_ptr<const NeutralText> neutral;

    std::size_t n_emotion() const { return mean.size() / layers.size(); }
};

// The file reading.baseline in a folder of vectors. Throws std::invalid_argument, naming it, where
// it is not there, is broken, was measured with other vectors, or tells emotions apart too badly to
// be trusted.
Baseline load_baseline(const std::string& folder, const Vectors& vectors, const ModelFacts& model);

}  // namespace llamood

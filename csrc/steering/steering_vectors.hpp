// The vectors at hand as a mood mixes them, as plain numbers. The same in Python is
// python/llamood/moods/steering_vectors.py; here there is but the dose `stored`.
#pragma once

#include <cstddef>
#include <vector>

#include "moods/mood.hpp"
#include "vectors/bank.hpp"

namespace llamood {

// What a vector may add that was never calibrated: parts of the hidden state's root mean square in
// each layer, summed over layers.
constexpr double safe_sum = 0.2;

class SteeringVectors {
  public:
    // ceilings: (n_emotion), the largest intensity that reads fluently, infinite where that was not
    // measured. data: (n_emotion, n_layer, n_embd), read only here. first_layer: the first that can
    // be added to. residual: (n_layer), the root mean square of the hidden state, 0 where it is not
    // known; empty where none is.
    SteeringVectors(Names names, std::vector<double> ceilings, const float* data, int n_layer,
                    int n_embd, int first_layer, const std::vector<double>& residual = {});

    const Names& names() const { return names_; }
    // Where none was measured, the intensity that adds safe_sum; infinite where that is not known.
    const std::vector<double>& ceilings() const { return ceilings_; }
    bool is_calibrated(std::size_t emotion) const { return is_calibrated_[emotion]; }
    int n_layer() const { return n_layer_; }
    int first_layer() const { return first_layer_; }

    // (n_emotion, n_emotion): inner products of the vectors, the mean over these layers of those of
    // each, which are in units of its mean square length, so that a late layer, whose vectors are
    // many times longer, counts no more.
    std::vector<double> gram(LayerRange layers) const;

  private:
    Names names_;
    std::vector<double> ceilings_;
    std::vector<bool> is_calibrated_;
    int n_layer_;
    int first_layer_;
    std::vector<double> grams_;  // (n_layer, n_emotion, n_emotion)
};

// How strong the blend of these weights (n_emotion) is: the root mean square over layers of its
// length, in units of the root mean square of the lengths of all vectors there. One vector alone at
// intensity 1 is about 1.
double size_of(const std::vector<double>& weights, const std::vector<double>& gram);

}  // namespace llamood

// The vectors at hand as a mood mixes them: in one dose, with what is derived from them once.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "moods/mood.hpp"
#include "vectors/bank.hpp"

namespace llamood {

// What a vector may add that was never calibrated: parts of the hidden state's root mean square in
// each layer, summed over layers. What a sum does depends little on how many layers share it. Mean
// differences of six emotions in SmolLM2-135M, six answers of 40 tokens each: perplexity as a
// multiple of that of plain answers, the mean and the worst of the emotions.
//
//     all layers   0.16: 1.20, 1.33   0.23: 1.33, 1.55   0.31: 1.49, 1.61   0.47: 2.18, 2.67
//     8 layers                                           0.35: 1.79, 2.32   0.70: 3.16, 4.64
//     1 layer                         0.20: 1.34, 1.54                      0.50: 3.39, 5.21
constexpr double safe_sum = 0.2;

// What is stored. ceilings: (n_emotion), the largest intensity that reads fluently, infinite where
// that was not measured. scales: (n_emotion), what the vectors as measured were multiplied by.
// site: where they are added, by its name. residual: (n_layer), the root mean square of the hidden
// state, 0 where it is not known; empty where none is.
struct StoredVectors {
    Names names;
    std::shared_ptr<const Bank> bank;
    std::vector<double> ceilings;
    std::vector<double> scales;
    std::string site = "layer_out";
    std::vector<double> residual;
};

// Never changes, and may be asked from several threads.
class SteeringVectors {
  public:
    // The dose `stored`.
    explicit SteeringVectors(StoredVectors stored);

    // The dose `relative`: intensity 1 adds, in each layer, a vector whose root mean square is that
    // of the hidden state there. Ceilings that were measured are as strong as the stored ones on
    // the root mean square over layers. Throws MoodError where the hidden states are not known.
    std::shared_ptr<const SteeringVectors> relative() const;

    const Names& names() const { return stored_.names; }
    // What intensity 1 adds.
    const std::shared_ptr<const Bank>& bank() const { return stored_.bank; }
    // (n_emotion): the largest intensity that reads fluently; where that was not measured, the one
    // that adds safe_sum; infinite where that is not known either.
    const std::vector<double>& ceilings() const { return stored_.ceilings; }
    bool is_calibrated(std::size_t emotion) const { return is_calibrated_[emotion]; }
    const std::vector<double>& scales() const { return stored_.scales; }
    // (n_emotion, n_layer): how many times the vector as stored there is in a layer.
    const std::vector<double>& factors() const { return factors_; }
    // (n_emotion): the intensity here that is as strong as intensity 1 of the vector as stored.
    const std::vector<double>& units() const { return units_; }
    const std::vector<double>& residual() const { return stored_.residual; }
    const std::string& site() const { return stored_.site; }
    // 16 bytes that tell one from another.
    const std::string& digest() const;
    int n_layer() const { return stored_.bank->n_layer(); }
    // The first that can be added to: llama.cpp has no control vector for layer 0.
    int first_layer() const { return stored_.site == "layer_out" ? 1 : 0; }

    // (n_emotion, n_emotion): inner products of the vectors, the mean over these layers of those of
    // each, which are in units of its mean square length, so that a late layer, whose vectors are
    // many times longer, counts no more.
    std::vector<double> gram(LayerRange layers) const;

    // (n_emotion): the largest intensities that read fluently in these layers alone, which are the
    // ceilings as many times as there is less in them; infinite where that is not known.
    std::vector<double> fluent(LayerRange layers) const;

  private:
    void measure();
    std::vector<double> shares(const std::vector<double>& residual) const;
    double safe_intensity(std::size_t emotion) const;
    void fill_grams() const;

    StoredVectors stored_;
    std::string stored_digest_;  // of the vectors as stored, where the dose is another
    std::vector<bool> is_calibrated_;
    std::vector<double> factors_;
    std::vector<double> units_;
    std::vector<double> sizes_;  // (n_emotion, n_layer), root mean squares of the vectors
    mutable std::once_flag is_digested_;
    mutable std::string digest_;
    mutable std::once_flag has_grams_;
    mutable std::vector<double> grams_;  // (n_layer, n_emotion, n_emotion)
    mutable std::mutex mutex_;
    mutable std::shared_ptr<const SteeringVectors> relative_;
};

// How strong the blend of these weights (n_emotion) is: the root mean square over layers of its
// length, in units of the root mean square of the lengths of all vectors there. One vector alone at
// intensity 1 is about 1.
double size_of(const std::vector<double>& weights, const std::vector<double>& gram);

}  // namespace llamood

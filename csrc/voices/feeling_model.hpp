// A model with its emotion vectors, as a program in C opens it.
#pragma once

#include <llama-cpp.h>

#include <memory>
#include <mutex>
#include <string>

#include "graph/site.hpp"
#include "moods/affect.hpp"
#include "steering/steering_vectors.hpp"
#include "vectors/bank.hpp"
#include "vectors/vectors.hpp"
#include "voices/baseline.hpp"

namespace llamood {

// A model file and the vectors to feel with; never changes, and may serve several contexts.
class FeelingModel {
  public:
    // path, vectors: UTF-8; site: as in the files where empty. has_readings: load the baseline too.
    // Throws std::invalid_argument where the model cannot be loaded, the vectors or the baseline
    // are not its own (see load_vectors), the site has no known place in its architecture, or none
    // in this model, or readings are asked for at another site than the one that baselines are
    // measured at.
    FeelingModel(const std::string& path, const std::string& vectors, const std::string& site,
                 bool has_readings, const llama_model_params& params);

    const std::string& path() const { return path_; }
    const std::string& fingerprint() const { return fingerprint_; }
    llama_model* get() const { return model_.get(); }
    const llama_vocab* vocab() const { return llama_model_get_vocab(model_.get()); }
    int n_layer() const { return llama_model_n_layer(model_.get()); }
    // Without their data, which the bank has.
    const Vectors& vectors() const { return vectors_; }
    const std::shared_ptr<const Bank>& bank() const { return bank_; }
    const std::shared_ptr<const SteeringVectors>& steering_vectors() const {
        return steering_vectors_;
    }
    // Where its emotions lie in affect; found when it is first asked for.
    std::shared_ptr<const AffectMap> affect_map() const;
    // Null where nothing is read.
    const std::shared_ptr<const Baseline>& baseline() const { return baseline_; }
    const std::string& arch() const { return arch_; }
    Site site() const { return site_; }
    int first_layer() const { return steering_vectors_->first_layer(); }

  private:
    // Throws std::invalid_argument where no layer of the model can be added to at the site.
    void require_reach() const;

    std::string path_;
    std::string fingerprint_;
    llama_model_ptr model_;
    std::string arch_;
    Vectors vectors_;
    Site site_ = layer_out;
    std::shared_ptr<const Bank> bank_;
    std::shared_ptr<const SteeringVectors> steering_vectors_;
    std::shared_ptr<const Baseline> baseline_;
    mutable std::once_flag is_affect_known_;
    mutable std::shared_ptr<const AffectMap> affect_map_;
};

}  // namespace llamood

// A model with its emotion vectors, and one context of it that many voices speak from.
//
// Relied on here (llama.cpp 0c1e570):
// - llama_chat_apply_template takes the name of a template or its text, and knows a text by what is
//   in it; it gives a negative number for one that it does not know. It runs no Jinja.
// - It writes no beginning-of-text token: that is added by the tokenizer, where the model wants
// one.
#pragma once

#include <llama-cpp.h>

#include <memory>
#include <string>
#include <vector>

#include "graph/graph_watch.hpp"
#include "graph/probe.hpp"
#include "graph/row_injector.hpp"
#include "graph/site.hpp"
#include "steering/steering_vectors.hpp"
#include "vectors/bank.hpp"
#include "vectors/vectors.hpp"
#include "voices/baseline.hpp"
#include "voices/reader.hpp"
#include "voices/stage.hpp"

namespace llamood {

struct Message {
    std::string role;  // system, user or assistant
    std::string content;
};

// A model file and the vectors to feel with; never changes, and may serve several contexts.
class FeelingModel {
  public:
    // path, vectors: UTF-8; site: as in the files where empty. has_readings: load the baseline too.
    // Throws std::invalid_argument where the model cannot be loaded, the vectors or the baseline
    // are not its own (see load_vectors), the site has no known place in its architecture, or
    // readings are asked for at another site than the one that baselines are measured at.
    FeelingModel(const std::string& path, const std::string& vectors, const std::string& site,
                 bool has_readings, const llama_model_params& params);

    llama_model* get() const { return model_.get(); }
    const llama_vocab* vocab() const { return llama_model_get_vocab(model_.get()); }
    int n_layer() const { return llama_model_n_layer(model_.get()); }
    // Without their data, which the bank has.
    const Vectors& vectors() const { return vectors_; }
    const std::shared_ptr<const Bank>& bank() const { return bank_; }
    const std::shared_ptr<const SteeringVectors>& steering_vectors() const {
        return steering_vectors_;
    }
    // Null where nothing is read.
    const std::shared_ptr<const Baseline>& baseline() const { return baseline_; }
    const std::string& arch() const { return arch_; }
    Site site() const { return site_; }
    // llama.cpp has no control vector for layer 0.
    int first_layer() const { return site_ == layer_out ? 1 : 0; }

  private:
    llama_model_ptr model_;
    std::string arch_;
    Vectors vectors_;
    Site site_ = layer_out;
    std::shared_ptr<const Bank> bank_;
    std::shared_ptr<const SteeringVectors> steering_vectors_;
    std::shared_ptr<const Baseline> baseline_;
};

class SharedContext {
  public:
    // n_ctx: how many tokens each of n_voice voices can remember. chat_template: a name or a text
    // that llama.cpp knows; the model's own where empty. Of params what concerns sequences, size
    // and the callback is set here. Throws std::invalid_argument for what llama.cpp cannot do.
    SharedContext(std::shared_ptr<const FeelingModel> model, int n_voice, int n_ctx,
                  std::string chat_template, llama_context_params params);
    ~SharedContext();
    SharedContext(const SharedContext&) = delete;
    SharedContext& operator=(const SharedContext&) = delete;

    const FeelingModel& model() const { return *model_; }
    Stage& stage() { return *stage_; }
    int n_ctx() const { return n_ctx_; }
    // Null where nothing is read.
    std::unique_ptr<Reader> reader(int voice) const;

    // A conversation as tokens, up to where the answer begins.
    std::vector<llama_token> chat(const std::vector<Message>& messages) const;

    // One batch of at most `n` tokens; see Stage::step. Throws std::runtime_error, too, where the
    // graph has no place for the vectors.
    std::vector<Drawn> step(int n);

  private:
    std::string written(const std::vector<Message>& messages) const;

    std::shared_ptr<const FeelingModel> model_;
    int n_ctx_;
    std::string template_;
    GraphWatch watch_;
    llama_context_ptr ctx_;
    std::unique_ptr<RowInjector> rows_;
    std::unique_ptr<Probe> probe_;
    std::unique_ptr<Stage> stage_;
    bool is_taken_ = false;
};

}  // namespace llamood

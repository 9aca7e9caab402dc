// A context that many voices speak from, as a program in C opens it.
//
// Relied on here (llama.cpp 0c1e570):
// - llama_chat_apply_template takes the name of a template or its text, and knows a text by what is
//   in it; it gives a negative number for one that it does not know. It runs no Jinja.
// - It writes no beginning-of-text token: that is added by the tokenizer, where the model wants
//   one.
#pragma once

#include <llama-cpp.h>

#include <memory>
#include <string>
#include <vector>

#include "graph/graph_watch.hpp"
#include "graph/probe.hpp"
#include "graph/row_injector.hpp"
#include "graph/row_limiter.hpp"
#include "voices/feeling_model.hpp"
#include "voices/shared_context.hpp"
#include "voices/stage.hpp"

namespace llamood {

class OpenedContext {
  public:
    // n_ctx: how many tokens each of n_voice voices can remember. chat_template: a name or a text
    // that llama.cpp knows; the model's own where empty. Of params what concerns sequences, size
    // and the callback is set here. Throws std::invalid_argument for what llama.cpp cannot do.
    OpenedContext(std::shared_ptr<const FeelingModel> model, int n_voice, int n_ctx,
                  std::string chat_template, llama_context_params params);
    ~OpenedContext();
    OpenedContext(const OpenedContext&) = delete;
    OpenedContext& operator=(const OpenedContext&) = delete;

    Stage& stage() { return *stage_; }
    // What a cast of it is made of; it must be gone before this is.
    SharedContext::Parts parts();

  private:
    std::string written(const std::vector<Message>& messages) const;
    std::vector<llama_token> chat(const std::vector<Message>& messages) const;

    std::shared_ptr<const FeelingModel> model_;
    int n_ctx_;
    bool slides_;
    std::string template_;
    GraphWatch watch_;
    llama_context_ptr ctx_;
    std::unique_ptr<RowInjector> rows_;
    std::unique_ptr<RowLimiter> limiter_;
    std::unique_ptr<Probe> probe_;
    std::unique_ptr<Stage> stage_;
};

}  // namespace llamood

// What draws the tokens of one answer: llama.cpp's samplers, in the order of llama_cpp.Llama.
//
// Drawing by a grammar holds tokens of the vocabulary against every way in which the answer may go
// on, which can take longer than a decode. So no more are looked at than may count, and it is done
// in pieces, between which others are served.
//
// Relied on of llama.cpp (0c1e570):
// - A grammar judges each candidate by itself, in parts as all at once, and gives what does not fit
//   a logit of minus infinity. It looks at texts, unless it names tokens, which is written with
//   "<".
// - Whatever comes after top_k sees its k candidates only, so that no other need be judged.
// - The last sampler of a chain draws one number by chance for each token, however many are left.
// - A chain made anew for each answer has seen no prompt, which is how llama_cpp.Llama penalises
//   repetitions.
#pragma once

#include <llama-cpp.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "voices/token_tree.hpp"

namespace llamood {

// What tokens are drawn with. temperature 0 is greedy, below 0 draws from the logits as they are.
// grammar: GBNF whose root is "root"; empty for none.
struct Sampling {
    float temperature = 0.2f;
    int top_k = 40;
    float top_p = 0.95f;
    float min_p = 0.05f;
    float typical_p = 1.0f;
    float repeat_penalty = 1.0f;
    float frequency_penalty = 0.0f;
    float presence_penalty = 0.0f;
    int last_n_tokens = 64;
    std::uint32_t seed = LLAMA_DEFAULT_SEED;
    std::string grammar;
    int n_likely = -1;  // see Stage::likely(); none below 0
};

class Drawer {
  public:
    // tree: of this vocabulary, where there is a grammar; it outlives the drawer. Throws
    // std::invalid_argument for a grammar that llama.cpp does not take.
    Drawer(const llama_vocab* vocab, const TokenTree* tree, const Sampling& sampling);

    // Whether llama.cpp takes this grammar; none is taken.
    static bool takes(const llama_vocab* vocab, const std::string& grammar);

    // A token that the answer has already.
    void accept(llama_token token);
    // As if so many tokens had been drawn, by chance.
    void skip(int n);
    // What chance goes by, where it was to be any; and how many tokens were drawn by it.
    std::uint32_t seed() const { return llama_sampler_get_seed(chain_.get()); }
    int n_drawn() const { return n_drawn_; }

    // Begin to draw from these logits (n_vocab), which are copied.
    void begin(const float* logits);
    // A piece of the work; whether the token is drawn. Only under a grammar there is more than one.
    bool go_on();
    bool is_drawing() const { return is_drawing_; }
    bool has_grammar() const { return grammar_ != nullptr; }
    // What was drawn; LLAMA_TOKEN_NULL where the grammar left none.
    llama_token token() const { return token_; }

  private:
    bool find_likeliest();
    bool look_at_more();
    llama_token chosen(std::vector<llama_token_data>& among);

    llama_sampler_ptr penalties_;
    llama_sampler_ptr grammar_;  // null for none
    llama_sampler_ptr chain_;    // what comes after these
    std::size_t n_enough_;       // the likeliest that fit are all that counts; 0 where all count
    const TokenTree* tree_;      // null where a token may fit whose beginning does not
    std::vector<llama_token_data> candidates_;  // by token
    std::vector<llama_token> queue_;            // that may fit; the first n_judged_ were looked at
    std::size_t n_judged_ = 0;
    std::vector<llama_token_data> piece_;    // what is looked at
    std::vector<llama_token_data> fitting_;  // of what was looked at
    int n_drawn_ = 0;
    bool is_begun_ = false;  // the likeliest were looked for
    bool is_drawing_ = false;
    llama_token token_ = LLAMA_TOKEN_NULL;
};

}  // namespace llamood

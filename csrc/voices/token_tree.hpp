// The tokens of a vocabulary by how their texts begin.
//
// A token whose text begins with that of a token that does not fit cannot fit either. So a grammar
// that lets few characters follow is held against few tokens.
#pragma once

#include <llama.h>

#include <cstddef>
#include <vector>

namespace llamood {

class TokenTree {
  public:
    explicit TokenTree(const llama_vocab* vocab);

    // Those that begin with no other. Tokens that end an answer are among them, and nothing
    // begins with them: a grammar does not look at their texts.
    const std::vector<llama_token>& roots() const { return roots_; }
    // Those that begin with this one, and with no longer one.
    const llama_token* begin(llama_token token) const { return children_.data() + first_[token]; }
    const llama_token* end(llama_token token) const { return children_.data() + first_[token + 1]; }

  private:
    std::vector<llama_token> roots_;
    std::vector<std::size_t> first_;  // (n_vocab + 1)
    std::vector<llama_token> children_;
};

}  // namespace llamood

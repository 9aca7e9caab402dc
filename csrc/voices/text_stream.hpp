// The text of one answer as its tokens come in: whole characters, up to a stop text.
//
// Relied on here (llama.cpp 0c1e570): a token's piece may begin or end within a character, as UTF-8
// of a model that falls back to bytes does, and need not be UTF-8 at all.
#pragma once

#include <llama.h>

#include <cstddef>
#include <string>
#include <vector>

namespace llamood {

// The text of one token. Of those that only steer the conversation it is empty, unless is_special.
std::string piece_of(const llama_vocab* vocab, llama_token token, bool is_special = false);

// Positions from `begin` to before `end`.
struct Span {
    int begin = 0;
    int end = 0;
};

// Where a text lies in tokens, without the space around it: the last time that it is there with a
// control token behind it, or else the last time; empty where it is nowhere.
Span span_of(const llama_vocab* vocab, const std::vector<llama_token>& tokens,
             const std::string& text);

class TextStream {
  public:
    // stops: texts at which it ends; the first that appears counts, and is not said. Throws
    // std::invalid_argument for an empty one.
    TextStream() = default;
    explicit TextStream(std::vector<std::string> stops);

    // The bytes of the next token; returns what they add to the text. What could be the beginning
    // of a stop text, or of a character of several bytes, is held back until the next token shows
    // what it is. Bytes that are no UTF-8 are left out.
    std::string hear(const std::string& piece);

    // No token follows; returns what was held back.
    std::string end();

    bool is_stopped() const { return is_stopped_; }

  private:
    std::size_t n_open() const;

    std::vector<std::string> stops_;
    std::string held_;       // what may be the beginning of a stop text
    std::string character_;  // the bytes of one that is not whole yet
    bool is_stopped_ = false;
};

}  // namespace llamood

// Finds texts in what is generated, token by token, also where they span tokens.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "moods/schedule.hpp"

namespace llamood {

// Hears the tokens of one answer in order, and can take the last of them back. Token 0 is the last
// one of the prompt, which nothing is heard of; tokens are numbered from 1.
class PhraseMatcher {
  public:
    // Listen to these texts, none of them empty, also in what was heard before.
    void listen(std::vector<std::string> texts);

    // The bytes of the next token.
    void hear(const std::string& piece);

    // Keep only the first n tokens.
    void forget(std::int64_t n);

    std::int64_t n_heard() const { return static_cast<std::int64_t>(pieces_.size()); }
    const Events& events() const { return events_; }

  private:
    void note(std::size_t n_piece);

    std::vector<std::string> texts_;
    std::vector<std::string> pieces_;
    Events events_;
};

}  // namespace llamood

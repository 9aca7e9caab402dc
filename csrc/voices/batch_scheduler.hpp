// Which voices get on in the next batch, and by how many tokens.
#pragma once

#include <cstddef>
#include <limits>
#include <vector>

#include "llama.h"
#include "vectors/bank.hpp"

namespace llamood {

// How many tokens one batch may take, and of them of prompts.
struct Room {
    int n_token = std::numeric_limits<int>::max();
    int n_prompt = std::numeric_limits<int>::max();
};

// A voice that could get on. n_prompt: tokens of its prompt that are left; 0: it generates, and may
// draw n_left more. bank: what is added to its next token; null: nothing, so that any will do.
struct Ready {
    int voice;
    llama_pos position;  // of its next token
    std::size_t n_prompt;
    int n_left;
    const Bank* bank;
};

// Which tokens of which voice a batch has.
struct Share {
    int voice;
    std::size_t n;
    llama_pos position;  // of the first
};

class BatchScheduler {
  public:
    // ready: in the order of their numbers. A batch adds from one bank, that of the first whose
    // turn it is. A token of each voice that generates comes first: of whose turn it is, then of
    // who may draw the fewest more, as who soon is done keeps nobody waiting for long. Then come
    // prompts, for the same reason the shortest first; a prompt whose turn it is gets a quarter of
    // their room in any case. Whoever finds no room has his turn next, so that nobody waits for
    // ever. At least one token is taken, unless there are only prompts and none is to be read.
    std::vector<Share> next(std::vector<Ready> ready, const Room& room);

  private:
    int first_ = 0;       // the voice that is asked first
    int first_said_ = 0;  // the same, of batches without prompts
};

}  // namespace llamood

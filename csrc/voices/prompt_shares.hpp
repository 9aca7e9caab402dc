// How much of each prompt that waits a batch takes.
#pragma once

#include <cstddef>
#include <vector>

namespace llamood {

// So many tokens of a voice's prompt.
struct PromptShare {
    int voice;
    std::size_t n;
};

// waiting: what is left of each, 1 or more. room: tokens that the batch has left for them, 1 or
// more where is_due. The shortest come first, as who is answered soon keeps nobody waiting for
// long. is_due: it is the turn of the first of `waiting`, who gets a quarter of the room in any
// case, and at least a token, so that nobody waits for ever.
std::vector<PromptShare> prompt_shares(std::vector<PromptShare> waiting, bool is_due,
                                       std::size_t room);

}  // namespace llamood

#include "voices/prompt_shares.hpp"

#include <algorithm>

namespace llamood {

namespace {

// Of the room the one whose turn it is gets one part of so many.
constexpr std::size_t n_due_of = 4;

}  // namespace

std::vector<PromptShare> prompt_shares(std::vector<PromptShare> waiting, bool is_due,
                                       std::size_t room) {
    if (waiting.empty()) return {};
    const int due = is_due ? waiting.front().voice : -1;
    const std::size_t n_due =
        is_due ? std::min(waiting.front().n, std::max<std::size_t>(room / n_due_of, 1)) : 0;
    room -= n_due;
    std::stable_sort(waiting.begin(), waiting.end(),
                     [](const PromptShare& a, const PromptShare& b) { return a.n < b.n; });
    for (PromptShare& prompt : waiting) {
        const std::size_t n_given = prompt.voice == due ? n_due : 0;
        const std::size_t n_more = std::min(prompt.n - n_given, room);
        prompt.n = n_given + n_more;
        room -= n_more;
    }
    waiting.erase(std::remove_if(waiting.begin(), waiting.end(),
                                 [](const PromptShare& prompt) { return prompt.n == 0; }),
                  waiting.end());
    return waiting;
}

}  // namespace llamood

#include "voices/batch_scheduler.hpp"

#include <algorithm>

namespace llamood {

namespace {

// Of the room for prompts the one whose turn it is gets one part of so many.
constexpr std::size_t n_due_of = 4;

// waiting: all that is left of each prompt. is_due: it is the turn of the first of them.
void share_out(std::vector<Share> waiting, bool is_due, std::size_t room,
               std::vector<Share>& chosen) {
    if (waiting.empty() || room == 0) return;
    const int due = is_due ? waiting.front().voice : -1;
    const std::size_t n_due =
        is_due ? std::min(waiting.front().n, std::max<std::size_t>(room / n_due_of, 1)) : 0;
    room -= n_due;
    std::stable_sort(waiting.begin(), waiting.end(),
                     [](const Share& a, const Share& b) { return a.n < b.n; });
    for (Share& prompt : waiting) {
        const std::size_t n_given = prompt.voice == due ? n_due : 0;
        const std::size_t n_more = std::min(prompt.n - n_given, room);
        prompt.n = n_given + n_more;
        room -= n_more;
        if (prompt.n > 0) chosen.push_back(prompt);
    }
}

}  // namespace

std::vector<Share> BatchScheduler::next(std::vector<Ready> ready, const Room& most) {
    const bool reads_prompts = most.n_prompt > 0;
    int& first = reads_prompts ? first_ : first_said_;
    std::vector<Ready> speaking;
    std::vector<Share> waiting;
    std::vector<Share> chosen;
    if (!reads_prompts) {
        const auto is_prompt = [](const Ready& voice) { return voice.n_prompt > 0; };
        ready.erase(std::remove_if(ready.begin(), ready.end(), is_prompt), ready.end());
    }
    if (ready.empty()) return chosen;
    const auto turn = std::find_if(ready.begin(), ready.end(),
                                   [first](const Ready& voice) { return voice.voice >= first; });
    std::rotate(ready.begin(), turn, ready.end());
    speaking.reserve(ready.size());
    chosen.reserve(ready.size());
    const Bank* bank = nullptr;
    for (const Ready& voice : ready) {
        if (bank == nullptr) bank = voice.bank;
        if (voice.bank != nullptr && voice.bank != bank) continue;
        if (voice.n_prompt > 0) {
            waiting.push_back({voice.voice, voice.n_prompt, voice.position});
        } else {
            speaking.push_back(voice);
        }
    }
    const bool is_due = ready.front().n_prompt > 0;
    std::size_t room = std::max(most.n_token, 1);
    if (room < speaking.size()) {
        std::stable_sort(speaking.begin() + (is_due ? 0 : 1), speaking.end(),
                         [](const Ready& a, const Ready& b) { return a.n_left < b.n_left; });
    }
    for (const Ready& voice : speaking) {
        if (room == (is_due ? 1 : 0)) break;  // who is due gets on, however many generate
        chosen.push_back({voice.voice, 1, voice.position});
        --room;
    }
    share_out(std::move(waiting), is_due, std::min<std::size_t>(room, std::max(most.n_prompt, 0)),
              chosen);
    for (const Ready& voice : ready) {  // of another bank, or without room
        const auto is_it = [&voice](const Share& share) { return share.voice == voice.voice; };
        if (std::none_of(chosen.begin(), chosen.end(), is_it)) {
            first = voice.voice;
            break;
        }
    }
    return chosen;
}

}  // namespace llamood

// Characters that speak from one model, in one context and one batch. The same in Python is
// python/llamood/voices/cast.py.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "voices/batch_cost.hpp"
#include "voices/character.hpp"
#include "voices/shared_context.hpp"

namespace llamood {

// What is said to whoever asks something of a voice that is not there.
std::string not_there(int voice);

// Those of a voice.
void drop_events(std::deque<Event>& events, int voice);

class Cast {
  public:
    Cast(std::unique_ptr<SharedContext> shared, Overflow overflow);
    Cast(const Cast&) = delete;
    Cast& operator=(const Cast&) = delete;

    // What follows throws std::out_of_range for a voice that is not there, and, where it refuses
    // something, changes nothing.

    // A new voice, told `system` at the beginning of its conversation. Throws std::runtime_error
    // where there is no room for another.
    int join(std::optional<std::string> system, std::shared_ptr<const Steering> steering,
             Manner manner);

    // Say something to a voice, which answers from the next step on. Throws std::runtime_error
    // while it speaks, and std::invalid_argument where there is no room or its answer cannot be
    // given as asked.
    void say(int voice, const std::string& text);

    // Let it feel this from its next token on, also while it speaks.
    void feel(int voice, std::shared_ptr<const Steering> steering);

    // Let it say no more. What it said stays in its memory; an answer of which nothing was said is
    // taken back with its question.
    void interrupt(int voice);

    // Interrupt it and forget it, with those of its events that were not polled.
    void leave(int voice);

    // One batch of at most `n` tokens. Returns whether anybody still speaks. Throws
    // std::runtime_error where it could not be decoded: all answers are taken back then.
    bool step(int n);

    // Batches as long as they are expected to fit into the time, but one at least; each takes a
    // token of all that generate. Returns and throws as step().
    bool step_for(double seconds);

    // The next thing that somebody said.
    std::optional<Event> poll();

    bool is_speaking(int voice) { return at(voice).is_speaking(); }
    // Who is there.
    std::vector<int> voices() const;
    SharedContext& shared() { return *shared_; }

  private:
    Character& at(int voice);
    std::vector<const Character*> others(const Character& voice) const;
    bool anybody_speaks() const;
    void begin(Character& voice, Character::Plan plan);
    void let_follow();

    std::unique_ptr<SharedContext> shared_;
    Overflow overflow_;
    std::map<int, std::unique_ptr<Character>> voices_;
    std::map<int, int> followers_;  // who waits for whom to decode the beginning that both have
    std::deque<Event> events_;
    BatchCost cost_;
};

}  // namespace llamood

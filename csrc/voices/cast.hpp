// Characters that speak from one model, in one context and one batch.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
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
    // care: what becomes of answers that collapse; none for nothing.
    Cast(SharedContext::Parts parts, Overflow overflow, std::optional<Care> care);
    virtual ~Cast() = default;
    Cast(const Cast&) = delete;
    Cast& operator=(const Cast&) = delete;

    // What follows throws std::out_of_range for a voice that is not there, and, where it refuses
    // something, changes nothing.

    // A new voice, told `system` at the beginning of its conversation. Throws Refused where there
    // is no room for another.
    std::shared_ptr<Character> join(std::optional<std::string> system,
                                    std::shared_ptr<const Steering> steering, Manner manner);

    // A new voice, which is the one that was saved. steerings: see Character::restore. Throws
    // Refused where there is no room for another, and for a voice of another model.
    std::shared_ptr<Character> load(SavedVoice saved,
                                    const std::vector<std::shared_ptr<const Steering>>& steerings);

    Character& at(int voice) const;
    bool is_speaking(int voice) const { return at(voice).is_speaking(); }
    // Who is there.
    std::vector<int> voices() const;

    // Let these voices, each another one, give the answers that they planned, from the next step
    // on. Throws Refused for one that cannot be given as asked.
    using Plans = std::vector<std::pair<int, Plan>>;
    void begin(Plans plans);
    // Let one answer this. Throws as Character::plan, too.
    void say(int voice, const std::string& text, std::optional<Manner> manner = std::nullopt);

    // Which of these voices, one at least, has most of a prompt decoded as it would be in a mood,
    // and of those that have as much, which has decoded the least. felt: (n_emotion), see
    // Character::felt. Throws Refused where one of them speaks.
    int nearest(const Plan& plan, const std::vector<int>& among,
                const std::shared_ptr<const Steering>& steering, std::vector<double> felt) const;

    // Let it say no more. What it said stays in its memory; an answer of which nothing was said is
    // taken back with its question.
    void interrupt(int voice);

    // Interrupt it and forget it.
    void leave(int voice);
    // Forget what a voice, perhaps one that has left, said and was not polled.
    void drop(int voice);

    void feel(int voice, std::shared_ptr<const Steering> steering) {
        at(voice).feel(std::move(steering));
    }
    void pause(int voice, bool is_paused) { at(voice).pause(is_paused); }
    void set_faces(int voice, std::shared_ptr<const FaceSet> faces) {
        at(voice).set_faces(std::move(faces));
    }

    // One batch; see Stage::step. Returns whether anybody still speaks. An answer that fails
    // ends with an event that says so, and is taken back. Throws ModelFault where the batch could
    // not be decoded: all answers have failed then.
    bool step(const Room& room = {});

    // Batches as long as they are expected to fit into the time, but one at least; each takes a
    // token of all that generate. Returns and throws as step().
    bool step_for(double seconds);

    // The next thing that somebody said.
    std::optional<Event> poll();

    SharedContext& shared() { return shared_; }

  private:
    using CharacterPtr = std::shared_ptr<Character>;  // kept by whoever waits for it

    std::vector<CharacterPtr> present() const;
    Character::Others others(const Character& voice) const;
    bool anybody_speaks() const;
    void let_follow();
    std::vector<Drawn> drawn(const Room& room);
    void hear(const Drawn& drawn);
    void fail(Character& voice, const std::exception_ptr& fault);
    void tell(Character& voice, Event event);

    SharedContext shared_;
    Overflow overflow_;
    std::optional<Care> care_;
    std::map<int, CharacterPtr> voices_;
    std::map<int, Lead> followers_;  // who waits for whom to decode the beginning that both have
    std::deque<Event> events_;
    BatchCost cost_;
};

}  // namespace llamood

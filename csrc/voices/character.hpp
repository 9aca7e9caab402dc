// One voice of a cast: what was said to it and by it, its mood, and what it has cached. The same in
// Python is python/llamood/voices/character.py.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "steering/performance.hpp"
#include "voices/shared_context.hpp"
#include "voices/stage.hpp"

namespace llamood {

constexpr const char* is_speaking_already =
    "this voice is speaking; interrupt it first, or let it end";

// Where a conversation is longer than what a voice can remember: refuse it, or drop its oldest
// turns; the system prompt stays.
enum class Overflow { refuse, drop };

// A token that a voice said, or the end of what it says.
struct Event {
    int voice = 0;
    llama_token token = LLAMA_TOKEN_NULL;  // null where the end is no token
    std::string text;                      // whole characters
    std::vector<float> mood;               // (n_emotion), the weights under which it was chosen
    std::vector<float> reading;  // (n_emotion), what had been expressed then; empty if not read
    End end = End::none;
    int forgotten = 0;  // in the first event of an answer, how many turns were dropped for it
};

// How a voice speaks. max_tokens 0: as many as it can remember.
struct Manner {
    Sampling sampling;
    std::vector<std::string> stops;
    int max_tokens = 0;
    double max_seconds = std::numeric_limits<double>::infinity();
};

class Character {
  public:
    // An answer that it could give: the conversation up to it, and that as tokens.
    struct Plan {
        std::vector<Message> messages;
        std::vector<llama_token> tokens;
        int forgotten = 0;
    };

    Character(SharedContext& shared, int number, std::optional<std::string> system,
              std::shared_ptr<const Steering> steering, Manner manner, Overflow overflow);

    int number() const { return number_; }
    bool is_speaking() const { return turn_ != nullptr; }
    // Whether its prompt is not on the stage yet.
    bool is_waiting() const { return turn_ != nullptr && turn_->is_waiting; }
    // Whether its prompt is being decoded.
    bool is_prompting() const;

    // The answer to `text`; changes nothing. Throws std::runtime_error while it speaks, and
    // std::invalid_argument where there is no room.
    Plan plan(const std::string& text) const;

    // Give the answer. others: from whom to take over what they have decoded already. Returns the
    // one of them who is about to decode much of the same; start() is to be called when that one
    // is_prompting() no more.
    const Character* begin(Plan plan, const std::vector<const Character*>& others);
    // Decode the prompt.
    void start(const std::vector<const Character*>& others);

    // It said this token.
    Event hear(const Drawn& drawn);
    // Say no more; what was said until now stays. None where it does not speak.
    std::optional<Event> interrupt();
    // The turn went wrong: it is as if it had not been.
    void abandon();
    // Forget everything.
    void leave();

    // From the next token on, also in the middle of an answer.
    void feel(std::shared_ptr<const Steering> steering);

  private:
    struct Turn {
        Plan plan;
        Performance performance;
        std::string said;
        int n_drawn = 0;
        bool is_waiting = false;
        std::chrono::steady_clock::time_point begun;
    };
    // What is added at a token, and what tells it from other blends: 0 where that is nothing.
    struct Blend {
        std::vector<float> row;
        std::uint64_t key;
    };

    Blend blend(int token);
    std::vector<std::uint64_t> keys();
    Mix mix() const;
    Limits limits() const;
    int n_same(const std::vector<llama_token>& tokens,
               const std::vector<std::uint64_t>& keys) const;
    int n_common(const std::vector<llama_token>& tokens,
                 const std::vector<std::uint64_t>& keys) const;
    const Character* leader(const std::vector<std::uint64_t>& keys,
                            const std::vector<const Character*>& others) const;
    int borrow(int n, const std::vector<std::uint64_t>& keys,
               const std::vector<const Character*>& others);
    void note(int position, int n, const Blend& blend);
    std::vector<float> reading() const;
    void play();
    std::string end();

    SharedContext& shared_;
    int number_;
    std::vector<Message> system_;
    std::vector<Message> messages_;
    std::shared_ptr<const Steering> steering_;
    Manner manner_;
    Overflow overflow_;
    std::vector<double> felt_;
    std::unique_ptr<Reader> reader_;
    std::unique_ptr<Turn> turn_;
    // What is decoded, or will be, and the key of the blend of each position; of these the first
    // Stage::n_cached are decoded.
    std::vector<llama_token> tokens_;
    std::vector<std::uint64_t> keys_;
};

}  // namespace llamood

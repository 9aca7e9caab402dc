// What a voice of a cast remembers of its conversation, and how much of it goes into a prompt.
#pragma once

#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "voices/face.hpp"
#include "voices/stage.hpp"

namespace llamood {

class SharedContext;

struct Message {
    std::string role;  // system, user or assistant
    std::string content;
};

// Where a conversation is longer than what a voice can remember: refuse it, or drop its oldest
// turns; the system prompt stays.
enum class Overflow { refuse, drop };

// How a voice speaks. max_tokens 0: as many as it can remember.
struct Manner {
    Sampling sampling;
    std::vector<std::string> stops;
    int max_tokens = 0;
    double max_seconds = std::numeric_limits<double>::infinity();
};

// An answer that a voice could give: the conversation up to it, and that as tokens. messages: none
// for a prompt that is no part of the voice's own conversation. said: the text that is answered,
// which lies in the tokens; none where all of them are.
struct Plan {
    std::optional<std::vector<Message>> messages;
    std::vector<llama_token> tokens;
    int forgotten = 0;
    Manner manner;
    std::optional<std::string> said;
    std::shared_ptr<const FaceSet> faces = nullptr;  // of this answer; null for the voice's own
};

// Begins with what `system` says, which is never forgotten.
class Memory {
  public:
    Memory(std::optional<std::string> system, Overflow overflow);

    const std::vector<Message>& messages() const { return messages_; }
    bool has_system() const { return n_system_ > 0; }

    // Remember these instead. Throws std::invalid_argument where the first is no system prompt, and
    // should be.
    void restore(std::vector<Message> messages, bool has_system);

    // The answer to `text`; changes nothing. Throws ModelFault where there is no room.
    Plan plan(const SharedContext& shared, const std::string& text, Manner manner) const;

    // The conversation goes on with this answer to what was planned.
    void add(std::vector<Message> messages, std::string answer);

  private:
    std::vector<Message> without_oldest_turn(const std::vector<Message>& messages) const;

    Overflow overflow_;
    std::size_t n_system_;
    std::vector<Message> messages_;
};

// The answer to a prompt of its own, beside the conversation. Throws ModelFault where there is no
// room.
Plan plan_of(const SharedContext& shared, std::vector<llama_token> prompt, Manner manner,
             std::optional<std::string> said);

}  // namespace llamood

// An answer of one voice: what it follows on, and how far it has come.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "steering/collapse_monitor.hpp"
#include "steering/performance.hpp"
#include "voices/event.hpp"
#include "voices/memory.hpp"
#include "voices/text_stream.hpp"

namespace llamood {

// Of the blend of each of the first `n` positions, those of a prompt, in a mood that begins at the
// last of them.
std::vector<std::int64_t> keys_of_prompt(Performance& performance, std::size_t n);

struct Turn {
    // What is added at positions that follow one another.
    struct Blends {
        std::deque<Blend> kept;
        std::vector<const Blend*> at;  // among those that are kept, or of nothing
    };

    // notices: of limits, which become more while it is given.
    Turn(Plan of, Performance played, std::shared_ptr<const std::vector<std::string>> of_limits,
         int n_ctx);

    std::size_t n_prompt() const { return plan.tokens.size(); }
    // The last position of the prompt, where the mood begins, and from which on it is felt.
    int position() const { return static_cast<int>(n_prompt()) - 1; }
    int start() const { return performance.steering().is_everywhere() ? 0 : position(); }
    bool is_steered_before() const { return start() < position(); }

    // Where in the prompt that lies which is answered.
    Span said(const llama_vocab* vocab) const;

    // Of the prompt, and of the answer as far as it goes.
    std::vector<llama_token> tokens() const;
    // Of each of them from position `begin` on.
    Blends blends(int begin);

    // What becomes of the answer at the token that was drawn. Nothing does where no mood is felt,
    // and in a quotation. likely: the logarithm of its probability, where that says anything.
    std::optional<Rescue> heard(const Drawn& drawn, std::optional<double> likely);
    // Those that may be told now.
    std::vector<Event> sound(bool is_over);
    // Nothing after the tokens that are kept was said.
    void take_back(std::size_t kept);

    // When the answer is to end; of tokens and time, what is left.
    Limits limits() const;
    // Since it began.
    double seconds() const;
    // As if it had begun so long ago.
    void begin_before(double seconds);

    Plan plan;
    Performance performance;
    std::shared_ptr<const std::vector<std::string>> notices;
    std::optional<CollapseMonitor> monitor;
    std::vector<std::string> told;  // of each token that was told, the text
    std::deque<Event> untold;       // of those after them, until they are known to be sound
    // The tokens that are to be decoded, and their bytes.
    std::vector<std::pair<llama_token, std::string>> fed;
    int n_drawn = 0;
    std::uint32_t seed = 0;  // by which its tokens are drawn, n_chance of them until now
    int n_chance = 0;
    int n_skip = 0;  // tokens that count as drawn, by chance, before those that are drawn next
    bool is_waiting = false;
    bool is_resumed = false;  // nothing was drawn since it was saved
    bool is_begun = false;    // what is decoded next is drawn after as its first token was
    bool is_paused = false;   // its mood, from the next token on
    bool is_unfelt = false;   // the last token was decoded without it

  private:
    using Clock = std::chrono::steady_clock;

    int most_;
    Clock::time_point begun_ = Clock::now();
};

}  // namespace llamood

// Goes back to before an answer collapsed; it goes on in less of its mood, or is stopped.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "steering/guard.hpp"

namespace llamood {

// What becomes of an answer that collapses under its mood.
enum class Care { rescue, stop };

// What is left of the mood after each rescue; an answer that loops without any is stopped. One that
// the model finds unlikely even then is its own way of speaking.
constexpr std::array<double, 3> rescue_factors{0.5, 0.25, 0.0};

// An answer collapsed at `token`, counted from 1, and goes back to the first `kept` tokens; it goes
// on with `factor` of its mood, or is over where that is none.
struct Rescue {
    std::size_t token;
    std::size_t kept;
    std::optional<double> factor;
    Alarm alarm;
};

// What became of an answer that collapsed, once at least.
struct Collapse {
    std::vector<Rescue> rescues;

    // What happened, for a person.
    std::string words() const;
    // What is left of the mood.
    double factor() const;
    // Whether the answer was ended.
    bool is_stopped() const { return !rescues.back().factor.has_value(); }
};

// Hears the tokens of one answer in order as they are drawn, and says how many of them may be told.
// What it says depends on the tokens, and on the rescues before them, alone.
class CollapseMonitor {
  public:
    // A token that was heard, and what was known of it.
    struct Heard {
        int token;
        std::string piece;
        Circumstances circumstances;
    };
    // Where it stands, so that another goes on as this one would. unheard: taken since.
    struct State {
        std::vector<Heard> heard;
        std::vector<Heard> unheard;
        std::size_t n_sound = 0;
        std::shared_ptr<const Collapse> collapse;
    };

    CollapseMonitor(Care care, Guard::CompressedSize compressed_size);

    State state() const { return {heard_, unheard_, n_sound_, collapse_}; }
    // Of one that has heard nothing.
    void restore(State state);

    // How many tokens may be told: all, unless something smells; never fewer than before.
    std::size_t n_sound() const { return n_sound_; }

    // Null where nothing collapsed. It never changes: another rescue makes another one.
    const std::shared_ptr<const Collapse>& collapse() const { return collapse_; }

    // The next token, see Guard::hear. Where the answer has collapsed, the tokens that are not kept
    // were never said.
    std::optional<Rescue> hear(int token_id, const std::string& piece, Circumstances circumstances);

    // The next token, which is told whatever it does to the answer, and so is listened to only
    // where another is heard after it.
    void take(int token_id, std::string piece);

    // All that was heard may be told: the answer is over, or there is no room to wait.
    void pass_all();

  private:
    const std::optional<Alarm>& let_hear(Heard heard);
    Rescue rescued(const Alarm& alarm);

    Care care_;
    Guard guard_;
    std::vector<Heard> heard_;    // by the guard
    std::vector<Heard> unheard_;  // taken since
    std::size_t n_sound_ = 0;
    std::shared_ptr<const Collapse> collapse_;
};

}  // namespace llamood

// Hears an answer collapse: into floods, loops, ever the same few words, bytes that are no text.
//
// Two ears. `Suspicion` sums up evidence token by token, and hears most collapses within two dozen
// tokens; the rules here hear exact loops of any length, and what is hardly new in hundreds of
// bytes. Every bound here lies where ordinary text does not reach; tests/core/test_guard.py
// measures that on prose, code, tables, songs, JSON and other scripts. The share of repeated
// n-grams, the usual measure of whole answers, is not among them: over 64 tokens, code, tables and
// songs reach 90 % and more of repeated 4-grams, while answers that had collapsed into ten words in
// ever other orders had 2 to 60 %.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "steering/suspicion.hpp"

namespace llamood {

// An answer is collapsing. `text`: what it does, for a person.
//
// `kind`: `flood`, one character or a short unit again and again; `loop`, a longer one; `words`,
// ever the same few words; `bytes`, hardly anything new; `broken`, bytes that are no text; `salad`,
// words in no order.
struct Alarm {
    std::string kind;
    std::string text;

    bool operator==(const Alarm& other) const { return kind == other.kind && text == other.text; }
};

// Hears the tokens of one answer in order, and can take the last of them back. What it says is a
// function of what it heard and of nothing else. An answer that was asked to repeat itself is taken
// for collapsed, too.
class Guard {
  public:
    // Bytes of a text as zlib compresses it at its fastest.
    using CompressedSize = std::function<std::size_t(const std::string&)>;

    explicit Guard(CompressedSize compressed_size);

    std::size_t n_heard() const { return moments_.size() - 1; }

    // What is wrong at the last token.
    const std::optional<Alarm>& alarm() const { return moments_.back().alarm; }

    // The number of the token, from 1, from which on what was said smells of collapse; none where
    // it does not.
    std::optional<int> suspect_from() const;

    // Keeps only the first `n_heard` tokens, of those that were heard.
    void forget(std::size_t n_heard);

    // The next token and its text; what is wrong at it. Tokens without a text are told apart by
    // their ids, as they loop like any others.
    const std::optional<Alarm>& hear(int token_id, const std::string& piece,
                                     const Circumstances& circumstances);

  private:
    // What is known after a token.
    struct Moment {
        std::size_t end = 0;        // of its text in all that was said
        std::size_t period = 0;     // of the loop that it is in, in bytes; 0 where it is in none
        std::optional<Alarm> look;  // what the last look at the window found
        std::optional<Alarm> alarm;
    };

    Alarm suspected(const Evidence& evidence) const;

    // Loops, at every token.
    std::size_t period(std::size_t known) const;
    bool loops(std::size_t period) const;
    bool repeats(std::size_t period, std::size_t length) const;
    Alarm loop(std::size_t period) const;

    // The last bytes as a whole, now and then.
    std::optional<Alarm> look() const;
    bool is_flooded() const;
    double zlib_ratio(const std::string& text) const;

    CompressedSize compressed_size_;
    std::string text_;
    std::vector<Moment> moments_;
    Suspicion suspicion_;
};

}  // namespace llamood

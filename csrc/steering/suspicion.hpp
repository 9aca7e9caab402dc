// How far what is said looks like collapse rather than language, token by token.
//
// Each token is evidence for one or the other: what was said shortly before is said again, a mark
// follows itself, bytes are no text. The evidence is summed up and never falls below 0 (Page's
// cumulative sum), so that the sum rises where an answer begins to collapse, however long it was
// sound, and where it last left 0 is where the collapse began.
//
// How strong the mood is says how likely a collapse is before anything was heard: doses that read
// fluently hardly ever break a model, and at twice as much few answers stay sound.
//
// Salad of ever new words cannot be told by its text. There a model finds what it says itself
// unlikely, token after token: a second sum counts that, where probabilities are told, and an
// unlikely token weighs in the first one too.
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace llamood {

// `total`: the evidence. `begin`: at how many tokens it last left 0.
struct EvidenceSum {
    double total = 0.0;
    int begin = 0;

    void add(double weight, int n_heard);
};

// `said`: of what is said; `unlikely`: of how unlikely it is.
struct Evidence {
    EvidenceSum said;
    EvidenceSum unlikely;

    bool is_salad() const;
    bool is_alarming() const;

    // How many tokens are sound; none where all smell of nothing.
    std::optional<int> begin() const;
};

// What is known of a token that is heard beside its text. `logprob`: the logarithm of its
// probability, in its mood; `overdose`: how many times as much of that was added as reads fluently.
struct Circumstances {
    std::optional<double> logprob;
    std::optional<double> overdose;
};

// Hears tokens in order, and can take the last of them back.
class Suspicion {
  public:
    Suspicion();

    const Evidence& evidence() const { return evidence_.back(); }

    void hear(const std::string& piece, const Circumstances& circumstances);

    // Keeps only the first `n_heard` tokens.
    void forget(std::size_t n_heard);

  private:
    // What a token says, told apart without case and spaces, and where it was said.
    struct Unit {
        bool is_word;
        std::vector<int> places;
    };

    // After a token: the bytes of a character that is begun, and whether it ended in a letter.
    struct Ending {
        std::string pending;
        bool in_word = false;
    };

    // How far back it was said before, as a number of a reach, and whether what comes before it now
    // came before it then.
    struct Recurrence {
        std::size_t reach;
        bool is_pair;
    };

    double weight(const std::string& piece);
    Recurrence recurrence(const Unit& unit) const;
    bool is_emphasis(int begin) const;

    std::vector<Evidence> evidence_;
    std::vector<Ending> endings_;
    std::unordered_map<std::u32string, int> numbers_;  // of units
    std::vector<Unit> units_;
    std::vector<int> said_;  // the number of the unit of each token
};

}  // namespace llamood

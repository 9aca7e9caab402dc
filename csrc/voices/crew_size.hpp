// How many threads compute a step where others may want the processors too, a game say.
//
// llama.cpp's threads have equal parts and wait for each other some hundred times a token, so where
// another program takes a processor half of the time, two threads are slower than one. Nobody is
// asked who else runs: a thread that computes alone on its processor is busy all of the time that a
// step takes, and one that waits for another, or for the processor, is not. Where it is not, fewer
// threads are tried for some steps, one less and half in turn, and kept where they are faster; now
// and then more are tried.
#pragma once

namespace llamood {

class CrewSize {
  public:
    // most: 1 or more, the size where nobody else wants the processors.
    explicit CrewSize(int most) : most_(most), size_(most), tried_(most) {}

    // How many threads are to compute the coming step.
    int get() const { return is_trial_ ? tried_ : size_; }
    int most() const { return most_; }

    // A step of so many tokens took so long with get() threads, and the thread that waited for it
    // was busy for `busy` seconds of that. Steps of other numbers of tokens are not compared.
    void note(int n_token, double seconds, double busy);

  private:
    struct Steps {
        int n = 0;
        double seconds = 0.0;
        double busy = 0.0;
    };

    void consider();
    void try_size(int size);
    void judge_trial();

    int most_;
    int size_;
    int tried_;
    bool is_trial_ = false;
    bool is_down_in_vain_ = false;  // fewer were tried last, and were slower
    bool is_by_one_ = true;  // the next trial is of one thread more or less, not of twice or half
    int n_token_ = 0;
    int n_since_ = 0;    // steps since the last trial
    int n_between_ = 0;  // steps from one trial to the next
    Steps usual_;        // the last ones, with size_
    Steps trial_;
};

}  // namespace llamood

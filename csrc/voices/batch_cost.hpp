// How long batches take, as far as was seen: what fits into the time that a game has for a frame.
#pragma once

namespace llamood {

// A batch of n tokens is taken to cost a + b * n seconds, fitted by least squares to the batches
// seen, of which older ones count less.
class BatchCost {
  public:
    void note(int n, double seconds);

    // Seconds that a batch of n tokens will take; 0 where none was seen.
    double expected(int n) const;

    // The largest batch that fits: at most twice the largest that was seen, and at least `least`.
    int most(double seconds, int least) const;

  private:
    double slope() const;

    double weight_ = 0.0;
    double n_ = 0.0;  // means
    double seconds_ = 0.0;
    double variance_ = 0.0;  // of n
    double covariance_ = 0.0;
    int largest_ = 0;
};

}  // namespace llamood

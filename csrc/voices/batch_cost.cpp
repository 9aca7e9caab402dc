#include "voices/batch_cost.hpp"

#include <algorithm>

namespace llamood {

namespace {

constexpr double kept = 0.95;  // of the weight of what was seen before, at each batch

}  // namespace

void BatchCost::note(int n, double seconds) {
    weight_ = kept * weight_ + 1.0;
    const double share = 1.0 / weight_;
    const double by = n - n_;
    const double late = seconds - seconds_;
    n_ += share * by;
    seconds_ += share * late;
    variance_ = (1.0 - share) * (variance_ + share * by * by);
    covariance_ = (1.0 - share) * (covariance_ + share * by * late);
    largest_ = std::max(largest_, n);
}

// Never so steep that a batch of no tokens would take less than no time.
double BatchCost::slope() const {
    if (weight_ == 0.0) return 0.0;
    const double steepest = seconds_ / n_;
    if (variance_ < 1e-9) return steepest / 2;  // not known; half of the cost is a guess
    return std::clamp(covariance_ / variance_, 0.0, steepest);
}

double BatchCost::expected(int n) const {
    return std::max(seconds_ + slope() * (n - n_), 0.0);
}

int BatchCost::most(double seconds, int least) const {
    const int bound = std::max(2 * largest_, least);
    const double steep = slope();
    if (steep <= 0.0) return seconds >= seconds_ ? bound : least;
    const double fits = n_ + (seconds - seconds_) / steep;
    return static_cast<int>(
        std::clamp(fits, static_cast<double>(least), static_cast<double>(bound)));
}

}  // namespace llamood

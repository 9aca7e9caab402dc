// The random walk of a drift, of a seed the same on every machine: its uniform numbers are those of
// Python's random.Random(seed), a Mersenne Twister seeded as Matsumoto and Nishimura's
// init_by_array does (2002); its normal ones are found from them by Wichura's algorithm AS 241
// (Applied Statistics 37, 1988), as statistics.NormalDist does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <random>
#include <vector>

namespace llamood {

// The value that a standard normal variable stays below with probability p, 0 < p < 1.
double normal_quantile(double p);

// An autoregressive process of the first order around 0, of unit spread, that begins at 0. May be
// asked from several threads.
class Ar1 {
  public:
    // half_life: in tokens, of what is left of a deviation.
    Ar1(std::uint32_t seed, double half_life);

    double at(std::size_t token) const;

  private:
    double drawn() const;

    double kept_;
    double stirred_;
    mutable std::mutex mutex_;
    mutable std::mt19937 bits_;           // where the walk ends
    mutable std::vector<double> values_;  // as far as it was asked for
};

}  // namespace llamood

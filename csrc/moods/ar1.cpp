#include "moods/ar1.hpp"

#include <array>
#include <cmath>

namespace llamood {

namespace {

// The state that init_by_array makes of one key, as the seed sequence that a std::mt19937 takes its
// state from as it is.
class Seed {
  public:
    using result_type = std::uint32_t;

    explicit Seed(std::uint32_t key) {
        constexpr std::uint32_t linear = 1812433253;
        state_[0] = 19650218;
        for (std::uint32_t i = 1; i < size; ++i) state_[i] = linear * mixed(i - 1) + i;
        std::uint32_t at = 1;
        for (std::uint32_t n = size; n > 0; --n) {
            state_[at] = (state_[at] ^ mixed(at - 1) * 1664525) + key;
            at = next(at);
        }
        for (std::uint32_t n = size - 1; n > 0; --n) {
            state_[at] = (state_[at] ^ mixed(at - 1) * 1566083941) - at;
            at = next(at);
        }
        state_[0] = 0x80000000;
    }

    template <class Iterator>
    void generate(Iterator begin, Iterator end) {
        for (std::uint32_t i = 0; begin != end; ++begin, ++i) *begin = state_[i % size];
    }

  private:
    static constexpr std::uint32_t size = std::mt19937::state_size;

    std::uint32_t mixed(std::uint32_t i) const { return state_[i] ^ state_[i] >> 30; }
    // The last goes over into the first.
    std::uint32_t next(std::uint32_t at) {
        if (at + 1 < size) return at + 1;
        state_[0] = state_[size - 1];
        return 1;
    }

    std::array<std::uint32_t, size> state_{};
};

std::mt19937 twister(std::uint32_t key) {
    Seed seed(key);
    return std::mt19937(seed);
}

// The coefficients of x^0, x^1, ... of a polynomial.
using Polynomial = std::array<double, 8>;

double value(const Polynomial& polynomial, double x) {
    double sum = 0.0;
    for (auto each = polynomial.rbegin(); each != polynomial.rend(); ++each) sum = sum * x + *each;
    return sum;
}

// AS 241, PPND16: rational approximations in the middle, in the tails, and far out in them.
constexpr Polynomial middle_above = {3.3871328727963666080e0, 1.3314166789178437745e2,
                                     1.9715909503065514427e3, 1.3731693765509461125e4,
                                     4.5921953931549871457e4, 6.7265770927008700853e4,
                                     3.3430575583588128105e4, 2.5090809287301226727e3};
constexpr Polynomial middle_below = {1.0,
                                     4.2313330701600911252e1,
                                     6.8718700749205790830e2,
                                     5.3941960214247511077e3,
                                     2.1213794301586595867e4,
                                     3.9307895800092710610e4,
                                     2.8729085735721942674e4,
                                     5.2264952788528545610e3};
constexpr Polynomial tail_above = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                   5.76949722146069140550e0,  3.64784832476320460504e0,
                                   1.27045825245236838258e0,  2.41780725177450611770e-1,
                                   2.27238449892691845833e-2, 7.74545014278341407640e-4};
constexpr Polynomial tail_below = {1.0,
                                   2.05319162663775882187e0,
                                   1.67638483018380384940e0,
                                   6.89767334985100004550e-1,
                                   1.48103976427480074590e-1,
                                   1.51986665636164571966e-2,
                                   5.47593808499534494600e-4,
                                   1.05075007164441684324e-9};
constexpr Polynomial far_above = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                  1.78482653991729133580e0,  2.96560571828504891230e-1,
                                  2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                  2.71155556874348757815e-5, 2.01033439929228813265e-7};
constexpr Polynomial far_below = {1.0,
                                  5.99832206555887937690e-1,
                                  1.36929880922735805310e-1,
                                  1.48753612908506148525e-2,
                                  7.86869131145613259100e-4,
                                  1.84631831751005468180e-5,
                                  1.42151175831644588870e-7,
                                  2.04426310338993978564e-15};

}  // namespace

double normal_quantile(double p) {
    const double q = p - 0.5;
    if (std::fabs(q) <= 0.425) {
        const double r = 0.180625 - q * q;
        return value(middle_above, r) * q / value(middle_below, r);
    }
    const double r = std::sqrt(-std::log(q <= 0.0 ? p : 1.0 - p));
    const double size = r <= 5.0 ? value(tail_above, r - 1.6) / value(tail_below, r - 1.6)
                                 : value(far_above, r - 5.0) / value(far_below, r - 5.0);
    return q < 0.0 ? -size : size;
}

Ar1::Ar1(std::uint32_t seed, double half_life)
    : kept_(std::pow(0.5, 1.0 / half_life)),
      stirred_(std::pow(1.0 - kept_ * kept_, 0.5)),
      bits_(twister(seed)),
      values_{0.0} {}

double Ar1::at(std::size_t token) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    while (values_.size() <= token) {
        values_.push_back(kept_ * values_.back() + stirred_ * drawn());
    }
    return values_[token];
}

// From 52 bits: 32 of one number, then the highest 20 of the next.
double Ar1::drawn() const {
    const std::uint64_t low = bits_();
    const std::uint64_t high = bits_();
    const auto bits = static_cast<double>(high >> 12 << 32 | low);
    return normal_quantile((bits + 0.5) / 0x1p52);  // never rounded to 1
}

}  // namespace llamood

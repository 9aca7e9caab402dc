// The shapes that a schedule is made of, as functions of the token in closed form.
#pragma once

#include <cstdint>
#include <vector>

#include "moods/ar1.hpp"
#include "moods/schedule.hpp"

namespace llamood {

// How it goes from one point to the next: evenly; in a cubic without overshoot; or not until there.
enum class Ease { linear, smooth, step };

struct Point {
    std::int64_t token;
    double intensity;
};

// Through points, one or more, rising in token; flat before the first and after the last.
//
// smooth is the monotone cubic of Fritsch and Carlson (1980) with the slopes of Fritsch and Butland
// (1984), at rest at both ends: between two points it never leaves their range.
class Curve {
  public:
    Curve(std::vector<Point> points, Ease ease);

    double at(std::int64_t token) const;
    Bounds bounds() const;
    std::int64_t end() const { return points_.back().token; }

  private:
    std::vector<double> found_slopes() const;

    std::vector<Point> points_;
    Ease ease_;
    std::vector<double> slopes_;  // at each point; none unless smooth
};

// The same intensity at every token.
class Constant : public Schedule {
  public:
    explicit Constant(double value) : value_(value) {}

    const char* kind() const override { return "constant"; }
    double at(std::int64_t, const Heard&) const override { return value_; }
    Bounds bounds() const override { return {value_, value_}; }

  private:
    double value_;
};

// From `start` at token 0 to `end` at token `over`, and there it stays.
class Ramp : public Schedule {
  public:
    Ramp(double start, double end, std::int64_t over, Ease ease)
        : curve_({{0, start}, {over, end}}, ease) {}

    const char* kind() const override { return "ramp"; }
    double at(std::int64_t token, const Heard&) const override { return curve_.at(token); }
    Bounds bounds() const override { return curve_.bounds(); }
    std::optional<std::int64_t> length() const override { return curve_.end(); }

  private:
    Curve curve_;
};

// `start` at token 0, half of what is left every `half_life` tokens.
class Decay : public Schedule {
  public:
    Decay(double start, double half_life) : start_(start), half_life_(half_life) {}

    const char* kind() const override { return "decay"; }
    double at(std::int64_t token, const Heard&) const override;
    Bounds bounds() const override { return hull({0.0, 0.0}, {start_, start_}); }

  private:
    double start_;
    double half_life_;
};

// From 0 to `peak` in `attack` tokens, there for `hold`, and back to 0 in `release`.
class Pulse : public Schedule {
  public:
    Pulse(double peak, std::int64_t attack, std::int64_t hold, std::int64_t release);

    const char* kind() const override { return "pulse"; }
    double at(std::int64_t token, const Heard&) const override;
    Bounds bounds() const override { return hull({0.0, 0.0}, {peak_, peak_}); }
    std::optional<std::int64_t> length() const override { return length_; }

  private:
    double peak_;
    std::int64_t attack_;
    std::int64_t release_;
    std::int64_t length_;
};

// Up from `low` to `high` and down again, every `period` tokens, as a cosine.
class Wave : public Schedule {
  public:
    Wave(double low, double high, double period) : low_(low), high_(high), period_(period) {}

    const char* kind() const override { return "wave"; }
    double at(std::int64_t token, const Heard&) const override;
    Bounds bounds() const override { return hull({low_, low_}, {high_, high_}); }

  private:
    double low_;
    double high_;
    double period_;
};

// Through the given points.
class Keys : public Schedule {
  public:
    Keys(std::vector<Point> points, Ease ease) : curve_(std::move(points), ease) {}

    const char* kind() const override { return "keys"; }
    double at(std::int64_t token, const Heard&) const override { return curve_.at(token); }
    Bounds bounds() const override { return curve_.bounds(); }
    std::optional<std::int64_t> length() const override { return curve_.end(); }

  private:
    Curve curve_;
};

// A random walk around `mean` that returns to it: the same for the same seed, everywhere. spread:
// its standard deviation in the long run; it never strays further than four of them. half_life: in
// tokens, of what is left of a deviation. It begins at the mean.
class Drift : public Schedule {
  public:
    Drift(double mean, double spread, double half_life, std::uint32_t seed)
        : mean_(mean), spread_(spread), walk_(seed, half_life) {}

    const char* kind() const override { return "drift"; }
    double at(std::int64_t token, const Heard&) const override;
    Bounds bounds() const override;

  private:
    double mean_;
    double spread_;
    Ar1 walk_;
};

}  // namespace llamood

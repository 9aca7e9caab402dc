// Holds the reading of an emotion at a target, by the weight that is injected at each token.
//
// What is regulated, as far as it is known: the signal of a token is gain * weight + offset +
// noise, with the weight of the token before, and the reading is that signal smoothed, which is a
// first-order lag of known half-life. Tuned as in S. Skogestad, Simple analytic rules for model
// reduction and PID controller tuning (J. Process Control 13, 2003): the integral time is the time
// constant of the lag, which cancels it, and one number sets the speed of the loop that remains. In
// tokens instead of continuous time the cancellation is exact: of an error each token makes good
// the share `speed`, or k * speed if the true gain is k times the believed one. So nothing
// overshoots up to k = 1 / speed, and up to k = 2 / speed the loop is stable.
#pragma once

#include <limits>
#include <optional>

namespace llamood {

// The running state. weight: what is injected. integral: what of it was summed up from errors; the
// rest is proportional to the last one. reading: the last one, NaN where there was none.
struct Regulation {
    double weight;
    double integral;
    double reading = std::numeric_limits<double>::quiet_NaN();
};

// target: where the reading shall be. gain: by how much one unit of weight is believed to move the
// reading in the end, above 0; the truth may be from half to four times as much. half_life: that of
// the smoothing, in tokens, above 0 and up to a million. low, high: what the weight stays between.
// rate: the most that it changes from token to token, above 0; by default a sixteenth of the way
// from `low` to `high`. With a rate of at least a tenth of target / gain the reading settles within
// 30 tokens. lead: how many tokens it looks ahead along the slope of the reading (derivative
// action), 0 or more; for a weight that shows late.
struct RegulatorSettings {
    double target;
    double gain;
    double half_life;
    double low;
    double high;
    std::optional<double> rate = std::nullopt;
    double lead = 0.0;
};

// Never changes. The state is a value of its own, so that tokens can be taken back.
class Regulator {
  public:
    // Throws MoodError for settings that are not finite or out of range.
    explicit Regulator(const RegulatorSettings& settings);

    const RegulatorSettings& settings() const { return settings_; }
    // The most that the weight changes from token to token.
    double stride() const;
    // The weight that is believed to reach the target, within the limits.
    double expected() const;

    // The state that goes on from `weight`, injected last.
    Regulation start(double weight = 0.0) const;

    // The state, where something else had the last word on its weight. allowed: what limits left of
    // it, from which it goes on, so that nothing is summed up beyond them. weight: what was
    // injected, which may still be on its way there.
    Regulation follow(const Regulation& state, double allowed, double weight) const;

    // What follows the state at the next token. From a weight outside the limits it comes back to
    // them at the rate. A reading that is not finite says nothing: all stays as it is.
    Regulation step(const Regulation& state, double reading) const;

  private:
    RegulatorSettings settings_;
    double kept_;
};

}  // namespace llamood

#include "steering/regulator.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "moods/json_value.hpp"
#include "moods/mood_error.hpp"
#include "moods/schedule.hpp"

namespace llamood {

namespace {

constexpr double speed = 0.16;   // in Skogestad's terms about 1 / (tau_c + theta): 5 tokens and the
                                 // one of delay
constexpr double n_stride = 16;  // from one limit to the other, unless a rate is given
// Where the rate holds the weight back, the integral follows it with twice the integral time:
// K. J. Astrom, T. Hagglund, PID Controllers (1995), 3.5, back-calculation. If it went on alone it
// would overshoot; if it stopped, as it does at the limits, noise would keep it from its goal.
constexpr double tracking = 0.5;

void require_finite(const char* name, double value, bool is_above_0 = false) {
    if (!std::isfinite(value)) {
        throw MoodError(name, "a finite number was expected, found " + shortened(value));
    }
    if (is_above_0 && value <= 0.0) {
        throw MoodError(name, "a number above 0 was expected, found " + shortened(value));
    }
}

}  // namespace

Regulator::Regulator(const RegulatorSettings& settings)
    : settings_(settings), kept_(std::pow(0.5, 1.0 / settings.half_life)) {
    require_finite("target", settings.target);
    require_finite("gain", settings.gain, true);
    require_finite("half_life", settings.half_life, true);
    require_finite("low", settings.low);
    require_finite("high", settings.high);
    if (settings.rate.has_value()) require_finite("rate", *settings.rate, true);
    require_finite("lead", settings.lead);
    const std::string longest = std::to_string(longest_schedule);
    if (settings.half_life > static_cast<double>(longest_schedule)) {
        throw MoodError("half_life", longest + " tokens or less were expected, found " +
                                         shortened(settings.half_life));
    }
    if (!(0.0 <= settings.lead && settings.lead <= static_cast<double>(longest_schedule))) {
        throw MoodError(
            "lead", "0 to " + longest + " tokens were expected, found " + shortened(settings.lead));
    }
    if (settings.low >= settings.high) {
        throw MoodError("high", "more than " + shortened(settings.low) + " was expected, found " +
                                    shortened(settings.high));
    }
}

double Regulator::stride() const {
    return settings_.rate.value_or((settings_.high - settings_.low) / n_stride);
}

double Regulator::expected() const {
    return clipped(settings_.target / settings_.gain, settings_.low, settings_.high);
}

Regulation Regulator::start(double weight) const {
    return {weight, clipped(weight, settings_.low, settings_.high)};
}

Regulation Regulator::follow(const Regulation& state, double allowed, double weight) const {
    if (allowed == weight && weight == state.weight) return state;
    double integral = state.integral + (allowed - state.weight);
    integral += tracking * (1.0 - kept_) * (weight - allowed);
    return {weight, clipped(integral, settings_.low, settings_.high), state.reading};
}

Regulation Regulator::step(const Regulation& state, double reading) const {
    if (!std::isfinite(reading)) return state;
    double rising = 0.0;
    if (settings_.lead != 0.0 && std::isfinite(state.reading)) {
        rising = settings_.lead * (reading - state.reading);
    }
    const double summand = speed * (settings_.target - reading - rising) / settings_.gain;
    const double wanted = state.integral + summand / (1.0 - kept_);  // itself, and tau times it
    const double allowed = clipped(wanted, settings_.low, settings_.high);
    const double weight = clipped(allowed, state.weight - stride(), state.weight + stride());
    double integral = state.integral + tracking * (1.0 - kept_) * (weight - allowed);
    // The integral is within, so only an error that presses on a limit gets beyond it.
    if (wanted == allowed) integral += summand;
    return {weight, clipped(integral, settings_.low, settings_.high), reading};
}

}  // namespace llamood

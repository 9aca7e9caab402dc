#include "moods/shapes.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "moods/mood_error.hpp"

namespace llamood {

namespace {

constexpr double pi = 3.14159265358979323846;
constexpr double most_spreads = 4.0;  // drift keeps within so many spreads of its mean

}  // namespace

Curve::Curve(std::vector<Point> points, Ease ease) : points_(std::move(points)), ease_(ease) {
    if (ease_ == Ease::smooth) slopes_ = found_slopes();
}

double Curve::at(std::int64_t token) const {
    if (points_.size() == 1) return points_[0].intensity;
    const std::int64_t t = std::clamp(token, points_.front().token, points_.back().token);
    const auto after = std::upper_bound(
        points_.begin(), points_.end(), t,
        [](std::int64_t wanted, const Point& point) { return wanted < point.token; });
    const auto right = std::min<std::size_t>(after - points_.begin(), points_.size() - 1);
    const Point& a = points_[right - 1];
    const Point& b = points_[right];
    const auto width = static_cast<double>(b.token - a.token);
    double share = static_cast<double>(t - a.token) / width;
    if (ease_ == Ease::step) share = std::floor(share);
    const double rest = 1.0 - share;
    const double value = ease_ != Ease::smooth
                             ? a.intensity * rest + b.intensity * share
                             : a.intensity * (1.0 + 2.0 * share) * (rest * rest) +
                                   b.intensity * (share * share) * (3.0 - 2.0 * share) +
                                   slopes_[right - 1] * width * share * (rest * rest) -
                                   slopes_[right] * width * (share * share) * rest;
    return clipped(value, std::min(a.intensity, b.intensity), std::max(a.intensity, b.intensity));
}

Bounds Curve::bounds() const {
    const auto [low, high] = std::minmax_element(
        points_.begin(), points_.end(),
        [](const Point& one, const Point& other) { return one.intensity < other.intensity; });
    return {low->intensity, high->intensity};
}

// At each point the weighted harmonic mean of the slopes beside it, 0 where they turn.
std::vector<double> Curve::found_slopes() const {
    std::vector<double> slopes(points_.size(), 0.0);
    const auto width = [this](std::size_t i) {
        return static_cast<double>(points_[i + 1].token - points_[i].token);
    };
    const auto slope = [this, &width](std::size_t i) {
        return (points_[i + 1].intensity - points_[i].intensity) / width(i);
    };
    for (std::size_t i = 1; i + 1 < points_.size(); ++i) {
        const double before = slope(i - 1);
        const double after = slope(i);
        const double product = before * after;
        if (!(product > 0.0)) continue;
        const double heavy = 2.0 * width(i) + width(i - 1);
        const double light = width(i) + 2.0 * width(i - 1);
        // Written so that nothing is divided by a slope next to nothing.
        slopes[i] = (heavy + light) * (product / (heavy * after + light * before));
    }
    return slopes;
}

double Decay::at(std::int64_t token, const Heard&) const {
    return start_ * std::exp2(-static_cast<double>(token) / half_life_);
}

Pulse::Pulse(double peak, std::int64_t attack, std::int64_t hold, std::int64_t release)
    : peak_(peak), attack_(attack), release_(release), length_(attack + hold + release) {
    if (hold == 0 && release == 0) {
        throw MoodError("", "the pulse is over before it is there; give it a hold or a release");
    }
}

// Without an attack the peak is there at token 0; without a release it is there until the token
// before the end.
double Pulse::at(std::int64_t token, const Heard&) const {
    const auto ratio = [](std::int64_t over, std::int64_t under) {
        return static_cast<double>(over) / static_cast<double>(std::max<std::int64_t>(under, 1));
    };
    const double rising = ratio(token + (attack_ == 0 ? 1 : 0), attack_);
    const double falling = ratio(length_ - token, release_);
    return peak_ * clipped(std::min(rising, falling), 0.0, 1.0);
}

double Wave::at(std::int64_t token, const Heard&) const {
    const double share = 0.5 - 0.5 * std::cos(2.0 * pi * static_cast<double>(token) / period_);
    const auto [low, high] = bounds();
    return clipped(low_ * (1.0 - share) + high_ * share, low, high);
}

double Drift::at(std::int64_t token, const Heard&) const {
    const double strayed = walk_.at(static_cast<std::size_t>(token));
    return mean_ + spread_ * clipped(strayed, -most_spreads, most_spreads);
}

Bounds Drift::bounds() const {
    return {mean_ - most_spreads * spread_, mean_ + most_spreads * spread_};
}

}  // namespace llamood

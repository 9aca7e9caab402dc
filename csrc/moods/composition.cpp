#include "moods/composition.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "moods/json_value.hpp"
#include "moods/mood_error.hpp"
#include "moods/shapes.hpp"

namespace llamood {

namespace {

// What keeps within bounds, once held between `low` and `high`.
Bounds held(const Bounds& bounds, double low, double high) {
    return {clipped(bounds.low, low, high), clipped(bounds.high, low, high)};
}

template <class Kind>
Schedules taken_apart(const Schedules& parts) {
    Schedules all;
    for (const SchedulePtr& part : parts) {
        if (dynamic_cast<const Kind*>(part.get()) == nullptr) {
            all.push_back(part);
        } else {
            const Schedules inner = part->inner();
            all.insert(all.end(), inner.begin(), inner.end());
        }
    }
    return all;
}

}  // namespace

double Combined::at(std::int64_t token, const Heard& heard) const {
    double value = parts_[0]->at(token, heard);
    for (std::size_t i = 1; i < parts_.size(); ++i) {
        value = join(value, parts_[i]->at(token, heard));
        if (calls() && std::fabs(value) > largest_intensity) {
            throw MoodError(kind(), "larger than " + shortened(largest_intensity) +
                                        " in size at token " + std::to_string(token) +
                                        "; give it smaller parts");
        }
    }
    return value;
}

Bounds Combined::joined(const Bounds& one, const Bounds& other) const {
    const auto [low, high] = std::minmax({join(one.low, other.low), join(one.low, other.high),
                                          join(one.high, other.low), join(one.high, other.high)});
    if (calls()) return held({low, high}, -largest_intensity, largest_intensity);
    return {low, high};
}

Bounds Combined::bounds() const {
    Bounds all = parts_[0]->bounds();
    for (std::size_t i = 1; i < parts_.size(); ++i) all = joined(all, parts_[i]->bounds());
    return all;
}

// a + b + c is (a + b) + c, so nothing on the way may be too large either.
double Combined::reach() const {
    Bounds all = parts_[0]->bounds();
    double most = std::max(-all.low, all.high);
    for (std::size_t i = 1; i < parts_.size(); ++i) {
        all = joined(all, parts_[i]->bounds());
        most = std::max({most, -all.low, all.high});
    }
    return most;
}

std::optional<std::int64_t> Combined::length() const {
    std::optional<std::int64_t> longest;
    for (const SchedulePtr& part : parts_) {
        if (dynamic_cast<const Constant*>(part.get()) != nullptr) continue;
        const auto length = part->length();
        if (!length.has_value()) return std::nullopt;
        longest = std::max(longest.value_or(0), *length);
    }
    return longest;
}

Sum::Sum(const Schedules& parts) : Combined(taken_apart<Sum>(parts)) {}

Product::Product(const Schedules& parts) : Combined(taken_apart<Product>(parts)) {}

Then::Then(SchedulePtr first, SchedulePtr second, std::optional<std::int64_t> after)
    : first_(std::move(first)), second_(std::move(second)) {
    const auto turn = after.has_value() ? after : first_->length();
    if (!turn.has_value()) {
        throw MoodError("",
                        "the first schedule never ends; say after how many tokens the next begins");
    }
    turn_ = *turn;
}

double Then::at(std::int64_t token, const Heard& heard) const {
    if (token < turn_) return first_->at(token, heard);
    return begun_at(turn_, *second_, token, heard);
}

std::optional<std::int64_t> Then::length() const {
    const auto length = second_->length();
    return length.has_value() ? std::optional(turn_ + *length) : std::nullopt;
}

Clamp::Clamp(SchedulePtr schedule, double low, double high)
    : Changed(std::move(schedule)), low_(low), high_(high) {
    if (low > high) {
        throw MoodError("high",
                        "at least " + shortened(low) + " was expected, found " + shortened(high));
    }
}

double Clamp::at(std::int64_t token, const Heard& heard) const {
    return clipped(schedule_->at(token, heard), low_, high_);
}

Bounds Clamp::bounds() const {
    return held(schedule_->bounds(), low_, high_);
}

double Delay::at(std::int64_t token, const Heard& heard) const {
    return token < by_ ? 0.0 : begun_at(by_, *schedule_, token, heard);
}

std::optional<std::int64_t> Delay::length() const {
    const auto length = schedule_->length();
    return length.has_value() ? std::optional(by_ + *length) : std::nullopt;
}

Repeat::Repeat(SchedulePtr schedule, std::optional<std::int64_t> times,
               std::optional<std::int64_t> every)
    : Changed(std::move(schedule)), times_(times) {
    const auto length = schedule_->length();
    if (!every.has_value() && length.value_or(0) == 0) {
        throw MoodError("", std::string("the schedule ") +
                                (length.has_value() ? "has no length" : "never ends") +
                                "; say every how many tokens it begins anew");
    }
    period_ = every.has_value() ? *every : *length;
}

double Repeat::at(std::int64_t token, const Heard& heard) const {
    std::int64_t turn = token / period_;
    if (times_.has_value()) {
        turn = std::min(turn, *times_ - 1);
        token = std::min(token, *times_ * period_);
    }
    return begun_at(turn * period_, *schedule_, token, heard);
}

std::optional<std::int64_t> Repeat::length() const {
    return times_.has_value() ? std::optional(*times_ * period_) : std::nullopt;
}

double Max::at(std::int64_t token, const Heard& heard) const {
    return clipped(schedule_->at(token, heard), -size_, size_);
}

Bounds Max::bounds() const {
    return held(schedule_->bounds(), -size_, size_);
}

Floored::Floored(SchedulePtr schedule, double least) : Bounding(std::move(schedule), least) {
    if (dynamic_cast<const Capped*>(inner()[0].get()) != nullptr) {
        throw MoodError("", "a floor is given before the cap: .floor(...).cap(...)");
    }
}

Capped::Capped(SchedulePtr schedule, double most) : Bounding(std::move(schedule), most) {
    const auto* floor = dynamic_cast<const Floored*>(inner()[0].get());
    if (floor == nullptr || floor->bound() <= most) return;
    throw MoodError("cap", "at least the floor, " + shortened(floor->bound()) +
                               ", was expected, found " + shortened(most));
}

}  // namespace llamood

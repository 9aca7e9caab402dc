#include "moods/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "moods/json_value.hpp"
#include "moods/mood_error.hpp"

namespace llamood {

namespace {

bool is_bound(const Schedule& schedule) {
    return std::strcmp(schedule.kind(), "cap") == 0 || std::strcmp(schedule.kind(), "floor") == 0;
}

}  // namespace

Heard Heard::since(std::int64_t token) const {
    Heard heard = *this;
    heard.origin_ += token;
    return heard;
}

std::optional<std::int64_t> Heard::last(const std::string& text, std::int64_t token) const {
    if (events_ == nullptr) return std::nullopt;
    const auto entry = events_->find(text);
    if (entry == events_->end()) return std::nullopt;
    const auto& times = entry->second;
    const auto after = std::upper_bound(times.begin(), times.end(), token + origin_);
    if (after == times.begin() || *(after - 1) < origin_) return std::nullopt;
    return *(after - 1) - origin_;
}

Opening Heard::opening(const std::string& gate, std::int64_t token) const {
    if (flips_ == nullptr) return {};
    const auto entry = flips_->find(gate);
    if (entry == flips_->end()) return {};
    const auto& times = entry->second;
    const auto n = std::upper_bound(times.begin(), times.end(), token + origin_) - times.begin();
    const auto since = [this, &times](std::ptrdiff_t i) {
        return std::max<std::int64_t>(times[static_cast<std::size_t>(i)] - origin_, 0);
    };
    if (n == 0) return {};
    if (n % 2 == 1) return {true, since(n - 1), n > 1 ? since(n - 2) : 0};
    const bool was_open = since(n - 1) > 0;  // here, and not only before
    return {false, was_open ? std::optional(since(n - 2)) : std::nullopt, since(n - 1)};
}

double Schedule::reach() const {
    const Bounds all = bounds();
    return std::max(std::fabs(all.low), std::fabs(all.high));
}

void Schedule::finish(std::shared_ptr<const Values> values) {
    values_ = std::move(values);
    count();
    const auto end = length();
    if (end.has_value() && *end > longest_schedule) {
        throw MoodError(kind(), "ends at token " + std::to_string(*end) + "; " +
                                    std::to_string(longest_schedule) + " or less was expected");
    }
    const double most = reach();
    if (most > largest_intensity) {
        throw MoodError(kind(), "can reach a size of " + shortened(most) + "; " +
                                    shortened(largest_intensity) + " or less was expected");
    }
}

void Schedule::count() {
    int deepest = 0;
    for (const SchedulePtr& each : inner()) {
        if (is_bound(*each) && !is_bound(*this)) {
            throw MoodError(kind(), std::string(each->kind()) +
                                        " bounds the emotion as a whole, not one of the schedules "
                                        "that it is made of; let it stand outside of all");
        }
        if (each->regulates() && std::strcmp(kind(), "max") != 0) {
            throw MoodError(kind(),
                            "hold says what is to be read, not what is to be added, so nothing can "
                            "be made of it; let it stand for the whole emotion, alone or with a "
                            "max");
        }
        deepest = std::max(deepest, each->depth());
        n_schedule_ += each->n_schedule();
        listens_ = listens_ || each->listens();
        calls_ = calls_ || each->calls();
        regulates_ = regulates_ || each->regulates();
    }
    depth_ += deepest;
    if (depth_ > deepest_schedule || n_schedule_ > most_schedules) {
        throw MoodError(kind(), "at most " + std::to_string(most_schedules) + " schedules nested " +
                                    std::to_string(deepest_schedule) +
                                    " deep were expected, found " + std::to_string(n_schedule_) +
                                    " nested " + std::to_string(depth_) + " deep");
    }
}

double begun_at(std::int64_t begin, const Schedule& inner, std::int64_t token, const Heard& heard) {
    return inner.at(token - begin, heard.since(begin));
}

std::map<std::string, Gate> gates_of(const Schedule& schedule) {
    std::map<std::string, Gate> gates;
    if (schedule.gate() != nullptr) gates.emplace(schedule.gate()->key(), *schedule.gate());
    for (const SchedulePtr& each : schedule.inner()) gates.merge(gates_of(*each));
    return gates;
}

Bounds hull(const Bounds& one, const Bounds& other) {
    return {std::min(one.low, other.low), std::max(one.high, other.high)};
}

double clipped(double value, double low, double high) {
    return std::min(std::max(value, low), high);
}

}  // namespace llamood

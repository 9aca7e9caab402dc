// What schedules are composed by: sums, products, one after another, limits.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "moods/schedule.hpp"

namespace llamood {

// Parts that are joined one after another, from the first; ends when the last of them has,
// constants aside. Parts of the same kind are taken apart: a + b + c is one sum of three.
class Combined : public Schedule {
  public:
    double at(std::int64_t token, const Heard& heard) const override;
    Bounds bounds() const override;
    double reach() const override;
    std::optional<std::int64_t> length() const override;
    Schedules inner() const override { return parts_; }

  protected:
    explicit Combined(Schedules parts) : parts_(std::move(parts)) {}
    virtual double join(double one, double other) const = 0;

    Schedules parts_;

  private:
    Bounds joined(const Bounds& one, const Bounds& other) const;
};

class Sum : public Combined {
  public:
    explicit Sum(const Schedules& parts);

    const char* kind() const override { return "sum"; }

  protected:
    double join(double one, double other) const override { return one + other; }
};

class Product : public Combined {
  public:
    explicit Product(const Schedules& parts);

    const char* kind() const override { return "product"; }

  protected:
    double join(double one, double other) const override { return one * other; }
};

// `first`, and `second` from where that ends, or from token `after`.
class Then : public Schedule {
  public:
    Then(SchedulePtr first, SchedulePtr second, std::optional<std::int64_t> after);

    const char* kind() const override { return "then"; }
    double at(std::int64_t token, const Heard& heard) const override;
    Bounds bounds() const override { return hull(first_->bounds(), second_->bounds()); }
    std::optional<std::int64_t> length() const override;
    Schedules inner() const override { return {first_, second_}; }

  private:
    SchedulePtr first_;
    SchedulePtr second_;
    std::int64_t turn_;  // the token at which the second begins
};

// What one schedule becomes.
class Changed : public Schedule {
  public:
    Bounds bounds() const override { return schedule_->bounds(); }
    std::optional<std::int64_t> length() const override { return schedule_->length(); }
    Schedules inner() const override { return {schedule_}; }

  protected:
    explicit Changed(SchedulePtr schedule) : schedule_(std::move(schedule)) {}

    SchedulePtr schedule_;
};

// Never below `low` nor above `high`.
class Clamp : public Changed {
  public:
    Clamp(SchedulePtr schedule, double low, double high);

    const char* kind() const override { return "clamp"; }
    double at(std::int64_t token, const Heard& heard) const override;
    Bounds bounds() const override;

  private:
    double low_;
    double high_;
};

// Nothing for `by` tokens, then the schedule.
class Delay : public Changed {
  public:
    Delay(SchedulePtr schedule, std::int64_t by) : Changed(std::move(schedule)), by_(by) {}

    const char* kind() const override { return "delay"; }
    double at(std::int64_t token, const Heard& heard) const override;
    Bounds bounds() const override { return hull({0.0, 0.0}, schedule_->bounds()); }
    std::optional<std::int64_t> length() const override;

  private:
    std::int64_t by_;
};

// The schedule `times` times, or for ever: begun anew where it ends, or `every` so many tokens.
// After the last time it stays as it was then.
class Repeat : public Changed {
  public:
    Repeat(SchedulePtr schedule, std::optional<std::int64_t> times,
           std::optional<std::int64_t> every);

    const char* kind() const override { return "repeat"; }
    double at(std::int64_t token, const Heard& heard) const override;
    std::optional<std::int64_t> length() const override;

  private:
    std::optional<std::int64_t> times_;
    std::int64_t period_;
};

// Never larger in size than `size`. At the top of an emotion's schedule it also stands in for the
// ceiling that is stored with the vectors.
class Max : public Changed {
  public:
    Max(SchedulePtr schedule, double size) : Changed(std::move(schedule)), size_(size) {}

    const char* kind() const override { return "max"; }
    double at(std::int64_t token, const Heard& heard) const override;
    Bounds bounds() const override;
    double size() const { return size_; }

  private:
    double size_;
};

// The schedule, and a bound on how far hidden states go along the emotion's vector, in standard
// deviations of neutral text, from its middle: never above `most`, or never below `least`. It
// stands at the top of an emotion's schedule; of both the cap is outside. Of two caps, or two
// floors, the tighter one counts.
class Bounding : public Changed {
  public:
    double at(std::int64_t token, const Heard& heard) const override {
        return schedule_->at(token, heard);
    }
    double bound() const { return bound_; }

  protected:
    Bounding(SchedulePtr schedule, double bound) : Changed(std::move(schedule)), bound_(bound) {}

  private:
    double bound_;
};

class Floored : public Bounding {
  public:
    Floored(SchedulePtr schedule, double least);

    const char* kind() const override { return "floor"; }
};

class Capped : public Bounding {
  public:
    Capped(SchedulePtr schedule, double most);

    const char* kind() const override { return "cap"; }
};

}  // namespace llamood

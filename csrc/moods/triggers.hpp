// Schedules whose values are known only token by token.
#pragma once

#include <cstdint>
#include <string>

#include "moods/schedule.hpp"

namespace llamood {

// The schedule, begun anew each time that `text` appears in what was generated; 0 before.
//
// The text is matched exactly, byte by byte, also where it spans tokens. The schedule's token 0 is
// the token that completed the text, so the next one is the first to be chosen under it.
class On : public Schedule {
  public:
    On(std::string text, SchedulePtr schedule);

    const char* kind() const override { return "on"; }
    double at(std::int64_t token, const Heard& heard) const override;
    Bounds bounds() const override { return hull({0.0, 0.0}, schedule_->bounds()); }
    Schedules inner() const override { return {schedule_}; }
    const std::string* text() const override { return &text_; }

  private:
    std::string text_;
    SchedulePtr schedule_;
};

// A schedule while a gate is open, begun anew each time that it opens, and another while it is
// closed, begun anew each time that it closes; no other is 0. stays: the first goes on when the
// gate closes.
class When : public Schedule {
  public:
    When(Gate gate, SchedulePtr open, SchedulePtr closed, bool stays);

    const char* kind() const override { return "when"; }
    double at(std::int64_t token, const Heard& heard) const override;
    Bounds bounds() const override;
    Schedules inner() const override;
    const Gate* gate() const override { return &gate_; }

  private:
    Gate gate_;
    std::string key_;
    SchedulePtr open_;
    SchedulePtr closed_;  // null for 0
    bool stays_;
};

// Whatever intensity it takes for the emotion to be read at a target. It is found by who reads
// while a voice speaks, so there are no values, and nothing can be made of it but its max.
class Hold : public Schedule {
  public:
    explicit Hold(double target);

    // A z-score.
    double target() const { return target_; }
    const char* kind() const override { return "hold"; }
    // Throws MoodError.
    double at(std::int64_t token, const Heard& heard) const override;
    Bounds bounds() const override { return {-largest_intensity, largest_intensity}; }

  private:
    double target_;
};

constexpr const char* not_read =
    "what is read is known only to a voice that reads while it speaks; open it "
    "with Llama(..., emotions=..., readings=True), or Cast, which needs a baseline beside the "
    "vectors (llamood read --measure)";

}  // namespace llamood

// A schedule: an intensity that changes over the tokens of an answer, as an immutable value. How
// people write one in Python is python/llamood/moods/schedule.py.
//
// Token 0 is the last token of the prompt, which predicts the first word of the answer; token t is
// the t-th generated one, which predicts the next. Everything here is numbers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "moods/gate.hpp"

namespace llamood {

constexpr double largest_intensity = 1e3;             // models collapse long before this
constexpr std::int64_t longest_schedule = 1'000'000;  // tokens
constexpr int deepest_schedule = 32;                  // schedules within schedules
constexpr int most_schedules = 1000;                  // in one

// When texts appeared in what was generated: for each the tokens, rising, that completed it.
using Events = std::map<std::string, std::vector<std::int64_t>>;

// Whether a gate is open, when it opened last, and when it closed, which is 0 where it never did.
struct Opening {
    bool is_open = false;
    std::optional<std::int64_t> opened;
    std::int64_t closed = 0;
};

// Events and gates as a schedule hears them that begins at token `origin`: what happens there or
// later, counted from there. A gate that is open there opened there.
class Heard {
  public:
    // Heard nothing.
    Heard() = default;
    // events and flips must outlive it.
    explicit Heard(const Events& events, std::int64_t origin = 0, const Flips* flips = nullptr)
        : events_(&events), flips_(flips), origin_(origin) {}

    // The same for a schedule that begins at `token` of this one.
    Heard since(std::int64_t token) const;
    // When the text was last completed, up to `token`.
    std::optional<std::int64_t> last(const std::string& text, std::int64_t token) const;
    // A gate at a token, by its key.
    Opening opening(const std::string& gate, std::int64_t token) const;

  private:
    const Events* events_ = nullptr;
    const Flips* flips_ = nullptr;
    std::int64_t origin_ = 0;
};

// Between what an intensity stays.
struct Bounds {
    double low;
    double high;
};

class Schedule;
class Values;
using SchedulePtr = std::shared_ptr<const Schedule>;
using Schedules = std::vector<SchedulePtr>;

// Made by made_of() in kinds.hpp. What is good alone but not together is refused by the
// constructors.
class Schedule {
  public:
    virtual ~Schedule() = default;
    Schedule(const Schedule&) = delete;
    Schedule& operator=(const Schedule&) = delete;

    virtual const char* kind() const = 0;  // its name in JSON
    // The intensity at a token, which is 0 or larger.
    virtual double at(std::int64_t token, const Heard& heard) const = 0;
    virtual Bounds bounds() const = 0;
    // The largest size that it can come to, also on the way to its value.
    virtual double reach() const;
    // The token at which it has come to its end, where what follows takes over; none where it never
    // ends. Beyond its end a schedule keeps its last value.
    virtual std::optional<std::int64_t> length() const { return std::nullopt; }
    // The schedules that it is made of.
    virtual Schedules inner() const { return {}; }
    // The text that it waits for.
    virtual const std::string* text() const { return nullptr; }
    // What it opens for.
    virtual const Gate* gate() const { return nullptr; }

    // Whether a value is known only when the text before it is.
    bool listens() const { return listens_; }
    // Whether a function is asked for values, which are known, and may be refused, only then.
    bool calls() const { return calls_; }
    // Whether it is no schedule of values, but of what shall be read.
    bool regulates() const { return regulates_; }
    // In all, and how deep they are nested.
    int n_schedule() const { return n_schedule_; }
    int depth() const { return depth_; }

    // Its parameters; null where it has no written form.
    const Values* values() const { return values_.get(); }

    // Keep its parameters, count what it is made of, and refuse absurd sizes: what could exceed
    // 1000, ends after a million tokens, or is made of more schedules, or deeper, than anyone
    // writes. Throws MoodError.
    void finish(std::shared_ptr<const Values> values);

  protected:
    Schedule() = default;

    bool listens_ = false;
    bool calls_ = false;
    bool regulates_ = false;

  private:
    void count();

    std::shared_ptr<const Values> values_;
    int n_schedule_ = 1;
    int depth_ = 1;
};

// The value of `inner` at `token` as if it had begun at `begin`.
double begun_at(std::int64_t begin, const Schedule& inner, std::int64_t token, const Heard& heard);

// What it and the schedules in it open for, by key.
std::map<std::string, Gate> gates_of(const Schedule& schedule);

// The bounds of what keeps within either.
Bounds hull(const Bounds& one, const Bounds& other);

// Never below `low` nor above `high`.
double clipped(double value, double low, double high);

}  // namespace llamood

// The kinds of schedules that are written down, and what each takes: the one table that everything
// which reads, writes or describes schedules goes by.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "moods/json_value.hpp"
#include "moods/parameters.hpp"
#include "moods/schedule.hpp"

namespace llamood {

// main: it stands under the kind's own name, as in {"ramp": [0, 1]}. beside: a schedule whose keys
// stand beside those of the kind, as those of the pulse in {"on": "betray", "pulse": 1.5}. own:
// under its own key.
enum class Standing { main, beside, own };

// otherwise: what it is where it is not said; null where it is nothing then.
struct Parameter {
    std::string key;
    ParameterKind kind;
    Standing standing = Standing::own;
    bool is_required = false;
    JsonValue otherwise = {nullptr};
};

// The parameters of one schedule, by key, in the order of the table.
class Values {
  public:
    void set(const std::string& key, JsonValue value);
    // Null where it is not said.
    const JsonValue* find(const std::string& key) const;
    const std::vector<std::pair<std::string, JsonValue>>& all() const { return values_; }

    double number(const std::string& key) const;
    std::int64_t count(const std::string& key) const { return count_if_any(key).value_or(0); }
    std::optional<std::int64_t> count_if_any(const std::string& key) const;
    const std::string& text(const std::string& key) const;
    const SchedulePtr& schedule(const std::string& key) const;
    // Null where it is not said.
    SchedulePtr schedule_if_any(const std::string& key) const;
    Schedules schedules(const std::string& key) const;

  private:
    std::vector<std::pair<std::string, JsonValue>> values_;
};

struct Kind {
    std::string name;
    std::vector<Parameter> parameters;
    // What is the same when it is written otherwise is taken apart in the values, too.
    std::shared_ptr<Schedule> (*make)(Values& values);

    std::vector<std::string> keys(Standing standing) const;
    // Where a parameter lies in what is written.
    std::string place(const Parameter& parameter) const;
};

// In the order in which messages list them.
const std::vector<Kind>& kinds();
// Null where there is none.
const Kind* kind_named(const std::string& name);

// Throws MoodError where something is left out.
void require_given(const Kind& kind, const Values& given);

// A schedule of these values, schedules among them being made already. Throws MoodError at the
// place of a parameter.
SchedulePtr made_of(const Kind& kind, const Values& given);
SchedulePtr constant(double value);

}  // namespace llamood

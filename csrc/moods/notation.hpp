// How a schedule is written in JSON, as in {"ramp": [0, 1.2], "over": 64}. What each kind takes:
// kinds.hpp.
#pragma once

#include "moods/json_value.hpp"
#include "moods/schedule.hpp"

namespace llamood {

// A number is a constant, and a schedule that is made already stays as it is. Throws MoodError; its
// place lies in `value`. depth: of schedules around it.
SchedulePtr from_json(const JsonValue& value, int depth = 0);

// The same backwards: from_json() of it is an equal schedule. What is as it would be unless it is
// said is left out. Throws MoodError for what has no written form, a function.
JsonValue to_json(const Schedule& schedule);

}  // namespace llamood

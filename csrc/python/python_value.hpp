// What Python writes of a mood, as a tree of values, and back.
#pragma once

#include <pybind11/pybind11.h>

#include "moods/json_value.hpp"

namespace llamood {

// Whatever is no number, text, list, mapping or schedule is a value that nothing takes. All are
// shown in messages as people know them from Python. A schedule is one of the core, or what has one
// as its `core`.
JsonValue value_of(const pybind11::handle& value);

// Lists become tuples; of schedules it is those of the core.
pybind11::object python_of(const JsonValue& value);

}  // namespace llamood

// What Python calls the reasons for which an answer is over.
#pragma once

#include <pybind11/pybind11.h>

#include "voices/stage.hpp"

namespace llamood {

// None where it is not.
inline pybind11::object end_of(End end) {
    static constexpr const char* names[]{nullptr,       "stop",   "length", "time",
                                         "interrupted", "failed", "refused"};
    const char* name = names[static_cast<int>(end)];
    if (name == nullptr) return pybind11::none();
    return pybind11::str(name);
}

}  // namespace llamood

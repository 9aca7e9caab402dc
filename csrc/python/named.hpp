// Numbers of emotions, as Python has them by name.
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <vector>

#include "moods/mood.hpp"

namespace llamood {

// All of them; nothing where there are none.
template <class Value>
pybind11::dict named(const Names& names, const std::vector<Value>& values) {
    pybind11::dict named;
    for (std::size_t i = 0; i < values.size(); ++i) {
        named[pybind11::str(names[i])] = static_cast<double>(values[i]);
    }
    return named;
}

// Those that are not 0.
template <class Value>
pybind11::dict felt(const Names& names, const std::vector<Value>& weights) {
    pybind11::dict felt;
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (weights[i] != 0) felt[pybind11::str(names[i])] = static_cast<double>(weights[i]);
    }
    return felt;
}

}  // namespace llamood

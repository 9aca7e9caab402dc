// What Python is told of an answer that collapsed, and what it lends to hear that.
#pragma once

#include <pybind11/pybind11.h>

#include <cstddef>
#include <memory>
#include <string>

#include "steering/collapse_monitor.hpp"

namespace llamood {

// rescue or stop.
Care care_named(const std::string& name);

// See Guard::CompressedSize; by Python's zlib, with the interpreter's lock.
std::size_t zlib_size(const std::string& text);

// JSON-able; None for null.
pybind11::object told(const std::shared_ptr<const Collapse>& collapse);

}  // namespace llamood

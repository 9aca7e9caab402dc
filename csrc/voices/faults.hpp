// What a cast says no with; each is of a kind that its faces tell apart.
#pragma once

#include <stdexcept>

namespace llamood {

// What was asked for cannot be done now, or not so; nothing has changed. In Python it is a
// LlamoodError.
class Refused : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// The model has no room for it, or failed. In Python it is a ModelError.
class ModelFault : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

}  // namespace llamood

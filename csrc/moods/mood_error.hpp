// The one error of moods. The same in Python is llamood.errors.MoodError.
#pragma once

#include <stdexcept>
#include <string>

namespace llamood {

// A mood that means nothing. where: the place in it, as in joy.ramp[1]; fault: what was found, what
// was expected.
class MoodError : public std::invalid_argument {
  public:
    MoodError(const std::string& where, const std::string& fault);

    const std::string& where() const { return where_; }
    const std::string& fault() const { return fault_; }

    // The same fault, seen from outside: its place lies in `place`.
    MoodError within(const std::string& place) const;

  private:
    std::string where_;
    std::string fault_;
};

// What `read` returns; a fault in it lies in `place`.
template <class Read>
auto placed(const std::string& place, Read read) {
    try {
        return read();
    } catch (const MoodError& error) {
        throw error.within(place);
    }
}

}  // namespace llamood

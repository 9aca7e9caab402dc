#include "moods/triggers.hpp"

#include <utility>

#include "moods/mood_error.hpp"

namespace llamood {

On::On(std::string text, SchedulePtr schedule)
    : text_(std::move(text)), schedule_(std::move(schedule)) {
    listens_ = true;
}

double On::at(std::int64_t token, const Heard& heard) const {
    const auto begin = heard.last(text_, token);
    return begin.has_value() ? begun_at(*begin, *schedule_, token, heard) : 0.0;
}

Hold::Hold(double target) : target_(target) {
    listens_ = true;
    regulates_ = true;
}

double Hold::at(std::int64_t, const Heard&) const {
    throw MoodError("", not_read);
}

}  // namespace llamood

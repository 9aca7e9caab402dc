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

When::When(Gate gate, SchedulePtr open, SchedulePtr closed, bool stays)
    : gate_(std::move(gate)),
      key_(gate_.key()),
      open_(std::move(open)),
      closed_(std::move(closed)),
      stays_(stays) {
    listens_ = true;
}

double When::at(std::int64_t token, const Heard& heard) const {
    const Opening opening = heard.opening(key_, token);
    if (opening.is_open || (stays_ && opening.opened.has_value())) {
        return begun_at(*opening.opened, *open_, token, heard);
    }
    return closed_ == nullptr ? 0.0 : begun_at(opening.closed, *closed_, token, heard);
}

Bounds When::bounds() const {
    return hull(open_->bounds(), closed_ == nullptr ? Bounds{0.0, 0.0} : closed_->bounds());
}

Schedules When::inner() const {
    Schedules inner = {open_};
    if (closed_ != nullptr) inner.push_back(closed_);
    return inner;
}

Hold::Hold(double target) : target_(target) {
    listens_ = true;
    regulates_ = true;
}

double Hold::at(std::int64_t, const Heard&) const {
    throw MoodError("", not_read);
}

}  // namespace llamood

#include "moods/mood_error.hpp"

#include "text/unicode.hpp"

namespace llamood {

MoodError::MoodError(const std::string& where, const std::string& fault)
    : std::invalid_argument((where.empty() ? "mood" : "mood at " + quoted(where)) + ": " + fault),
      where_(where),
      fault_(fault) {}

MoodError MoodError::within(const std::string& place) const {
    const bool is_inside = !place.empty() && !where_.empty() && where_[0] != '[';
    return {place + (is_inside ? "." : "") + where_, fault_};
}

}  // namespace llamood

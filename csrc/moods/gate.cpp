#include "moods/gate.hpp"

#include <algorithm>
#include <locale>
#include <set>
#include <sstream>

#include "moods/mood_error.hpp"
#include "text/unicode.hpp"

namespace llamood {

namespace {

constexpr std::size_t longest_condition = 4096;  // bytes
const std::string space = " \t";
const std::string conjunction = " and ";

[[noreturn]] void refuse(const std::string& shown) {
    throw MoodError("", "a limit of a reading was expected, as in \"> 1.5\", found " + shown);
}

std::string trimmed(const std::string& text) {
    const auto begin = text.find_first_not_of(space);
    if (begin == std::string::npos) return "";
    return text.substr(begin, text.find_last_not_of(space) + 1 - begin);
}

// "> 1.5"; shown: as a message shows it.
Limit limit_of(const std::string& emotion, const std::string& text, const std::string& shown) {
    const std::string said = trimmed(text);
    if (said.empty() || (said[0] != '>' && said[0] != '<')) refuse(shown);
    std::istringstream number(said.substr(1));
    number.imbue(std::locale::classic());
    double at = 0.0;
    if (!(number >> at) || !(number >> std::ws).eof()) refuse(shown);
    if (!(-furthest_reading <= at && at <= furthest_reading)) {
        throw MoodError("", "a reading between " + shortened(-furthest_reading) + " and " +
                                shortened(furthest_reading) + " was expected, found " + shown);
    }
    return {emotion, said[0] == '>', at + 0.0};
}

Limit limit_of(const JsonMember& member) {
    return placed(member.key, [&member] {
        const auto* text = member.value.as<std::string>();
        if (text == nullptr) refuse(found(member.value));
        return limit_of(member.key, *text, found(member.value));
    });
}

// The limits of a text. An emotion's name may hold anything: a limit begins at the first < or >.
std::vector<Limit> limits_of(std::string rest) {
    std::vector<Limit> limits;
    while (true) {
        const auto sign = rest.find_first_of("<>");
        if (sign == std::string::npos) refuse(found(rest));
        const auto end = rest.find(conjunction, sign);
        const std::string emotion = trimmed(rest.substr(0, sign));
        if (emotion.empty()) refuse(found(rest));
        limits.push_back(limit_of(emotion, rest.substr(sign, end - sign), found(rest)));
        if (end == std::string::npos) return limits;
        rest.erase(0, end + conjunction.size());
    }
}

// Throws MoodError for what no emotion is called whose reading could be waited for.
void require_name(const std::string& emotion) {
    if (utf8_of(characters_of(emotion)) != emotion) {
        throw MoodError("", "an emotion's name holds half of a surrogate pair");
    }
    if (emotion.find_first_of("<>") != std::string::npos) {
        throw MoodError("",
                        "an emotion whose name holds < or > cannot be waited for; rename the "
                        "vector, found " +
                            found(emotion));
    }
}

}  // namespace

Condition Condition::read(const JsonValue& written) {
    Condition condition;
    if (const auto* members = written.as<JsonObject>()) {
        for (const JsonMember& member : *members) condition.limits.push_back(limit_of(member));
    } else if (const auto* text = written.as<std::string>()) {
        if (text->size() > longest_condition) refuse(found(written));
        condition.limits = limits_of(*text);
    }
    const std::size_t n = condition.limits.size();
    if (n == 0 || n > most_limits) {
        throw MoodError("", "1 to " + std::to_string(most_limits) +
                                " limits of readings were expected, as in {\"sadness\": \"> "
                                "1.5\"}, found " +
                                (n == 0 ? found(written) : std::to_string(n)));
    }
    std::set<std::pair<std::string, bool>> seen;
    for (const Limit& limit : condition.limits) {
        require_name(limit.emotion);
        if (seen.emplace(limit.emotion, limit.is_above).second) continue;
        throw MoodError(limit.emotion, "limited twice on one side; limit it once");
    }
    return condition;
}

std::string Condition::written() const {
    std::string written;
    for (const Limit& limit : limits) {
        std::string at = found(limit.at);
        if (at.size() > 2 && at.compare(at.size() - 2, 2, ".0") == 0) at.resize(at.size() - 2);
        written += (written.empty() ? "" : conjunction) + limit.emotion +
                   (limit.is_above ? " > " : " < ") + at;
    }
    return written;
}

std::string Gate::key() const {
    return std::string(of_user ? "user " : "answer ") + found(hysteresis) + " " +
           condition.written();
}

bool Gate::next(bool is_open, const Read& read) const {
    const double slack = is_open ? hysteresis : 0.0;
    bool is_met = true;
    for (const Limit& limit : condition.limits) {
        const auto score = read.find(limit.emotion);
        if (score == read.end()) return is_open;
        is_met = is_met && (limit.is_above ? score->second > limit.at - slack
                                           : score->second < limit.at + slack);
    }
    return is_met;
}

}  // namespace llamood

#include "moods/notation.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "moods/composition.hpp"
#include "moods/mood_error.hpp"
#include "moods/parameters.hpp"
#include "moods/shapes.hpp"
#include "moods/triggers.hpp"
#include "text/suggestion.hpp"
#include "text/unicode.hpp"

namespace llamood {

namespace {

using Words = std::vector<std::string>;

// In JSON `on` and `max` stand beside the keys of the schedule that they start and limit.
const Words beside = {"on", "max"};
const std::string started = "start";  // the key of what `on` starts, where that cannot stand there

// What was written of a schedule: its parameters, by key.
class Given {
  public:
    // A parameter and its place.
    void add(const std::string& key, std::string place, const JsonValue& value) {
        values_[key] = {std::move(place), &value};
    }
    bool has(const std::string& key) const { return values_.count(key) != 0; }
    const std::string& place(const std::string& key) const { return values_.at(key).first; }
    const JsonValue& value(const std::string& key) const { return *values_.at(key).second; }

    // The schedules that it is made of, in order.
    Schedules parts;

    double number(const std::string& key, const Number& number = {}) const {
        return placed(place(key), [&] { return number.check(value(key)); });
    }
    std::optional<std::int64_t> count_if_any(const std::string& key,
                                             const Count& count = {}) const {
        if (!has(key)) return std::nullopt;
        return placed(place(key), [&] { return count.check(value(key)); });
    }
    std::int64_t count(const std::string& key, const Count& count = {}) const {
        return count_if_any(key, count).value_or(0);
    }
    Ease ease() const {
        static const Words eases = {"linear", "smooth", "step"};
        if (!has("ease")) return Ease::linear;
        return placed(place("ease"),
                      [&] { return static_cast<Ease>(check_choice(value("ease"), eases)); });
    }

  private:
    std::map<std::string, std::pair<std::string, const JsonValue*>> values_;
};

SchedulePtr make_constant(const Given& given) {
    return made<Constant>(given.number("value"));
}

SchedulePtr make_ramp(const Given& given) {
    const double start = given.number("start");
    const double end = given.number("end");
    const std::int64_t over = given.count("over", Count{1});
    return made<Ramp>(start, end, over, given.ease());
}

SchedulePtr make_decay(const Given& given) {
    const double start = given.number("start");
    return made<Decay>(start, given.number("half_life", half_life));
}

SchedulePtr make_pulse(const Given& given) {
    const double peak = given.number("peak");
    const std::int64_t attack = given.count("attack");
    const std::int64_t hold = given.count("hold");
    return made<Pulse>(peak, attack, hold, given.count("release"));
}

// The shortest period has a token at the top and one below.
SchedulePtr make_wave(const Given& given) {
    const double low = given.number("low");
    const double high = given.number("high");
    return made<Wave>(low, high, given.number("period", {2.0, 1e6}));
}

SchedulePtr make_keys(const Given& given) {
    auto points =
        placed(given.place("points"), [&] { return check_points(given.value("points")); });
    return made<Keys>(std::move(points), given.ease());
}

SchedulePtr make_drift(const Given& given) {
    const double mean = given.number("mean");
    const double spread = given.number("spread", {0.0, largest_intensity});
    const double half = given.number("return", half_life);
    const std::int64_t seed = given.count("seed", {0, 0xFFFFFFFF, ""});
    return made<Drift>(mean, spread, half, static_cast<std::uint32_t>(seed));
}

template <class Kind>
SchedulePtr make_combined(const Given& given) {
    const JsonValue& parts = given.value("parts");
    if (given.parts.size() < 2) {
        throw MoodError(given.place("parts"),
                        "a list of two or more schedules was expected, found " + found(parts));
    }
    return made<Kind>(given.parts);
}

SchedulePtr make_then(const Given& given) {
    return made<Then>(given.parts[0], given.parts[1], given.count_if_any("after"));
}

SchedulePtr make_clamp(const Given& given) {
    const double low = given.number("low");
    return made<Clamp>(given.parts[0], low, given.number("high"));
}

SchedulePtr make_delay(const Given& given) {
    return made<Delay>(given.parts[0], given.count("by"));
}

SchedulePtr make_repeat(const Given& given) {
    const auto times = given.count_if_any("times", {1, longest_schedule, "times"});
    return made<Repeat>(given.parts[0], times, given.count_if_any("every", Count{1}));
}

SchedulePtr make_hold(const Given& given) {
    given.number("target", {-furthest_reading, furthest_reading});
    return made<Hold>();
}

// Of what stands under a kind's own name.
enum class Main { values, schedules, list_of_schedules };

struct Kind {
    std::string name;
    Main is;
    Words main;      // under its own name: one as it is, several as a list
    Words required;  // beside it, under their own names
    Words optional;
    SchedulePtr (*make)(const Given&);

    // The keys beside its own.
    Words others() const {
        Words keys = required;
        keys.insert(keys.end(), optional.begin(), optional.end());
        return keys;
    }
};

const std::vector<Kind>& kinds() {
    static const std::vector<Kind> all = {
        {"constant", Main::values, {"value"}, {}, {}, make_constant},
        {"ramp", Main::values, {"start", "end"}, {"over"}, {"ease"}, make_ramp},
        {"decay", Main::values, {"start"}, {"half_life"}, {}, make_decay},
        {"pulse", Main::values, {"peak"}, {}, {"attack", "hold", "release"}, make_pulse},
        {"wave", Main::values, {"low", "high"}, {"period"}, {}, make_wave},
        {"keys", Main::values, {"points"}, {}, {"ease"}, make_keys},
        {"drift", Main::values, {"mean"}, {"spread", "return"}, {"seed"}, make_drift},
        {"sum", Main::list_of_schedules, {"parts"}, {}, {}, make_combined<Sum>},
        {"product", Main::list_of_schedules, {"parts"}, {}, {}, make_combined<Product>},
        {"then", Main::schedules, {"first", "second"}, {}, {"after"}, make_then},
        {"clamp", Main::schedules, {"schedule"}, {"low", "high"}, {}, make_clamp},
        {"delay", Main::schedules, {"schedule"}, {"by"}, {}, make_delay},
        {"repeat", Main::schedules, {"schedule"}, {}, {"times", "every"}, make_repeat},
        {"hold", Main::values, {"target"}, {}, {}, make_hold},
    };
    return all;
}

const Kind* kind_named(const std::string& name) {
    const auto is_it = [&name](const Kind& kind) { return kind.name == name; };
    const auto found = std::find_if(kinds().begin(), kinds().end(), is_it);
    return found == kinds().end() ? nullptr : &*found;
}

Words kind_names() {
    Words names;
    for (const Kind& kind : kinds()) names.push_back(kind.name);
    return names;
}

bool has(const Words& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

// takes: what takes the known words, as the message says it.
[[noreturn]] void refuse(const std::string& word, const std::string& takes, const Words& known) {
    throw MoodError(utf8_of(characters_of(word).substr(0, 40)),
                    "unknown; " + takes + " " + listed(known) + did_you_mean(word, known));
}

const Kind& kind_of(const JsonObject& written) {
    std::vector<const Kind*> named;
    Words taken;  // a pulse has a hold of its own
    for (const JsonMember& member : written) {
        const Kind* kind = kind_named(member.key);
        if (kind == nullptr) continue;
        named.push_back(kind);
        for (const std::string& key : kind->others()) taken.push_back(key);
    }
    const auto is_taken = [&taken](const Kind* kind) { return has(taken, kind->name); };
    named.erase(std::remove_if(named.begin(), named.end(), is_taken), named.end());
    if (named.size() == 1) return *named[0];
    if (!named.empty()) {
        throw MoodError("", "says both " + named[0]->name + " and " + named[1]->name +
                                "; one schedule was expected");
    }
    Words keys;
    for (const JsonMember& member : written) {
        if (suggestion(member.key, kind_names()).has_value()) {
            refuse(member.key, "a schedule is one of", kind_names());
        }
        if (keys.size() < 5) keys.push_back(member.key);
    }
    throw MoodError("", "one of " + listed(kind_names()) + " was expected, found " +
                            (keys.empty() ? "nothing" : found(listed(keys))));
}

// What the kind's own key says.
void add_main(Given& given, const Kind& kind, const JsonValue& value) {
    if (kind.main.size() == 1) {
        given.add(kind.main[0], kind.name, value);
        return;
    }
    const auto* list = value.as<JsonList>();
    if (list == nullptr || list->size() != kind.main.size()) {
        throw MoodError(kind.name,
                        "[" + listed(kind.main) + "] was expected, found " + found(value));
    }
    for (std::size_t i = 0; i < kind.main.size(); ++i) {
        given.add(kind.main[i], kind.name + "[" + std::to_string(i) + "]", list->at(i));
    }
}

SchedulePtr inside(const std::string& place, const JsonValue& value, int depth) {
    return placed(place, [&] { return from_json(value, depth + 1); });
}

// Reads the schedules that it is made of, and refuses what is left open.
void read(Given& given, const Kind& kind, int depth) {
    Words keys = kind.main;
    for (const std::string& key : kind.others()) keys.push_back(key);
    for (const std::string& key : keys) {
        if (!given.has(key)) continue;
        const std::string& place = given.place(key);
        const JsonValue& value = given.value(key);
        const auto* list = value.as<JsonList>();
        const bool is_main = has(kind.main, key);
        if (is_main && kind.is == Main::schedules) {
            given.parts.push_back(inside(place, value, depth));
        } else if (is_main && kind.is == Main::list_of_schedules && list != nullptr) {
            for (std::size_t i = 0; i < list->size(); ++i) {
                const std::string at = place + "[" + std::to_string(i) + "]";
                given.parts.push_back(inside(at, list->at(i), depth));
            }
        } else if (value.as<std::nullptr_t>() != nullptr) {
            throw MoodError(place, "a value was expected, found null; leave the key out");
        }
    }
}

SchedulePtr read_kind(const JsonObject& written, int depth) {
    const Kind& kind = kind_of(written);
    Given given;
    const auto own = std::find_if(written.begin(), written.end(), [&kind](const JsonMember& each) {
        return each.key == kind.name;
    });
    add_main(given, kind, own->value);
    const Words others = kind.others();
    for (const JsonMember& member : written) {
        if (member.key == kind.name) continue;
        if (!has(others, member.key)) {
            Words known = others;
            known.insert(known.end(), beside.begin(), beside.end());
            refuse(member.key, kind.name + " takes", known);
        }
        given.add(member.key, member.key, member.value);
    }
    for (const std::string& key : kind.required) {
        if (!given.has(key)) {
            throw MoodError("", key + " is missing; " + kind.name + " cannot do without it");
        }
    }
    read(given, kind, depth);
    return kind.make(given);
}

// Takes a key out of `written`; none where it is not there.
std::optional<JsonValue> popped(JsonObject& written, const std::string& key) {
    const auto is_it = [&key](const JsonMember& member) { return member.key == key; };
    const auto member = std::find_if(written.begin(), written.end(), is_it);
    if (member == written.end()) return std::nullopt;
    JsonValue value = std::move(member->value);
    written.erase(member);
    return value;
}

SchedulePtr read_object(JsonObject written, int depth);

SchedulePtr read_on(JsonObject rest, const JsonValue& text, int depth) {
    SchedulePtr schedule;
    if (const auto start = popped(rest, started)) {
        schedule = inside(started, *start, depth);
        if (!rest.empty()) refuse(rest[0].key, "on takes", {started, "max"});
    } else {
        schedule = read_object(std::move(rest), depth + 1);
    }
    std::string wanted = placed("on", [&text] { return check_text(text); });
    return made<On>(std::move(wanted), std::move(schedule));
}

SchedulePtr read_object(JsonObject written, int depth) {
    if (depth >= deepest_schedule) {
        throw MoodError("", "schedules nested " + std::to_string(deepest_schedule) +
                                " deep or less were expected");
    }
    if (const auto size = popped(written, "max")) {
        SchedulePtr schedule = read_object(std::move(written), depth + 1);
        const Number number{0.0, largest_intensity};
        const double most = placed("max", [&] { return number.check(*size); });
        return made<Max>(std::move(schedule), most);
    }
    if (const auto text = popped(written, "on")) {
        return read_on(std::move(written), *text, depth);
    }
    return read_kind(written, depth);
}

}  // namespace

SchedulePtr from_json(const JsonValue& value, int depth) {
    if (const auto* written = value.as<JsonObject>()) return read_object(*written, depth);
    if (!value.is_number()) {
        throw MoodError("", "a number or a schedule was expected, found " + found(value));
    }
    return made<Constant>(Number{}.check(value));
}

}  // namespace llamood

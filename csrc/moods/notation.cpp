#include "moods/notation.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "moods/kinds.hpp"
#include "moods/mood_error.hpp"
#include "moods/parameters.hpp"
#include "moods/shapes.hpp"
#include "text/suggestion.hpp"
#include "text/unicode.hpp"

namespace llamood {

namespace {

using Words = std::vector<std::string>;

// In JSON these stand beside the keys of the schedule that they start and limit.
const Words beside = {"on", "max", "floor", "cap"};
const Words bounds = {"cap", "floor"};  // the outer one first; beside nothing, nothing is added
const std::string started = "start";  // the key of what `on` starts, where that cannot stand there

bool has(const Words& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

// Those that stand for themselves.
Words kind_names() {
    Words names;
    for (const Kind& kind : kinds()) {
        if (!has(beside, kind.name)) names.push_back(kind.name);
    }
    return names;
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
        const Kind* kind = has(beside, member.key) ? nullptr : kind_named(member.key);
        if (kind == nullptr) continue;
        named.push_back(kind);
        for (const std::string& key : kind->keys(Standing::own)) taken.push_back(key);
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
void add_main(Values& given, const Kind& kind, const JsonValue& value) {
    const Words main = kind.keys(Standing::main);
    if (main.size() == 1) {
        given.set(main[0], value);
        return;
    }
    const auto* list = value.as<JsonList>();
    if (list == nullptr || list->size() != main.size()) {
        throw MoodError(kind.name, "[" + listed(main) + "] was expected, found " + found(value));
    }
    for (std::size_t i = 0; i < list->size(); ++i) given.set(main[i], list->at(i));
}

SchedulePtr inside(const std::string& place, const JsonValue& value, int depth) {
    return placed(place, [&] { return from_json(value, depth + 1); });
}

// What a parameter says, the schedules in it read.
JsonValue read(const Parameter& parameter, const std::string& place, const JsonValue& value,
               int depth) {
    if (std::holds_alternative<OneSchedule>(parameter.kind)) return {inside(place, value, depth)};
    const auto* list = value.as<JsonList>();
    if (std::holds_alternative<ManySchedules>(parameter.kind) && list != nullptr) {
        JsonList parts;
        for (std::size_t i = 0; i < list->size(); ++i) {
            parts.emplace_back();
            parts.back().is = inside(place + "[" + std::to_string(i) + "]", list->at(i), depth);
        }
        return {std::move(parts), {}};
    }
    if (value.as<std::nullptr_t>() != nullptr) {
        throw MoodError(place, "a value was expected, found null; leave the key out");
    }
    return value;
}

SchedulePtr read_kind(const JsonObject& written, int depth) {
    const Kind& kind = kind_of(written);
    const Words own = kind.keys(Standing::own);
    Values given;
    for (const JsonMember& member : written) {
        if (member.key == kind.name) {
            add_main(given, kind, member.value);
        } else if (has(own, member.key)) {
            given.set(member.key, member.value);
        } else {
            Words known = own;
            known.insert(known.end(), beside.begin(), beside.end());
            refuse(member.key, kind.name + " takes", known);
        }
    }
    require_given(kind, given);
    for (const Parameter& parameter : kind.parameters) {
        const JsonValue* value = given.find(parameter.key);
        if (value == nullptr) continue;
        given.set(parameter.key, read(parameter, kind.place(parameter), *value, depth));
    }
    return made_of(kind, given);
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

SchedulePtr read_on(JsonObject rest, JsonValue text, int depth) {
    Values given;
    given.set("text", std::move(text));
    if (const auto start = popped(rest, started)) {
        given.set("schedule", {inside(started, *start, depth), {}});
        if (!rest.empty()) refuse(rest[0].key, "on takes", {started, "max"});
    } else {
        given.set("schedule", {read_object(std::move(rest), depth + 1), {}});
    }
    return made_of(*kind_named("on"), given);
}

SchedulePtr read_object(JsonObject written, int depth) {
    if (depth >= deepest_schedule) {
        throw MoodError("", "schedules nested " + std::to_string(deepest_schedule) +
                                " deep or less were expected");
    }
    for (const std::string& bound : bounds) {
        auto at = popped(written, bound);
        if (!at) continue;
        Values given;
        given.set("bound", std::move(*at));
        const bool is_alone = written.empty();
        given.set("schedule",
                  {is_alone ? constant(0.0) : read_object(std::move(written), depth + 1), {}});
        return made_of(*kind_named(bound), given);
    }
    if (auto size = popped(written, "max")) {
        Values given;
        given.set("size", std::move(*size));
        given.set("schedule", {read_object(std::move(written), depth + 1), {}});
        return made_of(*kind_named("max"), given);
    }
    if (auto text = popped(written, "on")) {
        return read_on(std::move(written), std::move(*text), depth);
    }
    return read_kind(written, depth);
}

// -- and backwards -----------------------------------------------------------------------------

// A value as it is written, schedules and lists of them with the rest.
JsonValue written(const JsonValue& value) {
    if (const auto* schedule = value.as<SchedulePtr>()) return to_json(**schedule);
    const auto* list = value.as<JsonList>();
    if (list == nullptr) return value;
    JsonList parts;
    for (const JsonValue& part : *list) parts.push_back(written(part));
    return {std::move(parts)};
}

bool adds_nothing(const Schedule& schedule) {
    const auto* constant = dynamic_cast<const Constant*>(&schedule);
    return constant != nullptr && constant->at(0, {}) == 0.0;
}

JsonObject object_of(const Schedule& schedule) {
    if (schedule.values() == nullptr) {
        throw MoodError("", "a Python function has no written form; write a schedule instead");
    }
    const Kind& kind = *kind_named(schedule.kind());
    const Values& values = *schedule.values();
    JsonObject object;
    if (has(beside, kind.name)) {
        object = object_of(*values.schedule("schedule"));
        const JsonValue& main = *values.find(kind.keys(Standing::main)[0]);
        const auto is_beside = [](const JsonMember& each) { return has(beside, each.key); };
        if (has(bounds, kind.name) && adds_nothing(*values.schedule("schedule"))) object.clear();
        if (kind.name != "on") {
            object.push_back({kind.name, main});
            return object;
        }
        if (std::any_of(object.begin(), object.end(), is_beside)) {
            object = {{started, {std::move(object)}}};
        }
        object.insert(object.begin(), {"on", main});
        return object;
    }
    JsonList main;
    for (const Parameter& parameter : kind.parameters) {
        const JsonValue& value = *values.find(parameter.key);
        if (!parameter.is_required && is_same(value, parameter.otherwise)) continue;
        if (parameter.standing == Standing::main) {
            main.push_back(written(value));
        } else {
            object.push_back({parameter.key, written(value)});
        }
    }
    JsonValue first = main.size() == 1 ? main[0] : JsonValue{main};
    object.insert(object.begin(), {kind.name, std::move(first)});
    return object;
}

}  // namespace

JsonValue to_json(const Schedule& schedule) {
    if (const auto* constant = dynamic_cast<const Constant*>(&schedule)) {
        return *constant->values()->find("value");
    }
    return {object_of(schedule)};
}

SchedulePtr from_json(const JsonValue& value, int depth) {
    if (const auto* schedule = value.as<SchedulePtr>()) return *schedule;
    if (const auto* written = value.as<JsonObject>()) return read_object(*written, depth);
    if (!value.is_number()) {
        throw MoodError("", "a number or a schedule was expected, found " + found(value));
    }
    return constant(Number{}.check(value));
}

}  // namespace llamood

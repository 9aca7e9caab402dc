#include "moods/kinds.hpp"

#include <algorithm>
#include <cstdint>

#include "moods/composition.hpp"
#include "moods/mood_error.hpp"
#include "moods/shapes.hpp"
#include "moods/triggers.hpp"

namespace llamood {

namespace {

using Made = std::shared_ptr<Schedule>;

const Number any_number{};
const Number not_negative{0.0, largest_intensity};
const Number any_reading{-furthest_reading, furthest_reading};
const Choice eases{{"linear", "smooth", "step"}};
const Choice sides{{"answer", "user"}};
const Choice lasting{{"while", "always"}};
const Number of_wave{2.0, 1e6};  // the shortest has a token at the top and one below

Parameter main_one(std::string key, ParameterKind kind) {
    return {std::move(key), std::move(kind), Standing::main, true};
}

Parameter required(std::string key, ParameterKind kind) {
    return {std::move(key), std::move(kind), Standing::own, true};
}

Parameter optional(std::string key, ParameterKind kind, JsonValue otherwise = {nullptr}) {
    return {std::move(key), std::move(kind), Standing::own, false, std::move(otherwise)};
}

Ease ease_of(const Values& values) {
    return static_cast<Ease>(eases.check(*values.find("ease")));
}

Made make_constant(Values& v) {
    return std::make_shared<Constant>(v.number("value"));
}

Made make_ramp(Values& v) {
    return std::make_shared<Ramp>(v.number("start"), v.number("end"), v.count("over"), ease_of(v));
}

Made make_decay(Values& v) {
    return std::make_shared<Decay>(v.number("start"), v.number("half_life"));
}

Made make_pulse(Values& v) {
    return std::make_shared<Pulse>(v.number("peak"), v.count("attack"), v.count("hold"),
                                   v.count("release"));
}

Made make_wave(Values& v) {
    return std::make_shared<Wave>(v.number("low"), v.number("high"), v.number("period"));
}

Made make_keys(Values& v) {
    return std::make_shared<Keys>(PointList{}.check(*v.find("points")), ease_of(v));
}

Made make_drift(Values& v) {
    return std::make_shared<Drift>(v.number("mean"), v.number("spread"), v.number("return"),
                                   static_cast<std::uint32_t>(v.count("seed")));
}

template <class Combination>
Made make_combined(Values& v) {
    auto made = std::make_shared<Combination>(v.schedules("parts"));
    JsonList parts;
    for (const SchedulePtr& part : made->inner()) parts.push_back({part});
    v.set("parts", {std::move(parts)});
    return made;
}

Made make_then(Values& v) {
    return std::make_shared<Then>(v.schedule("first"), v.schedule("second"),
                                  v.count_if_any("after"));
}

Made make_clamp(Values& v) {
    return std::make_shared<Clamp>(v.schedule("schedule"), v.number("low"), v.number("high"));
}

Made make_delay(Values& v) {
    return std::make_shared<Delay>(v.schedule("schedule"), v.count("by"));
}

Made make_repeat(Values& v) {
    return std::make_shared<Repeat>(v.schedule("schedule"), v.count_if_any("times"),
                                    v.count_if_any("every"));
}

Made make_max(Values& v) {  // two limits are the tighter one
    if (const auto* inner = dynamic_cast<const Max*>(v.schedule("schedule").get())) {
        v.set("size", {std::min(v.number("size"), inner->size())});
        v.set("schedule", {inner->inner()[0]});
    }
    return std::make_shared<Max>(v.schedule("schedule"), v.number("size"));
}

// Two of a kind are the tighter one.
template <class Bound>
Made make_bound(Values& v, double tighter(double, double)) {
    if (const auto* inner = dynamic_cast<const Bound*>(v.schedule("schedule").get())) {
        v.set("bound", {tighter(v.number("bound"), inner->bound())});
        v.set("schedule", {inner->inner()[0]});
    }
    return std::make_shared<Bound>(v.schedule("schedule"), v.number("bound"));
}

Made make_floor(Values& v) {
    return make_bound<Floored>(v, [](double one, double other) { return std::max(one, other); });
}

Made make_cap(Values& v) {
    return make_bound<Capped>(v, [](double one, double other) { return std::min(one, other); });
}

Made make_on(Values& v) {
    return std::make_shared<On>(v.text("text"), v.schedule("schedule"));
}

Made make_when(Values& v) {
    Gate gate{Condition::read(*v.find("condition")), sides.check(*v.find("of")) == 1,
              v.number("hysteresis")};
    return std::make_shared<When>(std::move(gate), v.schedule("then"), v.schedule_if_any("else"),
                                  lasting.check(*v.find("lasts")) == 1);
}

Made make_hold(Values& v) {
    return std::make_shared<Hold>(v.number("target"));
}

std::vector<Kind> all_kinds() {
    const Parameter ease = optional("ease", eases, {std::string("linear")});
    const Parameter no_tokens = optional("", Count{}, {std::int64_t{0}});
    const auto tokens = [&no_tokens](const char* key) {
        Parameter parameter = no_tokens;
        parameter.key = key;
        return parameter;
    };
    const Parameter inner = {"schedule", OneSchedule{}, Standing::main, true};
    const Parameter beside = {"schedule", OneSchedule{}, Standing::beside, true};
    return {
        {"constant", {main_one("value", any_number)}, make_constant},
        {"ramp",
         {main_one("start", any_number), main_one("end", any_number), required("over", Count{1}),
          ease},
         make_ramp},
        {"decay",
         {main_one("start", any_number), required("half_life", any_half_life)},
         make_decay},
        {"pulse",
         {main_one("peak", any_number), tokens("attack"), tokens("hold"), tokens("release")},
         make_pulse},
        {"wave",
         {main_one("low", any_number), main_one("high", any_number), required("period", of_wave)},
         make_wave},
        {"keys", {main_one("points", PointList{}), ease}, make_keys},
        {"drift",
         {main_one("mean", any_number), required("spread", not_negative),
          required("return", any_half_life),
          optional("seed", Count{0, 0xFFFFFFFF, ""}, {std::int64_t{0}})},
         make_drift},
        {"sum", {main_one("parts", ManySchedules{})}, make_combined<Sum>},
        {"product", {main_one("parts", ManySchedules{})}, make_combined<Product>},
        {"then",
         {main_one("first", OneSchedule{}), main_one("second", OneSchedule{}),
          optional("after", Count{})},
         make_then},
        {"clamp", {inner, required("low", any_number), required("high", any_number)}, make_clamp},
        {"delay", {inner, required("by", Count{})}, make_delay},
        {"repeat",
         {inner, optional("times", Count{1, longest_schedule, "times"}),
          optional("every", Count{1})},
         make_repeat},
        {"max", {beside, main_one("size", not_negative)}, make_max},
        {"floor", {beside, main_one("bound", any_reading)}, make_floor},
        {"cap", {beside, main_one("bound", any_reading)}, make_cap},
        {"on", {main_one("text", Text{}), beside}, make_on},
        {"when",
         {main_one("condition", ReadingLimits{}), required("then", OneSchedule{}),
          optional("else", OneSchedule{}), optional("of", sides, {std::string("answer")}),
          optional("lasts", lasting, {std::string("while")}),
          optional("hysteresis", Number{0.0, furthest_reading}, {0.5})},
         make_when},
        {"hold", {main_one("target", any_reading)}, make_hold},
    };
}

}  // namespace

void Values::set(const std::string& key, JsonValue value) {
    for (auto& [known, kept] : values_) {
        if (known == key) {
            kept = std::move(value);
            return;
        }
    }
    values_.emplace_back(key, std::move(value));
}

const JsonValue* Values::find(const std::string& key) const {
    for (const auto& [known, value] : values_) {
        if (known == key) return &value;
    }
    return nullptr;
}

double Values::number(const std::string& key) const {
    return *find(key)->as<double>();
}

std::optional<std::int64_t> Values::count_if_any(const std::string& key) const {
    const auto* count = find(key)->as<std::int64_t>();
    return count == nullptr ? std::nullopt : std::optional(*count);
}

const std::string& Values::text(const std::string& key) const {
    return *find(key)->as<std::string>();
}

const SchedulePtr& Values::schedule(const std::string& key) const {
    return *find(key)->as<SchedulePtr>();
}

SchedulePtr Values::schedule_if_any(const std::string& key) const {
    const auto* schedule = find(key)->as<SchedulePtr>();
    return schedule == nullptr ? nullptr : *schedule;
}

Schedules Values::schedules(const std::string& key) const {
    Schedules schedules;
    for (const JsonValue& each : *find(key)->as<JsonList>()) {
        schedules.push_back(*each.as<SchedulePtr>());
    }
    return schedules;
}

std::vector<std::string> Kind::keys(Standing standing) const {
    std::vector<std::string> keys;
    for (const Parameter& parameter : parameters) {
        if (parameter.standing == standing) keys.push_back(parameter.key);
    }
    return keys;
}

std::string Kind::place(const Parameter& parameter) const {
    if (parameter.standing == Standing::own) return parameter.key;
    if (parameter.standing == Standing::beside) return "";
    const std::vector<std::string> main = keys(Standing::main);
    if (main.size() == 1) return name;
    const auto at = std::find(main.begin(), main.end(), parameter.key) - main.begin();
    return name + "[" + std::to_string(at) + "]";
}

const std::vector<Kind>& kinds() {
    static const std::vector<Kind> all = all_kinds();
    return all;
}

const Kind* kind_named(const std::string& name) {
    const auto is_it = [&name](const Kind& kind) { return kind.name == name; };
    const auto found = std::find_if(kinds().begin(), kinds().end(), is_it);
    return found == kinds().end() ? nullptr : &*found;
}

void require_given(const Kind& kind, const Values& given) {
    for (const Parameter& parameter : kind.parameters) {
        if (!parameter.is_required || given.find(parameter.key) != nullptr) continue;
        throw MoodError("", parameter.key + " is missing; " + kind.name + " cannot do without it");
    }
}

SchedulePtr made_of(const Kind& kind, const Values& given) {
    require_given(kind, given);
    Values values;
    for (const Parameter& parameter : kind.parameters) {
        const JsonValue* value = given.find(parameter.key);
        if (value == nullptr) {
            values.set(parameter.key, parameter.otherwise);
            continue;
        }
        values.set(parameter.key,
                   placed(kind.place(parameter), [&] { return checked(parameter.kind, *value); }));
    }
    const std::shared_ptr<Schedule> schedule = kind.make(values);
    schedule->finish(std::make_shared<const Values>(std::move(values)));
    return schedule;
}

SchedulePtr constant(double value) {
    Values values;
    values.set("value", {value});
    return made_of(*kind_named("constant"), values);
}

}  // namespace llamood

#include "moods/parameters.hpp"

#include <cmath>

#include "moods/kinds.hpp"
#include "moods/mood_error.hpp"
#include "text/unicode.hpp"

namespace llamood {

namespace {

// NaN where it is none, or none that a double holds.
double number_of(const JsonValue& value) {
    if (const auto* whole = value.as<std::int64_t>()) return static_cast<double>(*whole);
    if (const auto* number = value.as<double>()) return *number;
    return std::nan("");
}

double checked(const Number& number, double value, const std::string& shown) {
    if (!(number.low <= value && value <= number.high)) {
        throw MoodError("", "a number between " + shortened(number.low) + " and " +
                                shortened(number.high) + " was expected, found " + shown);
    }
    return value + 0.0;  // -0.0 becomes 0.0: nothing is added either way
}

Point check_point(const JsonValue& value) {
    const auto* pair = value.as<JsonList>();
    if (pair == nullptr || pair->size() != 2) {
        throw MoodError("", "[token, intensity] was expected, found " + found(value));
    }
    const auto token = placed("[0]", [pair] { return Count{}.check(pair->at(0)); });
    return {token, placed("[1]", [pair] { return Number{}.check(pair->at(1)); })};
}

SchedulePtr schedule_of(const JsonValue& value) {
    if (const auto* schedule = value.as<SchedulePtr>()) return *schedule;
    if (value.is_number()) return constant(Number{}.check(value));
    throw MoodError("", "a number or a schedule was expected, found " + found(value));
}

JsonList schedules_of(const JsonValue& value) {
    const auto* list = value.as<JsonList>();
    if (list == nullptr || list->size() < 2) {
        throw MoodError("", "a list of two or more schedules was expected, found " + found(value));
    }
    JsonList schedules;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const std::string place = "[" + std::to_string(i) + "]";
        schedules.emplace_back();
        schedules.back().is = placed(place, [&] { return schedule_of(list->at(i)); });
    }
    return schedules;
}

}  // namespace

double Number::check(const JsonValue& value) const {
    if (!value.is_number()) throw MoodError("", "a number was expected, found " + found(value));
    return checked(*this, number_of(value), found(value));
}

double Number::check(double value) const {
    return checked(*this, value, found(value));
}

std::int64_t Count::check(const JsonValue& value) const {
    const double number = number_of(value);
    const bool is_good = static_cast<double>(low) <= number &&
                         number <= static_cast<double>(high) && number == std::floor(number);
    if (!is_good) {
        throw MoodError("", std::string("a whole number") + (*of == '\0' ? "" : " of ") + of +
                                " from " + std::to_string(low) + " to " + std::to_string(high) +
                                " was expected, found " + found(value));
    }
    return static_cast<std::int64_t>(number);
}

std::size_t Choice::check(const JsonValue& value) const {
    const auto* word = value.as<std::string>();
    std::string expected;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (word != nullptr && *word == words[i]) return i;
        expected += (i == 0 ? "" : " or ") + words[i];
    }
    throw MoodError("", expected + " was expected, found " + found(value));
}

std::string Text::check(const JsonValue& value) const {
    const auto* text = value.as<std::string>();
    const std::size_t n = text == nullptr ? 0 : characters_of(*text).size();
    if (n == 0 || n > longest_waited_for) {
        throw MoodError("", "a text of 1 to " + std::to_string(longest_waited_for) +
                                " characters was expected, found " + found(value));
    }
    if (utf8_of(characters_of(*text)) != *text) {
        throw MoodError("", "the text holds half of a surrogate pair");
    }
    return *text;
}

std::vector<Point> PointList::check(const JsonValue& value) const {
    const auto* list = value.as<JsonList>();
    if (list == nullptr || list->empty() || list->size() > most_points) {
        throw MoodError("", "1 to " + std::to_string(most_points) +
                                " pairs [token, intensity] were expected, found " + found(value));
    }
    std::vector<Point> points;
    for (std::size_t i = 0; i < list->size(); ++i) {
        const std::string place = "[" + std::to_string(i) + "]";
        points.push_back(placed(place, [&] { return check_point(list->at(i)); }));
    }
    for (std::size_t i = 1; i < points.size(); ++i) {
        if (points[i - 1].token < points[i].token) continue;
        throw MoodError("[" + std::to_string(i) + "][0]",
                        "a token after " + std::to_string(points[i - 1].token) +
                            " was expected, found " + std::to_string(points[i].token));
    }
    return points;
}

LayerRange Layers::check(const JsonValue& value) const {
    const std::string expected = "first and last layer were expected, as in [8, 20]";
    const auto* ends = value.as<JsonList>();
    if (ends == nullptr || ends->size() != 2) {
        throw MoodError("", expected + ", found " + found(value));
    }
    int layers[2];
    for (int i = 0; i < 2; ++i) {
        const auto* layer = ends->at(i).as<std::int64_t>();
        if (layer == nullptr || *layer < 0 || *layer > deepest_layer) {
            throw MoodError("", expected + ", found " + found(ends->at(i)) + " in it");
        }
        layers[i] = static_cast<int>(*layer);
    }
    if (layers[0] > layers[1]) {
        throw MoodError("", expected + ", found the first after the last");
    }
    return {layers[0], layers[1]};
}

JsonValue checked(const ParameterKind& kind, const JsonValue& value) {
    struct Checked {
        const JsonValue& value;

        JsonValue operator()(const Number& number) const { return {number.check(value)}; }
        JsonValue operator()(const Count& count) const { return {count.check(value)}; }
        JsonValue operator()(const Choice& choice) const {
            return {choice.words[choice.check(value)]};
        }
        JsonValue operator()(const Text& text) const { return {text.check(value)}; }
        JsonValue operator()(const PointList& list) const {
            JsonList points;
            for (const Point& point : list.check(value)) {
                points.push_back({JsonList{{point.token}, {point.intensity}}});
            }
            return {points};
        }
        JsonValue operator()(const Layers& layers) const {
            const LayerRange range = layers.check(value);
            return {JsonList{{std::int64_t{range.first}}, {std::int64_t{range.last}}}};
        }
        JsonValue operator()(const ReadingLimits&) const {
            return {Condition::read(value).written()};
        }
        JsonValue operator()(const OneSchedule&) const { return {schedule_of(value)}; }
        JsonValue operator()(const ManySchedules&) const { return {schedules_of(value)}; }
    };
    return std::visit(Checked{value}, kind);
}

}  // namespace llamood

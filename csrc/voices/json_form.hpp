// Values as JSON and back: what a value has is described once, and the same words write and read
// it.
//
// A type is known by a function beside it that names what it has:
//
//     template <class Form>
//     void describe(Form& form, Message& message) {
//         form("role", message.role);
//         form("content", message.content);
//     }
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "moods/json_value.hpp"

namespace llamood {

class JsonWriter {
  public:
    template <class Value>
    void operator()(const char* key, Value& value) {
        object_.push_back({key, written(value)});
    }

    // The number with the fewest digits that is this one in float32.
    static double shortest(float number) {
        double scale = 1.0;
        for (int digits = 0; digits < 9; ++digits, scale *= 10.0) {
            const double rounded = std::round(number * scale) / scale;
            if (static_cast<float>(rounded) == number) return rounded;
        }
        return number;
    }

    template <class Value>
    static JsonValue written(Value value) {
        if constexpr (std::is_same_v<Value, float>) {
            return std::isfinite(value) ? JsonValue{shortest(value)} : JsonValue{nullptr};
        } else if constexpr (std::is_floating_point_v<Value>) {
            return std::isfinite(value) ? JsonValue{value} : JsonValue{nullptr};
        } else if constexpr (std::is_same_v<Value, bool> || std::is_same_v<Value, std::string>) {
            return {std::move(value)};
        } else if constexpr (std::is_integral_v<Value>) {
            return {static_cast<std::int64_t>(value)};
        } else if constexpr (std::is_same_v<Value, JsonValue>) {
            return value;
        } else {
            JsonWriter writer;
            describe(writer, value);
            return {std::move(writer.object_)};
        }
    }
    template <class Value>
    static JsonValue written(std::optional<Value> value) {
        return value ? written(std::move(*value)) : JsonValue{nullptr};
    }
    template <class Value>
    static JsonValue written(std::vector<Value> values) {
        JsonList list;
        for (Value& value : values) list.push_back(written(std::move(value)));
        return {std::move(list)};
    }
    template <class Value>
    static JsonValue written(std::map<std::string, Value> values) {
        JsonObject object;
        for (auto& [key, value] : values) object.push_back({key, written(std::move(value))});
        return {std::move(object)};
    }

  private:
    JsonObject object_;
};

// What throws std::invalid_argument names the place of what is not as expected.
class JsonReader {
  public:
    JsonReader(const JsonValue& value, std::string place) : place_(std::move(place)) {
        object_ = as<JsonObject>(value, place_, "an object");
    }

    // What may be missing is left as it is; what is not named is passed over.
    template <class Value>
    void operator()(const char* key, Value& value) {
        const std::string place = place_.empty() ? key : place_ + "." + key;
        for (const JsonMember& member : *object_) {
            if (member.key == key) return read(member.value, place, value);
        }
        if (!may_be_missing(value)) throw std::invalid_argument(place + " is missing");
    }

    template <class Value>
    static void read(const JsonValue& value, const std::string& place, Value& to) {
        if constexpr (std::is_floating_point_v<Value>) {
            read_number(value, place, to);
        } else if constexpr (std::is_same_v<Value, bool>) {
            to = *as<bool>(value, place, "true or false");
        } else if constexpr (std::is_same_v<Value, std::string>) {
            to = *as<std::string>(value, place, "a text");
        } else if constexpr (std::is_integral_v<Value>) {
            read_whole(value, place, to);
        } else if constexpr (std::is_same_v<Value, JsonValue>) {
            to = value;
        } else {
            JsonReader reader(value, place);
            describe(reader, to);
        }
    }
    template <class Value>
    static void read(const JsonValue& value, const std::string& place, std::optional<Value>& to) {
        to.reset();
        if (value.as<std::nullptr_t>() == nullptr) read(value, place, to.emplace());
    }
    template <class Value>
    static void read(const JsonValue& value, const std::string& place, std::vector<Value>& to) {
        to.clear();
        for (const JsonValue& each : *as<JsonList>(value, place, "a list")) {
            const std::string inner = place + "[" + std::to_string(to.size()) + "]";
            read(each, inner, to.emplace_back());
        }
    }
    template <class Value>
    static void read(const JsonValue& value, const std::string& place,
                     std::map<std::string, Value>& to) {
        to.clear();
        for (const auto& [key, each] : *as<JsonObject>(value, place, "an object")) {
            read(each, place + "." + key, to[key]);
        }
    }

  private:
    template <class Kind>
    static const Kind* as(const JsonValue& value, const std::string& place, const char* expected) {
        if (const Kind* kind = value.as<Kind>()) return kind;
        throw std::invalid_argument(place + (place.empty() ? "" : ": ") + expected +
                                    " was expected, found " + found(value));
    }
    // What is no finite number is written as null.
    template <class Value>
    static void read_number(const JsonValue& value, const std::string& place, Value& to) {
        if (value.as<std::nullptr_t>() != nullptr) {
            to = std::numeric_limits<Value>::quiet_NaN();
        } else if (const auto* whole = value.as<std::int64_t>()) {
            to = static_cast<Value>(*whole);
        } else {
            to = static_cast<Value>(*as<double>(value, place, "a number"));
        }
    }
    template <class Value>
    static void read_whole(const JsonValue& value, const std::string& place, Value& to) {
        const std::int64_t whole = *as<std::int64_t>(value, place, "a whole number");
        to = static_cast<Value>(whole);
        if (static_cast<std::int64_t>(to) == whole && (whole >= 0 || Value(-1) < Value(0))) return;
        throw std::invalid_argument(place + ": " + std::to_string(whole) + " is out of range");
    }
    template <class Value>
    static bool may_be_missing(const Value&) {
        return false;
    }
    template <class Value>
    static bool may_be_missing(const std::optional<Value>&) {
        return true;
    }

    std::string place_;
    const JsonObject* object_;
};

}  // namespace llamood

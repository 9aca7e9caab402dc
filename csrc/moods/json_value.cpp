#include "moods/json_value.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "text/unicode.hpp"

namespace llamood {

namespace {

constexpr std::size_t longest_shown = 40;              // characters of a text
constexpr std::int64_t largest_shown = 1'000'000'000;  // whole numbers from here on are huge

}  // namespace

std::string found(std::int64_t number) {
    const bool is_shown = -largest_shown < number && number < largest_shown;
    return is_shown ? std::to_string(number) : "a huge number";
}

// The shortest text that is read as the same number, in the form of Python's repr().
std::string found(double number) {
    if (std::isnan(number)) return "nan";
    if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
    std::array<char, 32> buffer{};
    const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                                       std::chars_format::scientific);
    const std::string text(buffer.data(), written.ptr);
    const int exponent = std::atoi(text.c_str() + text.find('e') + 1);
    if (exponent < -4 || exponent >= 16) return text;
    const auto plain = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                                     std::chars_format::fixed);
    const std::string digits(buffer.data(), plain.ptr);
    return digits.find('.') == std::string::npos ? digits + ".0" : digits;
}

std::string found(const std::string& text) {
    const std::u32string characters = characters_of(text);
    const std::string whole = quoted(utf8_of(characters.substr(0, longest_shown + 1)));
    const std::u32string shown = characters_of(whole);
    if (shown.size() <= longest_shown) return whole;
    return utf8_of(shown.substr(0, longest_shown - 3)) + "...";
}

std::string found(const JsonValue& value) {
    if (!value.shown.empty()) return value.shown;
    struct Shown {
        std::string operator()(std::nullptr_t) const { return "null"; }
        std::string operator()(bool is_true) const { return is_true ? "true" : "false"; }
        std::string operator()(std::int64_t number) const { return found(number); }
        std::string operator()(JsonHuge) const { return "a huge number"; }
        std::string operator()(double number) const { return found(number); }
        std::string operator()(const std::string& text) const { return found(text); }
        std::string operator()(const JsonList& list) const {
            return "a list of " + std::to_string(list.size());
        }
        std::string operator()(const JsonObject&) const { return "an object"; }
        std::string operator()(const std::shared_ptr<const Schedule>&) const {
            return "a schedule";
        }
    };
    return std::visit(Shown{}, value.is);
}

std::string shortened(double number, int n_digit) {
    if (std::isnan(number)) return "nan";
    if (std::isinf(number)) return number < 0 ? "-inf" : "inf";
    std::array<char, 32> buffer{};
    const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number,
                                       std::chars_format::general, n_digit);
    return {buffer.data(), written.ptr};
}

bool is_same(const JsonValue& one, const JsonValue& other) {
    const auto *count = one.as<std::int64_t>(), *other_count = other.as<std::int64_t>();
    const auto *number = one.as<double>(), *other_number = other.as<double>();
    const auto *text = one.as<std::string>(), *other_text = other.as<std::string>();
    if (count != nullptr && other_count != nullptr) return *count == *other_count;
    if (number != nullptr && other_number != nullptr) return *number == *other_number;
    if (text != nullptr && other_text != nullptr) return *text == *other_text;
    return one.as<std::nullptr_t>() != nullptr && other.as<std::nullptr_t>() != nullptr;
}

}  // namespace llamood

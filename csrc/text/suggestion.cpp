#include "text/suggestion.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "text/unicode.hpp"

namespace llamood {

namespace {

constexpr double alike_enough = 0.6;
constexpr std::size_t longest_word = 200;  // characters; nobody means one that is longer

using Text = std::u32string_view;

struct Match {
    std::size_t in_one;
    std::size_t in_other;
    std::size_t n;
};

// The longest that both have; of several the first in `one`, then the first in `other`.
Match longest_match(Text one, Text other) {
    Match best{0, 0, 0};
    std::vector<std::size_t> ends(other.size() + 1, 0);  // matches that end before each character
    for (std::size_t i = 0; i < one.size(); ++i) {
        for (std::size_t j = other.size(); j > 0; --j) {
            ends[j] = one[i] == other[j - 1] ? ends[j - 1] + 1 : 0;
        }
        for (std::size_t j = 1; j <= other.size(); ++j) {
            if (ends[j] > best.n) best = {i + 1 - ends[j], j - ends[j], ends[j]};
        }
    }
    return best;
}

// How many characters the longest match and, on both sides of it, the next longest ones have.
std::size_t n_matching(Text one, Text other) {
    const Match match = longest_match(one, other);
    if (match.n == 0) return 0;
    return match.n + n_matching(one.substr(0, match.in_one), other.substr(0, match.in_other)) +
           n_matching(one.substr(match.in_one + match.n), other.substr(match.in_other + match.n));
}

double likeness(Text one, Text other) {
    const auto n = static_cast<double>(one.size() + other.size());
    // Too different in length to be alike enough, whatever they say.
    if (2.0 * std::min(one.size(), other.size()) < alike_enough * n) return 0.0;
    return n == 0 ? 1.0 : 2.0 * static_cast<double>(n_matching(one, other)) / n;
}

}  // namespace

std::optional<std::string> suggestion(const std::string& word,
                                      const std::vector<std::string>& known) {
    const std::u32string wanted = characters_of(word);
    if (wanted.size() > longest_word) return std::nullopt;
    std::optional<std::string> best;
    double most = alike_enough;
    for (const std::string& each : known) {
        const double alike = likeness(characters_of(each), wanted);
        if (alike < most || (best.has_value() && alike == most && each <= *best)) continue;
        best = each;
        most = alike;
    }
    return best;
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& known) {
    const auto close = suggestion(word, known);
    return close.has_value() ? "; did you mean " + quoted(*close) + "?" : "";
}

std::string listed(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
    return text;
}

}  // namespace llamood

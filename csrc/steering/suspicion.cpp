#include "steering/suspicion.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <utility>

#include "text/letters.hpp"
#include "text/unicode.hpp"
#include "text/utf8.hpp"

namespace llamood {

namespace {

constexpr double smells = 1.5;  // a sum from which on tokens are held back
constexpr double alarms = 9.0;
constexpr double most = 14.0;     // so that it falls again soon after a loop ends
constexpr double at_first = 3.6;  // a word or two of language clear an answer of it
constexpr int in_a_row = 9;       // times that people say a word, and nothing else, as emphasis

// How many tokens back the same was said; else it is new.
constexpr std::array<int, 6> reaches = {1, 2, 4, 8, 16, 32};
constexpr std::size_t is_new = reaches.size();
constexpr int remembered = 48;  // tokens; so far back counts a pair of tokens as said before

// The weights are rounded logarithms of how much likelier a token of its kind is in answers that
// collapsed than in those that did not, in recordings of a real model (docs/guard.md). For each
// reach, then for what is new: by itself, and where the token before it is the same, too.
using OfReaches = std::array<double, is_new + 1>;
struct Weights {
    OfReaches alone;
    OfReaches in_pair;
};

constexpr OfReaches always(double weight) {
    return {weight, weight, weight, weight, weight, weight, weight};
}

constexpr Weights words = {{1.5, 1.5, 0.9, 0.6, -0.3, -1.2, -1.8},
                           {1.5, 1.5, 1.0, 0.7, 0.5, -1.2, -1.8}};
constexpr Weights rest_of_words = {{1.5, 1.5, 1.1, 0.6, 0.0, -0.6, -1.0},
                                   {1.5, 1.5, 1.1, 0.4, -0.4, -0.8, -0.8}};
constexpr Weights characters = {{1.0, 0.5, 0.3, 0.0, -0.3, -0.6, -1.0},
                                {1.0, 0.5, 0.3, 0.0, -0.3, -0.6, -1.0}};
constexpr Weights cries = {{1.0, 1.0, 1.0, 0.6, -0.3, -0.8, -0.8},
                           {1.0, 1.5, 1.3, 0.3, 0.3, -0.8, -0.4}};
constexpr Weights faces = {{0.6, 0.5, 0.4, 0.2, -0.3, -0.8, -0.8},
                           {0.6, 0.6, 0.5, 0.2, 0.0, -0.8, -0.4}};
constexpr Weights stops = {{0.0, 0.5, 0.9, -0.6, -0.6, -1.0, -0.8},
                           {0.0, 1.0, 1.1, 0.3, 0.3, -0.8, -0.4}};
constexpr Weights marks = {{1.0, 0.0, 0.0, -1.2, -1.5, -1.5, -1.5},
                           {1.0, 0.3, 0.0, -1.2, -1.5, -1.5, -1.2}};
constexpr Weights rules = {{0.0, 0.0, 0.0, -1.2, -1.5, -1.5, -1.5},
                           {0.0, 0.0, 0.0, -1.2, -1.5, -1.5, -1.2}};
constexpr Weights numerals = {{0.0, 0.0, 0.0, 0.0, 0.0, -0.3, -0.3},
                              {0.0, 0.0, 0.0, 0.0, -0.3, -0.3, -0.3}};
constexpr Weights blanks = {{0.0, 0.0, 0.0, -0.5, -1.0, -1.0, -1.0},
                            {0.0, 0.0, 0.0, -1.0, -1.0, -1.0, -1.0}};
constexpr Weights lines = {{0.7, 0.4, 0.0, -0.5, -1.0, -1.0, -1.0},
                           {0.7, 0.4, 0.0, -1.0, -1.0, -1.0, -1.0}};
constexpr Weights divides = {always(-1.5), always(-1.5)};  // what stands between cells of a table
constexpr Weights broken = {always(1.5), always(1.5)};     // bytes that are no text

constexpr std::u32string_view dividers = U"|│\t";
constexpr std::u32string_view ruled = U"-=_*#~+·•─";  // what lines are drawn with may follow itself
constexpr std::u32string_view ends = U".…。";
// Less than so many characters are a syllable of any word, and no evidence unless stuttered.
constexpr std::size_t short_part = 3;
constexpr double stutter = 0.9;
constexpr char32_t symbols = 0x2000;     // from here on, arrows and pictures
constexpr char32_t ideographs = 0x2E80;  // from here on a character is about a word
constexpr char32_t emoji = 0x1F000;
constexpr char32_t replacement = 0xFFFD;

// What the dose says beforehand, of each token: less than nothing where it is known to read
// fluently, and as much as `overdosed` at twice that.
constexpr double fluent = -0.3;
constexpr double overdosed = 0.6;

constexpr double usual = -1.9;  // logarithm of a probability; what is less likely is evidence
constexpr double per_nat = 0.3;
constexpr double unlikeliest = 1.2;  // evidence of one token, at most
constexpr double likeliest = -1.0;
constexpr double share = 0.7;  // of that evidence in the first sum
constexpr double salad = 6.0;

bool is_in(std::u32string_view set, char32_t character) {
    return set.find(character) != std::u32string_view::npos;
}

const Weights& weights_of(const std::u32string& text, bool was_in_word) {
    if (text.find(replacement) != std::u32string::npos) return broken;
    const std::u32string said = stripped(text);
    if (said.empty()) return text.find(U'\n') == std::u32string::npos ? blanks : lines;
    const char32_t first = said[0];
    const auto is_divider = [](char32_t character) { return is_in(dividers, character); };
    if (std::any_of(said.begin(), said.end(), is_divider)) return divides;
    if (std::any_of(said.begin(), said.end(), is_letter)) {
        if (first >= ideographs) return characters;
        return was_in_word && is_letter(text[0]) ? rest_of_words : words;
    }
    if (is_digit(first)) return numerals;
    if (is_in(ends, first)) return stops;
    if (is_in(U"!?", first) || (first >= symbols && first < ideographs)) return cries;
    if (first >= emoji) return faces;
    return is_in(ruled, first) && first == text[0] ? rules : marks;
}

// The whole characters of these bytes, and the bytes of one that is begun; where some are no text,
// U+FFFD alone.
std::pair<std::u32string, std::string> begun(const std::string& bytes) {
    std::size_t at = 0;
    while (at < bytes.size()) {
        const LeadByte lead = lead_of(static_cast<std::uint8_t>(bytes[at]));
        if (lead.n_byte == 0) return {{replacement}, {}};
        const std::size_t n = n_good(bytes, at, lead);
        if (n < lead.n_byte) {
            if (at + n < bytes.size()) return {{replacement}, {}};
            break;
        }
        at += n;
    }
    return {characters_of(bytes.substr(0, at)), bytes.substr(at)};
}

std::u32string unit_of(const std::u32string& text) {
    std::u32string unit = stripped(text);
    if (unit.empty()) return text;
    std::transform(unit.begin(), unit.end(), unit.begin(), lowered);
    return unit;
}

}  // namespace

void EvidenceSum::add(double weight, int n_heard) {
    if (total <= 0) begin = n_heard;
    total = std::clamp(total + weight, 0.0, most);
}

bool Evidence::is_salad() const {
    return unlikely.total >= salad;
}

bool Evidence::is_alarming() const {
    return is_salad() || said.total >= alarms;
}

std::optional<int> Evidence::begin() const {
    std::optional<int> first;
    for (const EvidenceSum& sum : {said, unlikely}) {
        if (sum.total >= smells) first = std::min(first.value_or(sum.begin), sum.begin);
    }
    return first;
}

Suspicion::Suspicion() : evidence_{{{at_first, 0}, {}}}, endings_(1) {}

void Suspicion::forget(std::size_t n_heard) {
    for (std::size_t at = said_.size(); at > n_heard; --at) {
        units_[static_cast<std::size_t>(said_[at - 1])].places.pop_back();
    }
    evidence_.resize(n_heard + 1);
    endings_.resize(n_heard + 1);
    said_.resize(n_heard);
}

void Suspicion::hear(const std::string& piece, const Circumstances& circumstances) {
    double prior = 0.0;
    if (circumstances.overdose) {
        prior = fluent + std::clamp(*circumstances.overdose - 1.0, 0.0, 1.0) * (overdosed - fluent);
    }
    double found = weight(piece) + prior;
    Evidence evidence = evidence_.back();
    const int n_heard = static_cast<int>(said_.size()) - 1;
    if (circumstances.logprob) {
        const double unlikely =
            std::clamp((usual - *circumstances.logprob) * per_nat, likeliest, unlikeliest);
        found += share * std::max(unlikely, 0.0);
        evidence.unlikely.add(unlikely + std::min(prior, 0.0), n_heard);
    }
    evidence.said.add(found, n_heard);
    if (evidence.said.total >= alarms && is_emphasis(evidence.said.begin)) {
        evidence.said.total = alarms - 1;
    }
    evidence_.push_back(evidence);
}

// Whether all that was said after so many tokens is one word, some times in a row.
bool Suspicion::is_emphasis(int begin) const {
    const auto first = said_.begin() + begin;
    if (said_.end() - first > in_a_row) return false;
    const int unit = said_.back();
    return units_[static_cast<std::size_t>(unit)].is_word &&
           std::all_of(first, said_.end(), [unit](int other) { return other == unit; });
}

double Suspicion::weight(const std::string& piece) {
    const Ending& before = endings_.back();
    const bool was_in_word = before.in_word;
    auto [text, pending] = begun(before.pending + piece);
    const std::u32string unit = unit_of(text);
    const auto [known, is_first] = numbers_.try_emplace(unit, static_cast<int>(units_.size()));
    if (is_first) {
        const bool is_word = !unit.empty() && std::all_of(unit.begin(), unit.end(), is_letter);
        units_.push_back({is_word, {}});
    }
    Unit& said = units_[static_cast<std::size_t>(known->second)];
    const auto [reach, is_pair] = recurrence(said);
    endings_.push_back({std::move(pending), !text.empty() && is_letter(text.back())});
    said.places.push_back(static_cast<int>(said_.size()));
    said_.push_back(known->second);
    if (text.empty()) return 0.0;
    const Weights& weights = weights_of(text, was_in_word);
    const double found = (is_pair ? weights.in_pair : weights.alone)[reach];
    const bool is_syllable = &weights == &rest_of_words || (&weights == &words && text.size() == 1);
    if (!is_syllable || unit.size() >= short_part) return found;
    const bool is_stutter = is_pair && unit.size() > 1 && reach <= 1;
    return is_stutter ? stutter : std::min(found, 0.0);
}

Suspicion::Recurrence Suspicion::recurrence(const Unit& unit) const {
    const int n = static_cast<int>(said_.size());
    if (unit.places.empty() || n - unit.places.back() > reaches.back()) return {is_new, false};
    const auto found = std::lower_bound(reaches.begin(), reaches.end(), n - unit.places.back());
    const auto reach = static_cast<std::size_t>(std::distance(reaches.begin(), found));
    for (auto place = unit.places.rbegin(); place != unit.places.rend(); ++place) {
        if (n - *place > remembered) break;
        if (*place > 0 && said_[static_cast<std::size_t>(*place) - 1] == said_.back()) {
            return {reach, true};
        }
    }
    return {reach, false};
}

}  // namespace llamood

#include "steering/guard.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "text/letters.hpp"
#include "text/unicode.hpp"

namespace llamood {

namespace {

// A loop: the last bytes equal those one period before, for so many bytes and so many periods more,
// and for so many tokens.
constexpr std::size_t loop_bytes = 48;
constexpr double loop_periods = 1.5;
constexpr std::size_t loop_tokens = 16;
constexpr std::size_t longest_period = 512;  // bytes
constexpr std::size_t probe = 16;            // bytes; where they appeared last tells the period
constexpr std::size_t flood = 8;             // bytes; a period up to this is called a flood
constexpr std::size_t drawn_times = 3;

constexpr std::size_t every = 12;    // tokens, from one look at the last bytes to the next
constexpr std::size_t window = 640;  // bytes
constexpr double least_ratio = 0.12;
// Few characters in no order, as in "!!!!! !!": most of them not such as tables are drawn with, and
// less random than a DNA sequence, whose ratio is 0.55 and more.
constexpr std::size_t flooded = 96;      // bytes
constexpr std::size_t fewest_bytes = 7;  // distinct ones among them
constexpr double most_drawn = 1.0 / 3;
constexpr double flooded_ratio = 0.45;
constexpr std::size_t n_word = 48;
constexpr std::size_t fewest_words = 9;  // distinct ones among `n_word`
// Of the window; with more of them it is no prose, and words are not counted.
constexpr double most_signs = 0.1;
constexpr std::size_t short_probe = 6;  // bytes, as `probe` of what is suspected already
constexpr double many_broken = 0.3;     // for each word
constexpr std::size_t shown_characters = 40;

bool is_blank(char byte) {
    return std::string_view(" \t\n\r\v\f").find(byte) != std::string::npos;
}

bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

bool is_punctuation(char byte) {
    return std::string_view("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~").find(byte) != std::string::npos;
}

// What rules, matrices and empty tables are drawn with: it takes more of it to make a loop.
bool is_drawn(char byte) {
    return is_blank(byte) || is_digit(byte) || (is_punctuation(byte) && byte != '!' && byte != '?');
}

bool is_sign(char byte) {
    return is_punctuation(byte) && byte != '\'';
}

// Of kana, Han and Hangul each character begins so in UTF-8, and is three bytes long.
bool begins_ideograph(char byte) {
    const auto value = static_cast<std::uint8_t>(byte);
    return value >= 0xE3 && value <= 0xED;
}

bool continues(char byte) {
    return (static_cast<std::uint8_t>(byte) & 0xC0) == 0x80;
}

// Small letters, and spaces for signs.
std::string plain(std::string_view text) {
    std::string found(text);
    for (char& byte : found) {
        if (is_sign(byte)) byte = ' ';
        if (byte >= 'A' && byte <= 'Z') byte = static_cast<char>(byte + ('a' - 'A'));
    }
    return found;
}

using Words = std::vector<std::string_view>;

Words words_of(std::string_view text) {
    Words words;
    std::size_t begin = 0;
    for (std::size_t at = 0; at <= text.size(); ++at) {
        if (at < text.size() && !is_blank(text[at])) continue;
        if (at > begin) words.push_back(text.substr(begin, at - begin));
        begin = at + 1;
    }
    return words;
}

// Of a script that does not write words apart, each character by itself.
Words characters_and_words_of(std::string_view text) {
    Words words;
    for (const std::string_view run : words_of(text)) {
        std::size_t at = 0;
        while (at < run.size()) {
            std::size_t n = 0;
            while (at + n < run.size() && !begins_ideograph(run[at + n])) ++n;
            const bool is_ideograph =
                n == 0 && at + 2 < run.size() && continues(run[at + 1]) && continues(run[at + 2]);
            if (is_ideograph) n = 3;
            if (n > 0) words.push_back(run.substr(at, n));
            at += std::max<std::size_t>(n, 1);
        }
    }
    return words;
}

// Among the last `n_word`; that many where there are fewer, and in what is no prose.
std::size_t n_distinct_words(std::string_view text) {
    const auto n_sign = std::count_if(text.begin(), text.end(),
                                      [](char byte) { return is_sign(byte) || is_digit(byte); });
    if (static_cast<double>(n_sign) > most_signs * static_cast<double>(text.size())) return n_word;
    const std::string said = plain(text);
    Words words = words_of(said);
    if (words.size() < n_word) words = characters_and_words_of(said);
    if (words.size() < n_word) return n_word;
    return std::unordered_set<std::string_view>(words.end() - n_word, words.end()).size();
}

std::size_t n_words(const std::u32string& text) {
    std::size_t n = 0;
    bool was_space = true;
    for (const char32_t character : text) {
        n += was_space && !is_space(character);
        was_space = is_space(character);
    }
    return n;
}

// Quoted, and cut where it is long.
std::string shown(std::u32string text) {
    if (text.size() > shown_characters) {
        text.resize(shown_characters - 1);
        text += U'…';
    }
    return quoted(utf8_of(text));
}

// From where on the last bytes of a text were said before, as far back as `from`: how many bytes
// back that is; 0 where they were not.
std::size_t said_back(std::string_view text, std::size_t n_byte, std::size_t from) {
    if (text.size() <= n_byte + from) return 0;
    const std::size_t last = text.size() - n_byte;
    const std::string_view wanted = text.substr(last);
    // Most places differ in the first byte: rfind, which calls a function at each, is slower.
    for (std::size_t place = last; place-- > from;) {
        if (text[place] == wanted[0] && text.substr(place, n_byte) == wanted) return last - place;
    }
    return 0;
}

}  // namespace

Guard::Guard(CompressedSize compressed_size)
    : compressed_size_(std::move(compressed_size)), moments_(1) {}

std::optional<int> Guard::suspect_from() const {
    std::optional<int> begin = suspicion_.evidence().begin();
    if (begin) ++*begin;
    return begin;
}

void Guard::forget(std::size_t n_heard) {
    moments_.resize(n_heard + 1);
    text_.resize(moments_.back().end);
    suspicion_.forget(n_heard);
}

const std::optional<Alarm>& Guard::hear(int token_id, const std::string& piece,
                                        const Circumstances& circumstances) {
    const Moment& last = moments_.back();
    const std::string id = std::to_string(token_id);
    text_ += piece.empty() ? "\xff" + id + "\xff" : piece;
    suspicion_.hear(piece.empty() ? "<" + id + ">" : piece, circumstances);
    Moment moment;
    moment.end = text_.size();
    moment.period = period(last.period);
    moment.look = moments_.size() % every == 0 ? look() : last.look;
    moments_.push_back(std::move(moment));
    Moment& now = moments_.back();
    if (now.period > 0) {
        now.alarm = loop(now.period);
    } else if (now.look) {
        now.alarm = now.look;
    } else if (suspicion_.evidence().is_alarming()) {
        now.alarm = suspected(suspicion_.evidence());
    }
    return now.alarm;
}

Alarm Guard::suspected(const Evidence& evidence) const {
    if (evidence.is_salad()) {
        return {"salad", "says what it finds unlikely itself, token after token"};
    }
    const auto begin = static_cast<std::size_t>(evidence.said.begin);
    const std::string said = text_.substr(moments_[begin].end);
    const std::u32string text = characters_of(said);
    const auto n_broken = std::count(text.begin(), text.end(), U'\uFFFD');
    if (n_broken > 0 &&
        static_cast<double>(n_broken) >= many_broken * static_cast<double>(n_words(text))) {
        return {"broken", "says bytes that are no text"};
    }
    const std::size_t back = said_back(said, short_probe, 0);
    const std::string_view all = said;
    if (back > 0 && 2 * back <= all.size() &&
        all.substr(all.size() - back) == all.substr(all.size() - 2 * back, back)) {
        return loop(back);
    }
    return {"words", "says ever the same words, " + shown(text)};
}

// Of the loop that the text ends in, in bytes; 0 where there is none. `known`: the one before this
// token, which goes on even where a shorter one could be meant.
std::size_t Guard::period(std::size_t known) const {
    if (moments_.size() < loop_tokens) return 0;
    if (known > 0 && loops(known)) return known;
    const std::size_t n = text_.size();
    const std::size_t furthest = probe + longest_period;
    const std::size_t back = said_back(text_, probe, n > furthest ? n - furthest : 0);
    return back > 0 && loops(back) ? back : 0;
}

bool Guard::loops(std::size_t period) const {
    const std::size_t length =
        loop_bytes + static_cast<std::size_t>(loop_periods * static_cast<double>(period));
    if (!repeats(period, length)) return false;
    const auto unit = text_.end() - static_cast<std::ptrdiff_t>(period);
    return !std::all_of(unit, text_.end(), is_drawn) || repeats(period, drawn_times * length);
}

// Whether the last `length` bytes, and tokens enough, equal those a period before.
bool Guard::repeats(std::size_t period, std::size_t length) const {
    const std::string_view text = text_;
    if (text.size() < length) return false;
    const std::size_t begin =
        std::min(text.size() - length, moments_[moments_.size() - loop_tokens].end);
    if (begin < period) return false;
    return text.substr(begin) == text.substr(begin - period, text.size() - begin);
}

Alarm Guard::loop(std::size_t period) const {
    const std::u32string unit = characters_of(text_.substr(text_.size() - period));
    return {period <= flood ? "flood" : "loop", "says " + shown(unit) + " again and again"};
}

std::optional<Alarm> Guard::look() const {
    if (is_flooded()) return Alarm{"flood", "says the same few characters again and again"};
    const std::string last = text_.substr(text_.size() - std::min(text_.size(), window));
    const std::size_t n_distinct = n_distinct_words(last);
    if (n_distinct <= fewest_words) {
        return Alarm{"words", "says only " + std::to_string(n_distinct) + " words in " +
                                  std::to_string(n_word)};
    }
    if (last.size() == window && zlib_ratio(last) < least_ratio) {
        return Alarm{"bytes", "says hardly anything new in " + std::to_string(window) + " bytes"};
    }
    return std::nullopt;
}

bool Guard::is_flooded() const {
    if (text_.size() < flooded) return false;
    const std::string last = text_.substr(text_.size() - flooded);
    std::array<bool, 256> seen{};
    for (const char byte : last) seen[static_cast<std::uint8_t>(byte)] = true;
    if (std::count(seen.begin(), seen.end(), true) > static_cast<int>(fewest_bytes)) return false;
    const auto n_drawn = std::count_if(last.begin(), last.end(), is_drawn);
    return static_cast<double>(n_drawn) <= most_drawn * flooded && zlib_ratio(last) < flooded_ratio;
}

double Guard::zlib_ratio(const std::string& text) const {
    return static_cast<double>(compressed_size_(text)) / static_cast<double>(text.size());
}

}  // namespace llamood

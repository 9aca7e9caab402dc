#include "voices/text_stream.hpp"

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <utility>

#include "text/utf8.hpp"

namespace llamood {

namespace {

// The whole characters of `bytes`, which keeps only one that is not whole at its end.
std::string whole_characters(std::string& bytes) {
    std::string text;
    std::size_t at = 0;
    while (at < bytes.size()) {
        const LeadByte lead = lead_of(static_cast<std::uint8_t>(bytes[at]));
        const std::size_t n = lead.n_byte == 0 ? 1 : n_good(bytes, at, lead);
        if (n == lead.n_byte) text.append(bytes, at, n);
        if (n < lead.n_byte && at + n == bytes.size()) break;
        at += n;
    }
    bytes.erase(0, at);
    return text;
}

}  // namespace

std::string piece_of(const llama_vocab* vocab, llama_token token, bool is_special) {
    std::string piece(32, '\0');
    const auto write = [&] {
        return llama_token_to_piece(vocab, token, piece.data(),
                                    static_cast<std::int32_t>(piece.size()), 0, is_special);
    };
    std::int32_t n = write();
    if (n < 0) {  // the size that it takes
        piece.resize(static_cast<std::size_t>(-n));
        n = write();
    }
    piece.resize(std::max(n, 0));
    return piece;
}

namespace {

const std::string control(1, '\0');  // stands for a token that is no text
constexpr int most_places = 1000;    // of a text, that are looked at

// Whether a control token comes next, which a template puts behind what somebody said.
bool ends_a_turn(const std::string& all, std::size_t at) {
    const std::size_t next = all.find_first_not_of(" \t\r\n", at);
    return next != std::string::npos && all[next] == control[0];
}

}  // namespace

Span span_of(const llama_vocab* vocab, const std::vector<llama_token>& tokens,
             const std::string& text) {
    const char* space = " \t\r\n";
    const std::size_t first = text.find_first_not_of(space);
    if (first == std::string::npos) return {};
    const std::size_t n = text.find_last_not_of(space) + 1 - first;
    std::string all;
    std::vector<std::size_t> ends;  // of each token, in bytes
    for (const llama_token token : tokens) {
        all += llama_vocab_is_control(vocab, token) ? control : piece_of(vocab, token);
        ends.push_back(all.size());
    }
    const std::string wanted = text.substr(first, n);
    const std::size_t last = all.rfind(wanted);
    if (last == std::string::npos) return {};
    // Words of the template, as of who is to answer, may hold it as well.
    std::size_t begin = last;
    for (int i = 0; i < most_places && !ends_a_turn(all, begin + n); ++i) {
        begin = begin == 0 ? std::string::npos : all.rfind(wanted, begin - 1);
        if (begin == std::string::npos) break;
    }
    if (begin == std::string::npos || !ends_a_turn(all, begin + n)) begin = last;
    const auto at = [&ends](auto found) { return static_cast<int>(found - ends.begin()); };
    return {at(std::upper_bound(ends.begin(), ends.end(), begin)),
            at(std::lower_bound(ends.begin(), ends.end(), begin + n)) + 1};
}

TextStream::TextStream(std::vector<std::string> stops) : stops_(std::move(stops)) {
    for (const std::string& stop : stops_) {
        if (stop.empty()) throw std::invalid_argument("an empty stop text ends every answer");
    }
}

std::string TextStream::hear(const std::string& piece) {
    held_ += piece;
    std::size_t found = std::string::npos;
    for (const std::string& stop : stops_) found = std::min(found, held_.find(stop));
    if (found != std::string::npos) {
        is_stopped_ = true;
        character_ += held_.substr(0, found);
        held_.clear();
        return whole_characters(character_);
    }
    const std::size_t n_said = held_.size() - n_open();
    character_.append(held_, 0, n_said);
    held_.erase(0, n_said);
    return whole_characters(character_);
}

std::string TextStream::end() {
    if (is_stopped_) return "";
    character_ += std::exchange(held_, {});
    std::string text = whole_characters(character_);
    character_.clear();
    return text;
}

// How many of the last bytes may be the beginning of a stop text.
std::size_t TextStream::n_open() const {
    std::size_t longest = 0;
    for (const std::string& stop : stops_) longest = std::max(longest, stop.size() - 1);
    for (std::size_t n = std::min(longest, held_.size()); n > 0; --n) {
        const std::size_t at = held_.size() - n;
        for (const std::string& stop : stops_) {
            if (n < stop.size() && held_.compare(at, n, stop, 0, n) == 0) return n;
        }
    }
    return 0;
}

}  // namespace llamood

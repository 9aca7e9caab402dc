#include "steering/phrase_matcher.hpp"

#include <algorithm>
#include <utility>

namespace llamood {

namespace {

// The last of `pieces`, and what of those before it can belong to the same `n` bytes: fewer than n,
// so that no text of n bytes is found that ended earlier.
std::string tail(const std::vector<std::string>& pieces, std::size_t n_piece, std::size_t n) {
    std::string before;
    for (std::size_t i = n_piece - 1; i > 0 && before.size() + 1 < n; --i) {
        before = pieces[i - 1] + before;
    }
    if (before.size() >= n) before.erase(0, before.size() + 1 - n);
    return before + pieces[n_piece - 1];
}

}  // namespace

void PhraseMatcher::listen(std::vector<std::string> texts) {
    texts_ = std::move(texts);
    events_.clear();
    for (std::size_t n = 1; n <= pieces_.size(); ++n) note(n);
}

void PhraseMatcher::hear(const std::string& piece) {
    pieces_.push_back(piece);
    note(pieces_.size());
}

void PhraseMatcher::forget(std::int64_t n) {
    const std::int64_t n_kept = std::clamp<std::int64_t>(n, 0, n_heard());
    pieces_.resize(static_cast<std::size_t>(n_kept));
    for (auto& [text, times] : events_) {
        while (!times.empty() && times.back() > n_kept) times.pop_back();
    }
}

// Which texts the piece brings to their end.
void PhraseMatcher::note(std::size_t n_piece) {
    for (const std::string& text : texts_) {
        if (tail(pieces_, n_piece, text.size()).find(text) != std::string::npos) {
            events_[text].push_back(static_cast<std::int64_t>(n_piece));
        }
    }
}

}  // namespace llamood

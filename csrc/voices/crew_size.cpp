#include "voices/crew_size.hpp"

#include <algorithm>

namespace llamood {

namespace {

constexpr int n_compared = 4;         // steps that are compared with as many others
constexpr double alone = 0.75;        // busy for less of the time, it is not alone
constexpr double faster = 0.92;       // of the time that was taken before
constexpr int soon = 8, seldom = 64;  // steps between trials

}  // namespace

void CrewSize::note(int n_token, double seconds, double busy) {
    if (n_token != n_token_) {
        n_token_ = n_token;
        usual_ = {};
        is_trial_ = false;
    }
    ++n_since_;
    Steps& steps = is_trial_ ? trial_ : usual_;
    if (steps.n == n_compared) steps = {};
    ++steps.n;
    steps.seconds += seconds;
    steps.busy += busy;
    if (steps.n < n_compared) return;
    if (is_trial_) {
        judge_trial();
    } else {
        consider();
    }
}

void CrewSize::consider() {
    if (n_since_ < n_between_) return;
    const bool is_alone = usual_.busy > alone * usual_.seconds;
    if (size_ > 1 && !is_alone && !(is_down_in_vain_ && size_ < most_)) {
        try_size(is_by_one_ ? size_ - 1 : size_ / 2);
    } else if (size_ < most_) {
        try_size(is_by_one_ ? size_ + 1 : std::min(2 * size_, most_));
    }
}

void CrewSize::try_size(int size) {
    is_trial_ = true;
    tried_ = size;
    trial_ = {};
}

void CrewSize::judge_trial() {
    is_trial_ = false;
    n_since_ = 0;
    is_down_in_vain_ = false;
    if (trial_.seconds < faster * usual_.seconds) {
        size_ = tried_;
        usual_ = trial_;
        n_between_ = soon;
    } else {
        is_down_in_vain_ = tried_ < size_;
        is_by_one_ = !is_by_one_;
        n_between_ = std::clamp(2 * n_between_, soon, seldom);
    }
}

}  // namespace llamood

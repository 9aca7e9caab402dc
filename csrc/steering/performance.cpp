#include "steering/performance.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace llamood {

namespace {

double or_nan(const Read& read, const std::string& name) {
    const auto found = read.find(name);
    return found == read.end() ? std::nan("") : found->second;
}

bool are_finite(const std::vector<double>& numbers) {
    return std::all_of(numbers.begin(), numbers.end(), [](double n) { return std::isfinite(n); });
}

// Whether what is added by it can be added up with anything.
bool is_finite(const Performance::Row& row) {
    const auto is_sound = [](const Regulation& held) {
        return std::isfinite(held.weight) && std::isfinite(held.integral);
    };
    return are_finite(row.asked) && are_finite(row.limited) && are_finite(row.applied) &&
           std::all_of(row.held.begin(), row.held.end(), is_sound);
}

}  // namespace

Performance::Performance(std::shared_ptr<const Steering> steering, std::vector<double> before,
                         Notify notify, Reading reading, UserReading of_user)
    : steering_(std::move(steering)),
      is_felt_(!steering_->mood().is_neutral()),
      before_(std::move(before)),
      notify_(std::move(notify)),
      reading_(std::move(reading)),
      of_user_(std::move(of_user)) {
    if (before_.size() != steering_->n_emotion()) {
        throw std::invalid_argument("expected what was felt of " +
                                    std::to_string(steering_->n_emotion()) + " emotions, found " +
                                    std::to_string(before_.size()));
    }
    matcher_.listen(steering_->mood().texts());
}

Performance::State Performance::state(std::int64_t n) const {
    const auto known = std::min(static_cast<std::size_t>(n), rows_.size());
    const auto end = rows_.begin() + static_cast<std::ptrdiff_t>(known);
    return {begin_, is_felt_, before_, told_, said_, flips_, {rows_.begin(), end}, softened_};
}

void Performance::restore(State state, const std::vector<std::string>& pieces) {
    const std::size_t n = steering_->n_emotion();
    const auto fits = [&](const std::shared_ptr<const Row>& row) {
        const bool is_its = row->steering == steering_;
        return row->asked.size() == n && row->limited.size() == n && row->applied.size() == n &&
               (!is_its || row->held.size() == steering_->held().size()) && is_finite(*row);
    };
    const auto is_part = [](const Softened& softened) {
        return softened.first >= 0 && softened.factor >= 0.0 && softened.factor <= 1.0;
    };
    const auto n_row = static_cast<std::int64_t>(state.rows.size());
    if (state.before.size() != n || !are_finite(state.before) || state.begin < 0 ||
        state.begin > n_row || !are_finite(state.told.excesses) ||
        !std::all_of(state.softened.begin(), state.softened.end(), is_part) ||
        !std::all_of(state.rows.begin(), state.rows.end(), fits) ||
        !std::all_of(state.rows.begin() + static_cast<std::ptrdiff_t>(state.begin),
                     state.rows.end(),
                     [&](const auto& row) { return row->steering == steering_; }) ||
        (!state.told.excesses.empty() && state.told.excesses.size() != n + 2)) {
        throw std::invalid_argument("what was felt is not that of such a mood");
    }
    begin_ = state.begin;
    is_felt_ = state.is_felt;
    before_ = std::move(state.before);
    told_ = std::move(state.told);
    said_ = std::move(state.said);
    flips_ = std::move(state.flips);
    rows_ = std::move(state.rows);
    softened_ = std::move(state.softened);
    for (const std::string& piece : pieces) matcher_.hear(piece);
}

void Performance::change(std::shared_ptr<const Steering> steering, std::int64_t token) {
    fill(token);
    forget(token);
    Missed told;
    Flips flips;
    const auto swap = [&](std::shared_ptr<const Steering>& other, std::int64_t& begin) {
        std::swap(steering_, other);
        std::swap(told_, told);
        std::swap(flips_, flips);
        std::swap(begin_, begin);
        matcher_.listen(steering_->mood().texts());
    };
    swap(steering, token);
    try {
        if (steering_->listens()) fill(begin_ + 1);
    } catch (...) {
        swap(steering, token);
        throw;
    }
    is_felt_ = is_felt_ || !steering_->mood().is_neutral();
}

void Performance::soften(std::int64_t token, double factor) {
    forget(token);
    matcher_.forget(token);
    begin_ = std::min(begin_, token);
    const std::int64_t first = steering_->is_everywhere() ? 0 : token;
    while (!softened_.empty() && softened_.back().first >= first) softened_.pop_back();
    softened_.push_back({first, factor});
}

void Performance::hear(std::int64_t token, const std::string& piece) {
    if (token < 1 || token > n_heard() + 1) {
        throw std::out_of_range("token " + std::to_string(token) + " cannot be heard next, as " +
                                std::to_string(n_heard()) + " were heard");
    }
    if (steering_->listens()) {
        forget(std::max(token, begin_));  // what was played under another mood stays
    }
    matcher_.forget(token - 1);
    matcher_.hear(piece);
}

Blend Performance::blend(std::int64_t token) {
    if (token < begin_) {  // of a mood before
        const std::vector<double> weights = applied(token);
        return at(token).steering->blend(rounded(weights));
    }
    const Blend* still = steering_->still();
    if (still != nullptr && factor(token) == 1.0) return *still;
    return steering_->blend(rounded(applied(token)));
}

bool Performance::is_still(std::int64_t token) {
    if (steering_->still() != nullptr) return true;
    const Target* goal = steering_->constant();
    if (goal == nullptr || token == 0) return false;
    return rounded(at(token - 1).applied) == rounded(goal->limited);
}

std::vector<float> Performance::row(std::int64_t token) {
    return rounded(applied(token));
}

std::vector<float> Performance::asked(std::int64_t token) {
    return rounded(at(token).asked);
}

void Performance::block(std::int64_t token, std::int64_t n, float* rows, std::int64_t* keys) {
    std::vector<float> last;
    for (std::int64_t i = 0; i < n; ++i) {
        std::vector<float> weights = row(token + i);
        rows = std::copy(weights.begin(), weights.end(), rows);
        keys[i] = i > 0 && weights == last ? keys[i - 1] : steering_->blend(weights).key;
        last = std::move(weights);
    }
}

std::vector<double> Performance::after(std::int64_t token) {
    std::vector<double> weights = applied(token);
    const std::vector<double>& units = at(token).steering->vectors().units();
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] /= units[i];
    return weights;
}

std::optional<double> Performance::overdose(std::int64_t token) {
    return steering_->overdose(applied(token));
}

std::vector<double> Performance::applied(std::int64_t token) {
    std::vector<double> weights = at(token).applied;
    const double left = factor(token);
    if (left != 1.0) {
        for (double& weight : weights) weight *= left;
    }
    return weights;
}

double Performance::factor(std::int64_t token) const {
    for (auto each = softened_.rbegin(); each != softened_.rend(); ++each) {
        if (each->first <= token) return each->factor;
    }
    return 1.0;
}

const Performance::Row& Performance::at(std::int64_t token) {
    fill(token + 1);
    return *rows_[static_cast<std::size_t>(token)];
}

// Makes the rows before `n`, and some more where they are known already.
void Performance::fill(std::int64_t n) {
    const auto begin = static_cast<std::int64_t>(rows_.size());
    if (n <= begin) return;
    if (!steering_->listens() && n > 1) n = std::max(n, begin + block_size);
    Missed missed;
    for (std::int64_t token = begin; token < n; ++token) {
        const bool is_same = token > begin_ && steering_->still() != nullptr;
        rows_.push_back(is_same ? rows_.back() : made_row(token, missed));
    }
    missed.leave_out(told_);
    if (!notify_ || !missed.is_any()) return;
    told_.join(missed);
    for (const Notice& notice : steering_->notices(missed)) notify_(notice);
}

std::shared_ptr<const Performance::Row> Performance::made_row(std::int64_t token, Missed& missed) {
    Read read;
    if (!steering_->is_foreseen()) read = reading_(token);
    std::vector<Regulation> states = regulated(read, token);
    open(read, token);
    std::vector<double> held;
    if (!states.empty()) held.assign(steering_->mood().feelings().size(), std::nan(""));
    for (std::size_t i = 0; i < states.size(); ++i) {
        held[steering_->held()[i].feeling] = states[i].weight;
    }
    const Heard heard = Heard(matcher_.events(), begin_, &flips_);
    Target target = steering_->target(token - begin_, heard, held);
    missed.join(target.missed);
    std::vector<double> applied = target.limited;
    const double kept = steering_->kept();
    if (kept > 0.0) {
        const std::vector<double> from = last();
        for (std::size_t i = 0; i < applied.size(); ++i) {
            applied[i] += kept * (from[i] - applied[i]);
        }
    }
    return std::make_shared<const Row>(Row{std::move(target.asked), std::move(target.limited),
                                           std::move(applied), std::move(states), steering_});
}

// The weights that were applied last, in the dose of the mood.
std::vector<double> Performance::last() const {
    std::vector<double> weights = rows_.empty() ? before_ : rows_.back()->applied;
    const std::vector<double>& units = steering_->vectors().units();
    for (std::size_t i = 0; i < weights.size(); ++i) {
        if (!rows_.empty()) weights[i] /= rows_.back()->steering->vectors().units()[i];
        weights[i] *= units[i];
    }
    return weights;
}

// What holds each reading at a token, the one before it being decoded.
std::vector<Regulation> Performance::regulated(const Read& read, std::int64_t token) {
    const std::vector<Held>& held = steering_->held();
    std::vector<Regulation> states;
    for (std::size_t i = 0; i < held.size(); ++i) {
        const double reading = or_nan(read, steering_->mood().feelings()[held[i].feeling].name);
        states.push_back(held[i].regulator.step(so_far(i, token), reading));
    }
    return states;
}

// Opens and closes gates. The last token of the prompt is decoded with those before it: what was
// said is not read then.
void Performance::open(const Read& read, std::int64_t token) {
    static const Read nothing;
    for (const auto& [key, gate] : steering_->gates()) {
        std::vector<std::int64_t>& flips = flips_[key];
        const bool is_open = flips.size() % 2 == 1;
        const Read& heard = !gate.of_user ? read : token > 0 ? said() : nothing;
        if (gate.next(is_open, heard) != is_open) flips.push_back(token);
    }
}

const Read& Performance::said() {
    if (!said_.has_value()) said_ = of_user_ ? of_user_() : Read();
    return *said_;
}

// The state that a regulator goes on from: what was really applied counts.
Regulation Performance::so_far(std::size_t i, std::int64_t token) const {
    const std::size_t at = steering_->held()[i].emotion;
    const Regulator& regulator = steering_->held()[i].regulator;
    if (token == 0) {  // no answer begins with what was felt before it, unless that is asked for
        const bool is_inert = steering_->mood().settings().inertia.has_value();
        return regulator.start(is_inert ? last()[at] : regulator.expected());
    }
    const Row& row = *rows_.back();
    const double left = factor(token - 1);
    if (token == begin_) {
        const double unit = steering_->vectors().units()[at];
        return regulator.start(row.applied[at] * left / row.steering->vectors().units()[at] * unit);
    }
    const Regulation& state = row.held[i];
    return regulator.follow(state, state.weight + (row.limited[at] * left - row.asked[at]),
                            state.weight + (row.applied[at] * left - row.asked[at]));
}

void Performance::forget(std::int64_t n) {
    const auto n_kept = static_cast<std::size_t>(std::max<std::int64_t>(n, 0));
    if (n_kept < rows_.size()) rows_.resize(n_kept);
    for (auto& [gate, flips] : flips_) {
        while (!flips.empty() && flips.back() >= n) flips.pop_back();
    }
}

}  // namespace llamood

#include "steering/performance.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace llamood {

namespace {

std::vector<float> rounded(const std::vector<double>& weights) {
    std::vector<float> row(weights.size());
    std::transform(weights.begin(), weights.end(), row.begin(), [](double weight) {
        return static_cast<float>(weight) + 0.0f;  // -0.0 becomes 0.0
    });
    return row;
}

}  // namespace

Performance::Performance(std::shared_ptr<const Steering> steering, std::vector<double> before,
                         std::function<void(const Notice&)> notify)
    : steering_(std::move(steering)), before_(std::move(before)), notify_(std::move(notify)) {
    if (before_.size() != static_cast<std::size_t>(steering_->n_emotion())) {
        throw std::invalid_argument("expected what was felt of " +
                                    std::to_string(steering_->n_emotion()) + " emotions, found " +
                                    std::to_string(before_.size()));
    }
    matcher_.listen(steering_->mood().texts());
}

void Performance::change(std::shared_ptr<const Steering> steering, std::int64_t token) {
    if (token > 0) at(token - 1);
    forget(token);
    steering_ = std::move(steering);
    begin_ = token;
    noticed_.clear();
    matcher_.listen(steering_->mood().texts());
}

void Performance::hear(std::int64_t token, const std::string& piece) {
    if (token < 1 || token > matcher_.n_heard() + 1) {
        throw std::out_of_range("token " + std::to_string(token) + " cannot be heard next, as " +
                                std::to_string(matcher_.n_heard()) + " were heard");
    }
    if (steering_->mood().listens()) {
        forget(std::max(token, begin_));  // what was played under another mood stays
    }
    matcher_.forget(token - 1);
    matcher_.hear(piece);
}

std::vector<float> Performance::row(std::int64_t token) {
    return rounded(at(token).applied);
}

std::vector<float> Performance::asked(std::int64_t token) {
    return rounded(at(token).asked);
}

const std::vector<double>& Performance::after(std::int64_t token) {
    return at(token).applied;
}

const Performance::Row& Performance::at(std::int64_t token) {
    while (static_cast<std::int64_t>(rows_.size()) <= token) {
        const auto next = static_cast<std::int64_t>(rows_.size());
        const bool is_same = next > begin_ && steering_->is_still();
        rows_.push_back(is_same ? rows_.back() : made_row(next));
    }
    return *rows_[static_cast<std::size_t>(token)];
}

std::shared_ptr<const Performance::Row> Performance::made_row(std::int64_t token) {
    const Heard heard = Heard(matcher_.events()).since(begin_);
    Target target = steering_->target(token - begin_, heard);
    for (const Excess& excess : target.excesses) {
        if (!notify_) break;
        const Notice notice = steering_->notice(excess);
        if (noticed_.insert(notice.what).second) notify_(notice);
    }
    const double kept = steering_->kept();
    if (kept > 0.0) {
        const std::vector<double>& last = rows_.empty() ? before_ : rows_.back()->applied;
        for (std::size_t i = 0; i < last.size(); ++i) {
            const double goal = target.limited[i];
            target.limited[i] = goal + kept * (last[i] - goal);
        }
    }
    return std::make_shared<const Row>(Row{std::move(target.asked), std::move(target.limited)});
}

void Performance::forget(std::int64_t n) {
    const auto n_kept = static_cast<std::size_t>(std::max<std::int64_t>(n, 0));
    if (n_kept < rows_.size()) rows_.resize(n_kept);
}

}  // namespace llamood

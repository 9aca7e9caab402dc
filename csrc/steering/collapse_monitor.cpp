#include "steering/collapse_monitor.hpp"

#include <algorithm>

namespace llamood {

namespace {

const char* share_of(double factor) {
    if (factor == 0.0) return "without the mood";
    return factor == 0.5 ? "at half the dose" : "at a quarter of the dose";
}

std::string words_of(const Rescue& rescue) {
    const std::string to =
        rescue.kept > 0 ? "token " + std::to_string(rescue.kept) : "its beginning";
    const std::string on =
        rescue.factor ? std::string("went on ") + share_of(*rescue.factor) : "stopped there";
    return "collapsed at token " + std::to_string(rescue.token) + " (" + rescue.alarm.text +
           "); went back to " + to + " and " + on + ".";
}

}  // namespace

std::string Collapse::words() const {
    std::string words = "The answer " + words_of(rescues.front());
    for (std::size_t i = 1; i < rescues.size(); ++i) words += " It " + words_of(rescues[i]);
    return words;
}

double Collapse::factor() const {
    if (rescues.back().factor) return *rescues.back().factor;
    return rescues.size() > 1 ? rescue_factors[rescues.size() - 2] : 1.0;
}

CollapseMonitor::CollapseMonitor(Care care, Guard::CompressedSize compressed_size)
    : care_(care), guard_(std::move(compressed_size)) {}

std::optional<Rescue> CollapseMonitor::hear(int token_id, const std::string& piece,
                                            Circumstances circumstances) {
    for (Heard& each : unheard_) let_hear(std::move(each));
    unheard_.clear();
    const std::size_t n_rescue = collapse_ == nullptr ? 0 : collapse_->rescues.size();
    if (n_rescue > 0 && circumstances.overdose && *circumstances.overdose <= 1.0) {
        circumstances.overdose.reset();  // of an answer that collapsed nothing is presumed fluent
    }
    const std::optional<Alarm>& alarm = let_hear({token_id, piece, circumstances});
    if (alarm && !(n_rescue == rescue_factors.size() && alarm->kind == "salad")) {
        return rescued(*alarm);
    }
    const std::optional<int> suspect = alarm ? std::nullopt : guard_.suspect_from();
    n_sound_ =
        suspect ? std::max(n_sound_, static_cast<std::size_t>(*suspect) - 1) : guard_.n_heard();
    return std::nullopt;
}

const std::optional<Alarm>& CollapseMonitor::let_hear(Heard heard) {
    heard_.push_back(std::move(heard));
    const auto& [token, piece, circumstances] = heard_.back();
    return guard_.hear(token, piece, circumstances);
}

void CollapseMonitor::restore(State state) {
    for (Heard& each : state.heard) let_hear(std::move(each));
    unheard_ = std::move(state.unheard);
    n_sound_ = state.n_sound;
    collapse_ = std::move(state.collapse);
}

// Takes the tokens back that are not kept.
Rescue CollapseMonitor::rescued(const Alarm& alarm) {
    Collapse collapse = collapse_ == nullptr ? Collapse{} : *collapse_;
    const std::size_t n_rescue = collapse.rescues.size();
    std::optional<double> factor;
    if (care_ == Care::rescue && n_rescue < rescue_factors.size()) {
        factor = rescue_factors[n_rescue];
    }
    Rescue rescue{guard_.n_heard(), n_sound_, factor, alarm};
    guard_.forget(n_sound_);
    heard_.resize(n_sound_);
    collapse.rescues.push_back(rescue);
    collapse_ = std::make_shared<const Collapse>(std::move(collapse));
    return rescue;
}

void CollapseMonitor::take(int token_id, std::string piece) {
    unheard_.push_back({token_id, std::move(piece), {}});
    pass_all();
}

void CollapseMonitor::pass_all() {
    n_sound_ = guard_.n_heard() + unheard_.size();
}

}  // namespace llamood

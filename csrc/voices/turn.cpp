#include "voices/turn.hpp"

#include <algorithm>
#include <cstddef>

namespace llamood {

namespace {

const Blend nothing;

}  // namespace

std::vector<std::int64_t> keys_of_prompt(Performance& performance, std::size_t n) {
    const std::int64_t key = performance.blend(0).key;
    std::vector<std::int64_t> keys(n, performance.steering().is_everywhere() ? key : 0);
    keys.back() = key;
    return keys;
}

Turn::Turn(Plan of, Performance played, std::shared_ptr<const std::vector<std::string>> of_limits,
           int n_ctx)
    : plan(std::move(of)), performance(std::move(played)), notices(std::move(of_limits)) {
    const int room = n_ctx - static_cast<int>(n_prompt());
    most_ = plan.manner.max_tokens > 0 ? std::min(plan.manner.max_tokens, room) : room;
}

Span Turn::said(const llama_vocab* vocab) const {
    if (!plan.said) return {0, static_cast<int>(n_prompt())};
    return span_of(vocab, plan.tokens, *plan.said);
}

std::vector<llama_token> Turn::tokens() const {
    std::vector<llama_token> tokens = plan.tokens;
    for (const auto& [token, piece] : fed) tokens.push_back(token);
    return tokens;
}

Turn::Blends Turn::blends(int begin) {
    Blends blends;
    const int end = static_cast<int>(n_prompt() + fed.size());
    for (int at = begin; at < end; ++at) {
        if (at < start()) {
            blends.at.push_back(&nothing);
            continue;
        }
        if (blends.kept.empty() || at > position()) {
            blends.kept.push_back(performance.blend(std::max(at - position(), 0)));
        }
        blends.at.push_back(&blends.kept.back());
    }
    return blends;
}

std::optional<Rescue> Turn::heard(const Drawn& drawn, std::optional<double> likely) {
    const bool is_over = drawn.end != End::none && drawn.end != End::length;
    if (!monitor || is_over) return std::nullopt;
    if (is_paused || !performance.is_felt()) {
        monitor->take(drawn.token, drawn.piece);
        return std::nullopt;
    }
    return monitor->hear(drawn.token, drawn.piece, {likely, performance.overdose(n_drawn)});
}

std::vector<Event> Turn::sound(bool is_over) {
    std::vector<Event> events;
    while (!untold.empty() && (!monitor || is_over || told.size() < monitor->n_sound())) {
        told.push_back(untold.front().text);
        events.push_back(std::move(untold.front()));
        untold.pop_front();
    }
    return events;
}

void Turn::take_back(std::size_t kept) {
    untold.clear();
    fed.resize(std::min(kept, fed.size()));
    n_drawn = static_cast<int>(kept);
}

Limits Turn::limits() const {
    return {plan.manner.stops, most_ - n_drawn, plan.manner.max_seconds - seconds()};
}

double Turn::seconds() const {
    return std::chrono::duration<double>(Clock::now() - begun_).count();
}

void Turn::begin_before(double seconds) {
    const std::chrono::duration<double> before(seconds);
    begun_ = Clock::now() - std::chrono::duration_cast<Clock::duration>(before);
}

}  // namespace llamood

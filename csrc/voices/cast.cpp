#include "voices/cast.hpp"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace llamood {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int least_prompt = 16;  // tokens of prompts in a batch, however little time there is

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

}  // namespace

std::string not_there(int voice) {
    return "voice " + std::to_string(voice) + " is not there (any more); join makes one";
}

void drop_events(std::deque<Event>& events, int voice) {
    const auto is_its = [voice](const Event& event) { return event.voice == voice; };
    events.erase(std::remove_if(events.begin(), events.end(), is_its), events.end());
}

Cast::Cast(std::unique_ptr<SharedContext> shared, Overflow overflow)
    : shared_(std::move(shared)), overflow_(overflow) {}

Character& Cast::at(int voice) {
    const auto found = voices_.find(voice);
    if (found == voices_.end()) {
        throw std::out_of_range(not_there(voice));
    }
    return *found->second;
}

std::vector<const Character*> Cast::others(const Character& voice) const {
    std::vector<const Character*> others;
    for (const auto& [number, other] : voices_) {
        if (other.get() != &voice) others.push_back(other.get());
    }
    return others;
}

std::vector<int> Cast::voices() const {
    std::vector<int> numbers;
    for (const auto& [number, voice] : voices_) numbers.push_back(number);
    return numbers;
}

bool Cast::anybody_speaks() const {
    return std::any_of(voices_.begin(), voices_.end(),
                       [](const auto& entry) { return entry.second->is_speaking(); });
}

int Cast::join(std::optional<std::string> system, std::shared_ptr<const Steering> steering,
               Manner manner) {
    int number = 0;
    while (voices_.count(number) != 0) ++number;
    const int most = shared_->stage().n_voice();
    if (number >= most) {
        throw std::runtime_error("all " + std::to_string(most) +
                                 " voices are taken; let one leave, or open the stage with more");
    }
    voices_[number] = std::make_unique<Character>(
        *shared_, number, std::move(system), std::move(steering), std::move(manner), overflow_);
    return number;
}

void Cast::begin(Character& voice, Character::Plan plan) {
    try {
        const Character* leader = voice.begin(std::move(plan), others(voice));
        if (leader != nullptr) followers_[voice.number()] = leader->number();
    } catch (...) {
        voice.abandon();
        throw;
    }
}

void Cast::say(int voice, const std::string& text) {
    Character& speaker = at(voice);
    begin(speaker, speaker.plan(text));
}

void Cast::feel(int voice, std::shared_ptr<const Steering> steering) {
    at(voice).feel(std::move(steering));
}

void Cast::interrupt(int voice) {
    if (auto event = at(voice).interrupt()) events_.push_back(std::move(*event));
}

void Cast::leave(int voice) {
    Character& leaver = at(voice);
    (void)leaver.interrupt();
    leaver.leave();
    voices_.erase(voice);
    followers_.erase(voice);
    drop_events(events_, voice);
}

void Cast::let_follow() {
    for (auto entry = followers_.begin(); entry != followers_.end();) {
        const auto [number, leader] = *entry;
        Character& voice = at(number);
        const auto ahead = voices_.find(leader);
        const bool is_ahead = ahead != voices_.end() && ahead->second->is_prompting();
        if (is_ahead && voice.is_waiting()) {
            ++entry;
            continue;
        }
        entry = followers_.erase(entry);
        if (voice.is_waiting()) voice.start(others(voice));
    }
}

bool Cast::step(int n) {
    try {
        let_follow();
        Stage& stage = shared_->stage();
        const auto n_token = stage.n_token();
        const auto begin = Clock::now();
        const std::vector<Drawn> drawn = shared_->step(n);
        const auto n_taken = static_cast<int>(stage.n_token() - n_token);
        if (n_taken > 0) cost_.note(n_taken, seconds_since(begin));
        for (const Drawn& token : drawn) events_.push_back(at(token.voice).hear(token));
    } catch (...) {
        for (const auto& [number, voice] : voices_) voice->abandon();
        followers_.clear();
        throw;
    }
    return anybody_speaks();
}

bool Cast::step_for(double seconds) {
    const auto begin = Clock::now();
    bool is_first = true;
    bool goes_on = anybody_speaks();
    while (goes_on) {
        const int n_generating = shared_->stage().n_generating();
        const double left = seconds - seconds_since(begin);
        if (!is_first && cost_.expected(std::max(n_generating, 1)) > left) break;
        goes_on = step(cost_.most(left, n_generating + least_prompt));
        is_first = false;
    }
    return goes_on;
}

std::optional<Event> Cast::poll() {
    if (events_.empty()) return std::nullopt;
    Event event = std::move(events_.front());
    events_.pop_front();
    return event;
}

}  // namespace llamood

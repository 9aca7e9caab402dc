#include "voices/cast.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "voices/faults.hpp"

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

Cast::Cast(SharedContext::Parts parts, Overflow overflow, std::optional<Care> care)
    : shared_(std::move(parts)), overflow_(overflow), care_(care) {}

// -- who is there ------------------------------------------------------------------------------

Character& Cast::at(int voice) const {
    const auto found = voices_.find(voice);
    if (found == voices_.end()) throw std::out_of_range(not_there(voice));
    return *found->second;
}

std::vector<int> Cast::voices() const {
    std::vector<int> numbers;
    for (const auto& [number, voice] : voices_) numbers.push_back(number);
    return numbers;
}

std::vector<Cast::CharacterPtr> Cast::present() const {
    std::vector<CharacterPtr> present;
    for (const auto& [number, voice] : voices_) present.push_back(voice);
    return present;
}

Character::Others Cast::others(const Character& voice) const {
    Character::Others others;
    for (const auto& [number, other] : voices_) {
        if (other.get() != &voice) others.push_back(other.get());
    }
    return others;
}

bool Cast::anybody_speaks() const {
    return std::any_of(voices_.begin(), voices_.end(),
                       [](const auto& entry) { return entry.second->is_speaking(); });
}

std::shared_ptr<Character> Cast::join(std::optional<std::string> system,
                                      std::shared_ptr<const Steering> steering, Manner manner) {
    int number = 0;
    while (voices_.count(number) != 0) ++number;
    const int most = shared_.stage().n_voice();
    if (number >= most) {
        throw Refused("all " + std::to_string(most) + " voices are taken; let one leave, or " +
                      shared_.advice().to_have_more);
    }
    const auto voice =
        std::make_shared<Character>(shared_, number, std::move(system), std::move(steering),
                                    std::move(manner), overflow_, care_);
    voices_[number] = voice;
    return voice;
}

std::shared_ptr<Character> Cast::load(
    SavedVoice saved, const std::vector<std::shared_ptr<const Steering>>& steerings) {
    const SavedModel& model = saved.model;
    if (model.fingerprint != shared_.fingerprint()) {
        throw Refused("it was saved of another model, " + model.name + " (" + model.fingerprint +
                      "), expected " + shared_.name() + " (" + shared_.fingerprint() + ")");
    }
    const CharacterPtr voice = join(std::nullopt, steerings.back(), saved.manner);
    try {
        const auto lead = voice->restore(std::move(saved), steerings, others(*voice));
        if (lead) followers_[voice->number()] = *lead;
    } catch (...) {
        voice->abandon();
        leave(voice->number());
        throw;
    }
    return voice;
}

void Cast::leave(int voice) {
    Character& leaver = at(voice);
    interrupt(voice);
    leaver.leave();
    voices_.erase(voice);
}

void Cast::drop(int voice) {
    drop_events(events_, voice);
}

// -- answers -----------------------------------------------------------------------------------

void Cast::begin(Plans plans) {
    std::vector<CharacterPtr> begun;
    try {
        for (auto& [number, plan] : plans) {
            (void)at(number);
            begun.push_back(voices_[number]);
            const auto lead = begun.back()->begin(std::move(plan), others(*begun.back()));
            if (lead) followers_[number] = *lead;
        }
    } catch (...) {
        for (const CharacterPtr& voice : begun) voice->abandon();
        throw;
    }
}

void Cast::say(int voice, const std::string& text, std::optional<Manner> manner) {
    Plans plans;
    plans.emplace_back(voice, at(voice).plan(text, std::move(manner)));
    begin(std::move(plans));
}

int Cast::nearest(const Plan& plan, const std::vector<int>& among,
                  const std::shared_ptr<const Steering>& steering, std::vector<double> felt) const {
    for (const int voice : among) at(voice).require_silent();
    const int position = static_cast<int>(plan.tokens.size()) - 1;
    // It is not felt yet, so that nobody is told anything.
    Performance performance = at(among.at(0)).performance(steering, std::move(felt), position, {});
    const auto keys = keys_of_prompt(performance, plan.tokens.size());
    const auto has = [&](int voice) {
        return std::make_tuple(at(voice).n_common(plan.tokens, keys), -at(voice).n_cached());
    };
    return *std::max_element(among.begin(), among.end(),
                             [&](int one, int other) { return has(one) < has(other); });
}

void Cast::interrupt(int voice) {
    Character& speaker = at(voice);
    if (auto event = speaker.interrupt()) tell(speaker, std::move(*event));
}

void Cast::fail(Character& voice, const std::exception_ptr& fault) {
    voice.abandon();
    Event event;
    event.end = End::failed;
    event.fault = fault;
    tell(voice, std::move(event));
}

void Cast::tell(Character& voice, Event event) {
    event.voice = voice.number();
    event.news = voice.news();
    events_.push_back(std::move(event));
}

std::optional<Event> Cast::poll() {
    if (events_.empty()) return std::nullopt;
    Event event = std::move(events_.front());
    events_.pop_front();
    return event;
}

// -- steps -------------------------------------------------------------------------------------

void Cast::let_follow() {
    const std::map<int, Lead> followers = followers_;
    for (const auto& [number, lead] : followers) {
        const auto found = voices_.find(number);
        const auto ahead = voices_.find(lead.voice);
        const bool is_waiting = found != voices_.end() && found->second->is_waiting();
        const bool is_ahead = ahead != voices_.end() && ahead->second->is_prompting();
        if (is_ahead && is_waiting && ahead->second->n_cached() < lead.n) continue;
        followers_.erase(number);
        if (!is_waiting) continue;
        const CharacterPtr voice = found->second;
        try {
            voice->start(others(*voice));
        } catch (...) {
            if (shared_.is_outside()) throw;
            fail(*voice, std::current_exception());
        }
    }
}

std::vector<Drawn> Cast::drawn(const Room& room) {
    Stage& stage = shared_.stage();
    const auto n_token = stage.n_token();
    const auto n_step = stage.n_step();
    const auto begin = Clock::now();
    std::vector<Drawn> drawn = shared_.step(room);
    const auto n_taken = static_cast<int>(stage.n_token() - n_token);
    if (n_taken > 0) cost_.note(n_taken, seconds_since(begin));
    if (room.n_prompt > 0 && stage.n_step() == n_step) {
        // A token was drawn and, by an exception from outside, never heard.
        for (const int voice : voices()) interrupt(voice);
    }
    return drawn;
}

bool Cast::step(const Room& room) {
    let_follow();
    try {
        for (const Drawn& token : drawn(room)) hear(token);
    } catch (const ModelFault&) {
        for (const CharacterPtr& voice : present()) {
            if (voice->is_speaking()) fail(*voice, std::current_exception());
        }
        throw;
    }
    return anybody_speaks();
}

void Cast::hear(const Drawn& drawn) {
    const auto found = voices_.find(drawn.voice);
    if (found == voices_.end() || !found->second->is_speaking()) return;
    const CharacterPtr voice = found->second;
    try {
        if (drawn.end == End::failed) {
            throw Refused("the grammar of this answer left no token to draw");
        }
        for (Event& event : voice->hear(drawn)) tell(*voice, std::move(event));
    } catch (...) {
        if (shared_.is_outside()) throw;
        fail(*voice, std::current_exception());
    }
}

bool Cast::step_for(double seconds) {
    const auto begin = Clock::now();
    bool is_first = true;
    bool goes_on = anybody_speaks();
    while (goes_on) {
        const int n_generating = shared_.stage().n_generating();
        const double left = seconds - seconds_since(begin);
        if (!is_first && cost_.expected(std::max(n_generating, 1)) > left) break;
        goes_on = step({cost_.most(left, n_generating + least_prompt)});
        is_first = false;
    }
    return goes_on;
}

}  // namespace llamood

#include "voices/character.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <utility>

#include "voices/faults.hpp"

namespace llamood {

namespace {

const Blend nothing;

// (n_emotion)
std::vector<float> row_of(const Blend& blend, std::size_t n_emotion) {
    return blend.key == 0 ? std::vector<float>(n_emotion) : blend.weights;
}

// Of each; none where nobody is kept within any.
std::vector<CapsPtr> caps_of(const std::vector<const Blend*>& blends) {
    const auto is_free = [](const Blend* blend) { return blend->caps == nullptr; };
    if (std::all_of(blends.begin(), blends.end(), is_free)) return {};
    std::vector<CapsPtr> caps;
    for (const Blend* blend : blends) caps.push_back(blend->caps);
    return caps;
}

}  // namespace

Character::Character(SharedContext& shared, int number, std::optional<std::string> system,
                     std::shared_ptr<const Steering> steering, Manner manner, Overflow overflow,
                     std::optional<Care> care)
    : shared_(shared),
      number_(number),
      memory_(std::move(system), overflow),
      steering_(std::move(steering)),
      manner_(std::move(manner)),
      care_(care),
      felt_(shared.vectors().names().size()),
      reader_(shared.reader(number)),
      faces_(shared.faces()) {
    if (reader_ != nullptr) reading_.emplace();
    foresee(*steering_);
}

const std::vector<Message>& Character::messages() const {
    const bool has_asked = turn_ != nullptr && turn_->plan.messages.has_value();
    return has_asked ? *turn_->plan.messages : memory_.messages();
}

bool Character::is_prompting() const {
    return turn_ != nullptr && turn_->n_drawn == 0 && !turn_->is_waiting;
}

std::optional<Shown> Character::face() const {
    if (reader_ == nullptr) return std::nullopt;
    return shown(turn_.get(), *reading_);
}

Shown Character::shown(const Turn* turn, const std::vector<double>& reading) const {
    const FaceSet* of_turn = turn == nullptr ? nullptr : turn->plan.faces.get();
    return face_.shown(of_turn == nullptr ? *faces_ : *of_turn, reading, shared_.places());
}

// -- a turn ------------------------------------------------------------------------------------

void Character::require_silent() const {
    if (is_speaking()) throw Refused(is_speaking_already);
}

void Character::require_able(const Manner& manner) const {
    require_silent();
    if (shared_.stage().takes(manner.sampling.grammar)) return;
    throw Refused("the grammar was not understood; expected GBNF whose root is root");
}

Plan Character::plan(const std::string& text, std::optional<Manner> manner) const {
    if (!manner) manner = manner_;
    require_able(*manner);
    return memory_.plan(shared_, text, std::move(*manner));
}

Plan Character::plan_prompt(std::vector<llama_token> prompt, Manner manner,
                            std::optional<std::string> said) const {
    require_able(manner);
    return plan_of(shared_, std::move(prompt), std::move(manner), std::move(said));
}

Read Character::said() const {
    if (reader_ == nullptr || turn_ == nullptr || turn_->n_drawn == 0) return {};
    const Span span = turn_->said(shared_.stage().vocab());
    return reader_->named(reader_->mean(span.begin, span.end));
}

Performance Character::performance(std::shared_ptr<const Steering> steering,
                                   std::vector<double> before, int position,
                                   Performance::Notify notify) const {
    const auto read = [this, position](std::int64_t token) {
        if (reader_ == nullptr) return Read();
        const int end = position + static_cast<int>(token);
        return reader_->named(reader_->heard(position, end).reading);
    };
    return {std::move(steering), std::move(before), std::move(notify), read,
            [this] { return said(); }};
}

std::optional<Lead> Character::begin(Plan plan, const Others& others) {
    if (reader_ != nullptr) reading_.emplace();
    if (!plan.messages) face_ = {};  // of whoever answered before
    n_draw_ = 0;
    const TurnPtr turn = turn_of(std::move(plan));
    turn_ = turn;
    const auto wanted = keys_of_prompt(turn->performance, turn->n_prompt());
    if (turn_ != turn) return std::nullopt;
    const std::optional<Lead> ahead = lead(wanted, others);
    turn->is_waiting = ahead.has_value();
    if (!ahead) start(others);
    return ahead;
}

// An answer that is not begun. told_before: of limits.
Character::TurnPtr Character::turn_of(Plan plan, std::vector<std::string> told_before) {
    const auto notices = std::make_shared<std::vector<std::string>>(std::move(told_before));
    const auto notify = [this, notices](const Notice& told) {
        const bool is_known = std::count(notices->begin(), notices->end(), told.text) > 0;
        if (!is_known) notices->push_back(told.text);
        notice(told);
    };
    const int position = static_cast<int>(plan.tokens.size()) - 1;
    Performance played = performance(steering_, felt_, position, notify);
    const TurnPtr turn =
        std::make_shared<Turn>(std::move(plan), std::move(played), notices, shared_.n_ctx());
    if (care_) turn->monitor.emplace(*care_, shared_.compressed_size());
    return turn;
}

void Character::start(const Others& others) {
    const TurnPtr turn = turn_;
    turn->is_waiting = false;
    const auto wanted = keys_of_prompt(turn->performance, turn->n_prompt());
    if (turn_ != turn) return;
    const int same = std::min(n_same(turn->plan.tokens, wanted), turn->position());
    const int known = std::min(same, n_cached());
    int n = static_cast<int>(shared_.stage().keep(number_, known));
    n += borrow(n, wanted, others);
    const Turn::Blends blends = turn->blends(0);
    note(0, {blends.at.begin(), blends.at.begin() + n});
    keys_.assign(wanted.begin(), wanted.begin() + n);
    speak(*turn, n, {blends.at.begin() + n, blends.at.end()}, same);
}

// Draw what follows on the answer as far as it goes, in the mood of now. What is decoded of it
// stays, unless the mood steers the prompt too.
void Character::again(const TurnPtr& turn) {
    Stage& stage = shared_.stage();
    stage.rest(number_);
    const std::vector<llama_token> tokens = turn->tokens();
    int n = static_cast<int>(tokens.size()) - 1;
    int n_known = n;
    if (turn->is_steered_before()) {
        const Turn::Blends wanted = turn->blends(0);
        std::vector<std::int64_t> keys;
        for (const Blend* blend : wanted.at) keys.push_back(blend->key);
        n_known = std::min(n, n_same(tokens, keys));
        n = std::min(n_known, n_cached());
    }
    const int kept = static_cast<int>(stage.keep(number_, n));
    Turn::Blends blends = turn->blends(kept);
    if (turn_ != turn) return;
    for (int at = kept; at < n; ++at) {  // forgotten since, and decoded anew as it was
        if (keys_[at] == 0) blends.at[at - kept] = &nothing;
    }
    keys_.resize(kept);
    speak(*turn, kept, blends.at, n_known);
}

// As again(), of an answer that was saved: what was decoded stays as it was, whatever is felt now.
void Character::resume(const TurnPtr& turn) {
    shared_.stage().rest(number_);
    const int n = static_cast<int>(turn->tokens().size()) - 1;
    const int kept = static_cast<int>(shared_.stage().keep(number_, n));
    Turn::Blends blends = turn->blends(kept);
    const Blend of_prompt = turn->performance.blend(0);
    if (turn_ != turn) return;
    for (int at = kept; at < n; ++at) {
        const Blend*& blend = blends.at[at - kept];
        if (at < turn->position()) blend = &of_prompt;
        if (keys_[at] == 0) blend = &nothing;
    }
    keys_.resize(kept);
    speak(*turn, kept, blends.at, n);
}

// Draw what follows on the turn's tokens, of which the first `n` are decoded, and the rest are to
// be under these blends. n_known: how many were decoded so before, if not here.
void Character::speak(Turn& turn, int n, std::vector<const Blend*> blends, int n_known) {
    turn.is_unfelt = turn.is_paused && turn.n_drawn > 0;
    turn.is_begun = true;
    if (turn.is_unfelt) blends.back() = &nothing;
    tokens_ = turn.tokens();
    note(n, blends);
    std::vector<float> rows;
    for (const Blend* blend : blends) {
        keys_.push_back(blend->key);
        const std::vector<float> row = row_of(*blend, felt_.size());
        rows.insert(rows.end(), row.begin(), row.end());
    }
    const auto begin = static_cast<std::ptrdiff_t>(turn.n_prompt());
    Sampling sampling = turn.plan.manner.sampling;
    // A monitor hears how likely each token was; what a grammar asks for a model may find unlikely.
    const bool is_free = sampling.grammar.empty();
    if (turn.monitor && is_free) sampling.n_likely = std::max(sampling.n_likely, 0);
    try {
        shared_.stage().begin(
            number_, {tokens_.begin() + n, tokens_.end()}, std::move(rows),
            mix(turn.performance.steering(), caps_of(blends)), sampling, turn.limits(),
            {{tokens_.begin() + begin, tokens_.end()}, turn.n_skip, ends(n, n_known)});
    } catch (const std::invalid_argument& error) {
        throw Refused(std::string("this answer cannot be given: ") + error.what());
    }
    turn.seed = shared_.stage().seed(number_);
    turn.n_chance = turn.n_skip;
}

Mix Character::mix(const Steering& steering, std::vector<CapsPtr> caps) const {
    const LayerRange range = steering.layers();
    const int first = std::max(range.first, steering.vectors().first_layer());
    return {steering.vectors().bank(), {first, range.last}, std::move(caps)};
}

// Positions from this one on are decoded under these blends.
void Character::note(int position, const std::vector<const Blend*>& blends) {
    if (reader_ == nullptr) return;
    for (std::size_t at = 0; at < blends.size();) {
        std::size_t end = at + 1;
        while (end < blends.size() && blends[end]->key == blends[at]->key) ++end;
        reader_->note(position + static_cast<int>(at), static_cast<int>(end - at), *blends[at]);
        at = end;
    }
}

std::vector<Event> Character::hear(const Drawn& drawn) {
    const TurnPtr turn = turn_;
    turn->is_begun = false;
    turn->n_skip = 0;
    ++turn->n_chance;
    turn->is_resumed = false;
    begins_.clear();
    ++n_draw_;
    const std::vector<Likely>& likely = shared_.stage().likely(number_);
    std::optional<double> logprob;
    const bool is_free = turn->plan.manner.sampling.grammar.empty();
    if (is_free && !likely.empty()) logprob = likely.front().logprob;
    const auto rescued = turn->heard(drawn, logprob);
    if (turn_ != turn) return {};
    if (rescued) return rescue(turn, *rescued);
    turn->untold.push_back(event(*turn, drawn));
    if (turn_ != turn) return {};
    const bool is_over = drawn.end != End::none;
    if (!is_over) {  // let it be decoded, in the mood that it calls for
        turn->fed.emplace_back(drawn.token, drawn.piece);
        tokens_.push_back(drawn.token);
        keys_.push_back(0);
        play(turn);
        if (turn_ != turn) return {};
    }
    std::vector<Event> events = turn->sound(is_over);
    for (Event& each : events) {  // a face shows nothing of what was taken back
        if (!each.reading) continue;
        face_.see(turn->plan.faces ? *turn->plan.faces : *faces_, *each.reading);
        each.face = shown(turn.get(), *each.reading);
    }
    if (is_over) end(false);
    return events;
}

Event Character::event(Turn& turn, const Drawn& drawn) {
    const int number = turn.n_drawn++;
    Event event = ended(turn, drawn.end);
    event.asked = turn.performance.asked(number);
    event.mood = turn.performance.row(number);
    if (turn.is_unfelt) event.mood.assign(event.mood.size(), 0.0f);
    event.token = drawn.token;
    event.text = drawn.text;
    event.notices = *turn.notices;
    if (reader_ != nullptr) {
        Reader::Heard heard = reader_->heard(turn.position(), turn.position() + turn.n_drawn);
        event.reading = reading_ = std::move(heard.reading);
        event.score = std::move(heard.score);
    }
    if (number == 0) event.forgotten = turn.plan.forgotten;
    if (turn.plan.manner.sampling.n_likely >= 0) event.likely = shared_.stage().likely(number_);
    return event;
}

// The end of an answer that is no token, as far as it is not told otherwise.
Event Character::ended(const Turn& turn, End end) const {
    Event event;
    event.voice = number_;
    event.reading = reading_;
    if (reader_ != nullptr) event.face = shown(&turn, *reading_);
    event.end = end;
    if (turn.monitor) event.guard = turn.monitor->collapse();
    event.notices = *turn.notices;
    return event;
}

// Go on from before the collapse in less of the mood, or say no more.
std::vector<Event> Character::rescue(const TurnPtr& turn, const Rescue& rescue) {
    turn->take_back(rescue.kept);
    if (!rescue.factor) {
        end(false);
        return {ended(*turn, End::stop)};
    }
    turn->performance.soften(static_cast<std::int64_t>(rescue.kept), *rescue.factor);
    again(turn);
    return {};
}

// Decode the last token in this mood, which listens to it, and to those before it where none did.
void Character::play(const TurnPtr& turn) {
    Performance& performance = turn->performance;
    const std::int64_t n = turn->n_drawn;
    if (performance.steering().listens()) {
        for (auto number = std::min(performance.n_heard() + 1, n); number <= n; ++number) {
            performance.hear(number, turn->fed[number - 1].second);
        }
    }
    const Blend blend = turn->is_paused ? nothing : performance.blend(n);
    if (turn_ != turn) return;
    turn->is_unfelt = turn->is_paused;
    shared_.stage().play(number_, row_of(blend, felt_.size()),
                         mix(performance.steering(), caps_of({&blend})));
    keys_.back() = blend.key;
    note(static_cast<int>(keys_.size()) - 1, {&blend});
}

std::optional<Event> Character::interrupt() {
    const TurnPtr turn = turn_;
    if (turn == nullptr) return std::nullopt;
    const bool is_sound = turn->untold.empty();
    turn->untold.clear();
    std::string text = end(is_sound);
    Event event = ended(*turn, End::interrupted);
    event.text = std::move(text);
    return event;
}

void Character::abandon() {
    if (reader_ != nullptr) reading_.emplace();
    if (turn_ == nullptr) return;
    turn_->told.clear();
    end(false);
}

// Returns the end of what was told, where it was held back and is told.
std::string Character::end(bool tells_rest) {
    const TurnPtr turn = std::exchange(turn_, nullptr);
    const std::string rest = shared_.stage().rest(number_);
    const std::string held = tells_rest ? rest : "";
    // Else all is as before: many templates want questions and answers in turn.
    if (turn->told.empty()) return held;
    felt_ = turn->performance.after(static_cast<std::int64_t>(turn->told.size()) - 1);
    if (!turn->plan.messages) return held;
    std::string answer;
    for (const std::string& text : turn->told) answer += text;
    memory_.add(std::move(*turn->plan.messages), answer + held);
    return held;
}

void Character::leave() {
    shared_.stage().keep(number_, 0);
    tokens_.clear();
    keys_.clear();
}

// -- mood --------------------------------------------------------------------------------------

void Character::feel(std::shared_ptr<const Steering> steering,
                     std::optional<std::vector<double>> felt) {
    foresee(*steering);
    const TurnPtr turn = turn_;
    if (turn != nullptr) turn->performance.change(steering, turn->n_drawn + n_decoded(*turn));
    steering_ = std::move(steering);
    if (felt) felt_ = std::move(*felt);
    if (turn == nullptr || turn != turn_) return;
    if (turn->n_drawn > 0) {
        go_on(turn);
        return;
    }
    shared_.stage().rest(number_);
    begin(turn->plan, {});
}

void Character::pause(bool is_paused) {
    const TurnPtr turn = turn_;
    if (turn == nullptr || turn->is_paused == is_paused) return;
    turn->is_paused = is_paused;
    if (turn->n_drawn > 0) go_on(turn);
}

// Of the tokens that were drawn, one at most: those decoded already of which the next is still
// being drawn. What changes then counts from the one after it.
int Character::n_decoded(const Turn& turn) const {
    return turn.n_drawn > 0 && shared_.stage().is_drawing(number_) ? 1 : 0;
}

// In what was changed, after some tokens are drawn.
void Character::go_on(const TurnPtr& turn) {
    if (n_decoded(*turn) > 0) return;
    if (turn->is_resumed) {
        resume(turn);
    } else if (turn->is_begun) {
        again(turn);
    } else {
        play(turn);
    }
}

// Notes what a mood that hears nothing asks for in vain.
void Character::foresee(const Steering& steering) {
    if (steering.listens()) return;
    for (const Notice& each : steering.notices(steering.first().missed)) notice(each);
}

void Character::notice(const Notice& notice) {
    if (noticed_.insert(notice.what).second) news_.push_back(notice.text);
}

std::vector<std::string> Character::news() {
    return std::exchange(news_, {});
}

}  // namespace llamood

#include "voices/character.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <utility>

namespace llamood {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int worth_waiting = 32;  // tokens that another voice is about to decode
constexpr int kept_free = 4;  // for an answer of no known length, this part of what it remembers

// FNV-1a, 64 bit: what is cached is told apart by it. 0 where nothing is added.
std::uint64_t key_of(const std::vector<float>& row, LayerRange range) {
    if (std::all_of(row.begin(), row.end(), [](float weight) { return weight == 0.0f; })) return 0;
    std::uint64_t hash = 0xcbf29ce484222325ULL;
    const auto add = [&hash](const void* data, std::size_t size) {
        const auto* bytes = static_cast<const unsigned char*>(data);
        for (std::size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 0x100000001b3ULL;
    };
    add(row.data(), row.size() * sizeof(float));
    add(&range.first, sizeof range.first);
    add(&range.last, sizeof range.last);
    return hash == 0 ? 1 : hash;
}

// Without the oldest question and what was answered to it; empty where there is only one.
std::vector<Message> without_oldest_turn(const std::vector<Message>& messages,
                                         std::size_t n_system) {
    const auto begin = messages.begin() + static_cast<std::ptrdiff_t>(n_system);
    const auto is_question = [](const Message& message) { return message.role == "user"; };
    const auto first = std::find_if(begin, messages.end(), is_question);
    if (first == messages.end()) return {};
    const auto second = std::find_if(first + 1, messages.end(), is_question);
    if (second == messages.end()) return {};
    std::vector<Message> fewer(messages.begin(), begin);
    fewer.insert(fewer.end(), second, messages.end());
    return fewer;
}

}  // namespace

Character::Character(SharedContext& shared, int number, std::optional<std::string> system,
                     std::shared_ptr<const Steering> steering, Manner manner, Overflow overflow)
    : shared_(shared),
      number_(number),
      steering_(std::move(steering)),
      manner_(std::move(manner)),
      overflow_(overflow),
      felt_(shared.model().vectors().n_emotion()),
      reader_(shared.reader(number)) {
    if (system.has_value()) system_.push_back({"system", std::move(*system)});
    messages_ = system_;
}

bool Character::is_prompting() const {
    return turn_ != nullptr && turn_->n_drawn == 0 && !turn_->is_waiting;
}

Character::Plan Character::plan(const std::string& text) const {
    if (is_speaking()) {
        throw std::runtime_error(is_speaking_already);
    }
    const int n_ctx = shared_.n_ctx();
    const int open = overflow_ == Overflow::drop ? n_ctx / kept_free : 1;
    const int room = manner_.max_tokens > 0 ? manner_.max_tokens : open;
    Plan plan{messages_, {}, 0};
    plan.messages.push_back({"user", text});
    while (true) {
        plan.tokens = shared_.chat(plan.messages);
        const auto n_token = static_cast<long long>(plan.tokens.size());
        if (n_token > 0 && n_token + room <= n_ctx) return plan;
        std::vector<Message> fewer;
        if (overflow_ == Overflow::drop) {
            fewer = without_oldest_turn(plan.messages, system_.size());
        }
        if (fewer.empty()) {
            throw std::invalid_argument(
                (plan.forgotten > 0 ? "this message alone has " : "the conversation has ") +
                std::to_string(n_token) + " tokens and the answer may have " +
                std::to_string(room) + ", but a voice can remember " + std::to_string(n_ctx) +
                "; raise n_ctx, lower max_tokens" +
                (overflow_ == Overflow::drop ? "" : ", or let the oldest turns be dropped"));
        }
        plan.messages = std::move(fewer);
        ++plan.forgotten;
    }
}

const Character* Character::begin(Plan plan, const std::vector<const Character*>& others) {
    turn_ = std::make_unique<Turn>(
        Turn{std::move(plan), Performance(steering_, felt_), "", 0, false, Clock::now()});
    const Character* ahead = leader(keys(), others);
    turn_->is_waiting = ahead != nullptr;
    if (ahead == nullptr) start(others);
    return ahead;
}

const Character* Character::leader(const std::vector<std::uint64_t>& wanted,
                                   const std::vector<const Character*>& others) const {
    const auto& tokens = turn_->plan.tokens;
    int decoded = n_common(tokens, wanted);
    for (const Character* other : others) {
        decoded = std::max(decoded, other->n_common(tokens, wanted));
    }
    const Character* best = nullptr;
    int most = decoded + worth_waiting - 1;
    for (const Character* other : others) {
        if (!other->is_prompting()) continue;
        const int n = other->n_same(tokens, wanted);
        if (n > most) best = other;
        most = std::max(most, n);
    }
    return best;
}

void Character::start(const std::vector<const Character*>& others) {
    turn_->is_waiting = false;
    Stage& stage = shared_.stage();
    const auto& tokens = turn_->plan.tokens;
    const auto n_token = static_cast<int>(tokens.size());
    const std::vector<std::uint64_t> wanted = keys();
    int n = stage.keep(number_, std::min(n_common(tokens, wanted), n_token - 1));
    n += borrow(n, wanted, others);

    const Blend first = blend(0);
    std::vector<float> rows;
    for (int i = n; i < n_token; ++i) {
        if (wanted[i] == 0) {
            rows.insert(rows.end(), first.row.size(), 0.0f);
        } else {
            rows.insert(rows.end(), first.row.begin(), first.row.end());
        }
    }
    const bool is_everywhere = steering_->is_everywhere();
    note(0, n_token, {std::vector<float>(first.row.size()), 0});
    note(is_everywhere ? 0 : n_token - 1, is_everywhere ? n_token : 1, first);
    tokens_ = tokens;
    keys_ = wanted;
    stage.begin(number_, {tokens.begin() + n, tokens.end()}, std::move(rows), mix(),
                manner_.sampling, limits());
}

Limits Character::limits() const {
    const int room = shared_.n_ctx() - static_cast<int>(turn_->plan.tokens.size());
    const std::chrono::duration<double> passed = Clock::now() - turn_->begun;
    return {manner_.stops, manner_.max_tokens > 0 ? std::min(manner_.max_tokens, room) : room,
            manner_.max_seconds - passed.count()};
}

std::vector<std::uint64_t> Character::keys() {
    const std::size_t n = turn_->plan.tokens.size();
    const std::uint64_t key = blend(0).key;
    std::vector<std::uint64_t> keys(n, steering_->is_everywhere() ? key : 0);
    keys.back() = key;
    return keys;
}

Mix Character::mix() const {
    const FeelingModel& model = shared_.model();
    const LayerRange range = steering_->layers();
    return {model.bank(), {std::max(range.first, model.first_layer()), range.last}};
}

Character::Blend Character::blend(int token) {
    std::vector<float> row = turn_->performance.row(token);
    const std::uint64_t key = key_of(row, steering_->layers());
    return {std::move(row), key};
}

int Character::n_same(const std::vector<llama_token>& tokens,
                      const std::vector<std::uint64_t>& keys) const {
    const std::size_t n = std::min(tokens.size(), tokens_.size());
    std::size_t same = 0;
    while (same < n && tokens[same] == tokens_[same] && keys[same] == keys_[same]) ++same;
    return static_cast<int>(same);
}

int Character::n_common(const std::vector<llama_token>& tokens,
                        const std::vector<std::uint64_t>& keys) const {
    return std::min(n_same(tokens, keys), static_cast<int>(shared_.stage().n_cached(number_)));
}

// How many positions after the first `n` another voice had decoded.
int Character::borrow(int n, const std::vector<std::uint64_t>& wanted,
                      const std::vector<const Character*>& others) {
    const auto& tokens = turn_->plan.tokens;
    const int last = static_cast<int>(tokens.size()) - 1;
    int most = n;
    const Character* from = nullptr;
    for (const Character* other : others) {
        const int known = std::min(other->n_common(tokens, wanted), last);
        if (known <= most) continue;
        most = known;
        from = other;
    }
    if (from == nullptr) return 0;
    shared_.stage().share(from->number_, number_, n, most);
    return most - n;
}

Event Character::hear(const Drawn& drawn) {
    if (drawn.end == End::failed) {
        abandon();
        return {number_, drawn.token, "", std::vector<float>(felt_.size()), {}, drawn.end, 0};
    }
    const int number = turn_->n_drawn++;
    Event event{number_,
                drawn.token,
                drawn.text,
                turn_->performance.row(number),
                reading(),
                drawn.end,
                number == 0 ? turn_->plan.forgotten : 0};
    turn_->said += drawn.text;
    if (drawn.end != End::none) {
        end();
        return event;
    }
    turn_->performance.hear(turn_->n_drawn, drawn.piece);
    tokens_.push_back(drawn.token);
    keys_.push_back(0);
    play();
    return event;
}

void Character::note(int position, int n, const Blend& blend) {
    if (reader_ != nullptr) reader_->note(position, n, blend.row, mix().range);
}

// Of the answer, up to what was decoded when its last token was chosen.
std::vector<float> Character::reading() const {
    if (reader_ == nullptr) return {};
    const int position = static_cast<int>(turn_->plan.tokens.size()) - 1;
    return reader_->reading(position, position + turn_->n_drawn);
}

// The coming token is decoded in the mood that it calls for.
void Character::play() {
    Blend coming = blend(turn_->n_drawn);
    keys_.back() = coming.key;
    note(static_cast<int>(keys_.size()) - 1, 1, coming);
    shared_.stage().play(number_, std::move(coming.row), mix());
}

std::optional<Event> Character::interrupt() {
    if (turn_ == nullptr) return std::nullopt;
    Event event;
    event.voice = number_;
    event.mood.assign(felt_.size(), 0.0f);
    event.end = End::interrupted;
    event.text = end();
    return event;
}

void Character::abandon() {
    if (turn_ == nullptr) return;
    turn_->n_drawn = 0;
    end();
}

// Returns what was held back.
std::string Character::end() {
    const std::unique_ptr<Turn> turn = std::move(turn_);
    const std::string held = shared_.stage().rest(number_);
    // Else all is as before: many templates want questions and answers to alternate.
    if (turn->n_drawn > 0) {
        felt_ = turn->performance.after(turn->n_drawn - 1);
        messages_ = std::move(turn->plan.messages);
        messages_.push_back({"assistant", turn->said + held});
    }
    return held;
}

void Character::leave() {
    shared_.stage().keep(number_, 0);
    tokens_.clear();
    keys_.clear();
}

void Character::feel(std::shared_ptr<const Steering> steering) {
    steering_ = std::move(steering);
    if (turn_ == nullptr) return;
    turn_->performance.change(steering_, turn_->n_drawn);
    if (turn_->n_drawn > 0) {
        play();
        return;
    }
    shared_.stage().rest(number_);
    Plan plan = std::move(turn_->plan);
    begin(std::move(plan), {});
}

}  // namespace llamood

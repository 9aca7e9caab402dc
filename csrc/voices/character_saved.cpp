// How a voice of a cast is saved, and goes on from what was saved: see saved_voice.hpp.
#include <algorithm>
#include <cstddef>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "text/suggestion.hpp"
#include "voices/character.hpp"
#include "voices/faults.hpp"

namespace llamood {

namespace {

using Steerings = std::vector<std::shared_ptr<const Steering>>;

[[noreturn]] void refuse(const std::string& fault) {
    throw std::invalid_argument("the saved voice is not whole: " + fault);
}

constexpr double longest_answer = 1e9;       // seconds, about thirty years
constexpr int most_counted = 1'000'000'000;  // more than any voice comes to
constexpr std::size_t current = std::numeric_limits<std::size_t>::max();  // place of a mood

// None where it is not at hand.
std::optional<std::size_t> place_of(const Names& names, const std::optional<std::string>& name) {
    if (!name) return std::nullopt;
    const auto found = std::find(names.begin(), names.end(), *name);
    if (found == names.end()) return std::nullopt;
    return static_cast<std::size_t>(found - names.begin());
}

std::map<std::string, double> named(const std::vector<double>& values, const Names& names) {
    std::map<std::string, double> named;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i] != 0.0) named[names[i]] = values[i];
    }
    return named;
}

std::vector<double> placed(const std::map<std::string, double>& values, const Names& names) {
    std::vector<double> placed(names.size());
    for (const auto& [name, value] : values) {
        if (const auto place = place_of(names, name)) placed[*place] = value;
    }
    return placed;
}

SavedFace saved_face(const Face& face, const Names& names) {
    const auto name = [&](std::optional<std::size_t> of) {
        return of ? std::optional(names[*of]) : std::nullopt;
    };
    const Face::State& state = face.state();
    return {name(state.emotion), name(state.coming), state.n_coming};
}

// So that one more can be counted.
void require_count(int n, const char* what) {
    if (n < 0 || n > most_counted) refuse(std::string(what) + " is no such number");
}

Face face_of(const SavedFace& saved, const Names& names) {
    require_count(saved.n_coming, "face.n_coming");
    return Face({place_of(names, saved.emotion), place_of(names, saved.coming), saved.n_coming});
}

// moods: to which those are added that were felt before `now`, whose place is after them all.
SavedPerformance saved_performance(Performance::State state, const Steering* now,
                                   std::vector<JsonValue>& moods) {
    SavedPerformance saved;
    std::map<const Performance::Row*, std::size_t> row_of;
    std::map<const Steering*, std::size_t> mood_of;
    for (const auto& row : state.rows) {
        const auto [known, is_new] = row_of.try_emplace(row.get(), saved.rows.size());
        saved.row_of.push_back(known->second);
        if (!is_new) continue;
        const Steering* steering = row->steering.get();
        if (steering != now && mood_of.try_emplace(steering, moods.size()).second) {
            moods.push_back(steering->mood().to_json());
        }
        saved.rows.push_back({row->asked, row->limited, row->applied, row->held,
                              steering == now ? current : mood_of.at(steering)});
    }
    for (SavedRow& row : saved.rows) row.mood = std::min(row.mood, moods.size());
    saved.state = std::move(state);
    saved.state.rows.clear();
    return saved;
}

Performance::State state_of(SavedPerformance saved, const Steerings& steerings) {
    Performance::State state = std::move(saved.state);
    std::vector<std::shared_ptr<const Performance::Row>> rows;
    for (SavedRow& row : saved.rows) {
        if (row.mood >= steerings.size()) refuse("a row is of a mood that is not there");
        rows.push_back(std::make_shared<const Performance::Row>(
            Performance::Row{std::move(row.asked), std::move(row.limited), std::move(row.applied),
                             std::move(row.held), steerings[row.mood]}));
    }
    for (const std::size_t row : saved.row_of) {
        if (row >= rows.size()) refuse("a token is of a row that is not there");
        state.rows.push_back(rows[row]);
    }
    return state;
}

SavedMonitor saved_monitor(CollapseMonitor::State state) {
    SavedMonitor saved{std::move(state.heard), std::move(state.unheard), state.n_sound, {}};
    if (state.collapse != nullptr) saved.rescues = state.collapse->rescues;
    return saved;
}

CollapseMonitor::State state_of(SavedMonitor saved, const llama_vocab* vocab) {
    if (saved.n_sound > saved.heard.size() + saved.unheard.size()) {
        refuse("more tokens are sound than were heard");
    }
    CollapseMonitor::State state{std::move(saved.heard), std::move(saved.unheard), saved.n_sound,
                                 nullptr};
    for (auto* some : {&state.heard, &state.unheard}) {
        for (CollapseMonitor::Heard& each : *some) each.piece = piece_of(vocab, each.token);
    }
    if (!saved.rescues.empty()) {
        state.collapse = std::make_shared<const Collapse>(Collapse{std::move(saved.rescues)});
    }
    return state;
}

// Where each emotion of the answer is among those at hand. Throws Refused where one is not.
std::vector<std::size_t> places_in(const Names& names, const SavedAnswer& answer) {
    std::vector<std::size_t> places;
    for (const std::string& emotion : answer.emotions) {
        const auto place = place_of(names, emotion);
        if (!place) {
            throw Refused("it was saved in the middle of an answer with the emotions " +
                          listed(answer.emotions) + ", and here are " + listed(names) +
                          "; let it end its answer before it is saved");
        }
        places.push_back(*place);
    }
    return places;
}

// values: of the emotions of the answer, and then of n_more things. Those of others are 0.
void widen(std::vector<double>& values, const std::vector<std::size_t>& places,
           std::size_t n_emotion, std::size_t n_more = 0) {
    if (values.size() != places.size() + n_more) refuse("it has weights of other emotions");
    std::vector<double> wide(n_emotion + n_more);
    for (std::size_t i = 0; i < places.size(); ++i) wide[places[i]] = values[i];
    std::copy(values.end() - static_cast<std::ptrdiff_t>(n_more), values.end(),
              wide.end() - static_cast<std::ptrdiff_t>(n_more));
    values = std::move(wide);
}

// To the emotions at hand, as if those that it did not know had been 0 until now. What was read of
// tokens that are not told yet is left out, as nothing is known of what those were.
void widen(SavedAnswer& answer, const Names& names) {
    const std::vector<std::size_t> places = places_in(names, answer);
    if (answer.emotions == names || answer.keys.empty()) return;
    const std::size_t n = names.size();
    Performance::State& state = answer.performance.state;
    widen(state.before, places, n);
    if (!state.told.excesses.empty()) widen(state.told.excesses, places, n, 2);
    for (SavedRow& row : answer.performance.rows) {
        for (auto* weights : {&row.asked, &row.limited, &row.applied}) widen(*weights, places, n);
    }
    for (SavedEvent& event : answer.untold) {
        if (event.reading) event.reading->clear();
        if (event.score) event.score->clear();
    }
    answer.emotions = names;
}

SavedEvent saved_event(const Event& event) {
    return {event.token, event.text, event.likely, event.forgotten, event.reading, event.score};
}

}  // namespace

// -- to be saved -------------------------------------------------------------------------------

SavedVoice Character::saved(bool has_cache) const {
    const Names& names = shared_.vectors().names();
    SavedVoice saved;
    JsonValue mood = steering_->mood().to_json();
    saved.model = {shared_.name(), shared_.fingerprint()};
    saved.has_system = memory_.has_system();
    saved.messages = memory_.messages();
    saved.felt = named(felt_, names);
    saved.manner = manner_;
    if (faces_ != shared_.faces()) saved.faces = faces_->given();
    saved.face = saved_face(face_, names);
    if (reading_) saved.reading = named(*reading_, names);
    if (turn_ != nullptr) saved.answer = saved_answer(saved.moods);
    saved.moods.push_back(std::move(mood));
    saved.cache = saved_cache(has_cache || mixes());
    return saved;
}

// Whether its answer was begun in a mood of other layers or in another dose. What was decoded so is
// no batch of now, and has to be saved.
bool Character::mixes() const {
    if (turn_ == nullptr) return false;
    const auto state = turn_->performance.state(turn_->n_drawn);
    return std::any_of(state.rows.begin(), state.rows.end(), [this](const auto& row) {
        return !(row->steering->layers() == steering_->layers()) ||
               row->steering->mood().settings().dose != steering_->mood().settings().dose;
    });
}

SavedAnswer Character::saved_answer(std::vector<JsonValue>& moods) const {
    const Turn& turn = *turn_;
    SavedAnswer saved;
    saved.emotions = shared_.vectors().names();
    saved.messages = turn.plan.messages;
    saved.tokens = turn.tokens();
    saved.n_prompt = turn.n_prompt();
    saved.forgotten = turn.plan.forgotten;
    saved.manner = turn.plan.manner;
    saved.said = turn.plan.said;
    if (turn.plan.faces != nullptr) saved.faces = turn.plan.faces->given();
    saved.is_paused = turn.is_paused;
    saved.seconds = turn.seconds();
    saved.n_draw = n_draw_;
    saved.n_drawn = turn.n_drawn;
    if (turn.is_waiting) return saved;
    saved.manner.sampling.seed = turn.seed;
    saved.keys.assign(keys_.begin(),
                      keys_.begin() + static_cast<std::ptrdiff_t>(saved.tokens.size()));
    saved.n_skip = turn.n_chance;
    saved.is_unfelt = turn.is_unfelt;
    saved.told = turn.told;
    for (const Event& event : turn.untold) saved.untold.push_back(saved_event(event));
    saved.notices = *turn.notices;
    saved.performance =
        saved_performance(turn.performance.state(turn.n_drawn + 1), steering_.get(), moods);
    if (turn.monitor) saved.monitor = saved_monitor(turn.monitor->state());
    return saved;
}

// -- from what was saved -----------------------------------------------------------------------

std::optional<Lead> Character::restore(SavedVoice saved, const Steerings& steerings,
                                       const Others& others) {
    const Names& names = shared_.vectors().names();
    memory_.restore(std::move(saved.messages), saved.has_system);
    felt_ = placed(saved.felt, names);
    if (reader_ != nullptr) {
        if (saved.faces) set_faces(std::make_shared<const FaceSet>(*saved.faces, names));
        face_ = face_of(saved.face, names);
        if (!saved.reading.empty()) reading_ = placed(saved.reading, names);
    }
    restore_cache(std::move(saved.cache));
    if (!saved.answer) return std::nullopt;
    widen(*saved.answer, names);
    if (!saved.answer->keys.empty()) {
        restore_answer(std::move(*saved.answer), steerings);
        return std::nullopt;
    }
    const bool is_paused = saved.answer->is_paused;
    const double seconds = saved.answer->seconds;
    const auto lead = begin(saved_plan(std::move(*saved.answer)), others);
    if (turn_ == nullptr) return lead;
    turn_->begin_before(seconds);
    turn_->is_paused = is_paused;
    return lead;
}

Plan Character::saved_plan(SavedAnswer saved) const {
    if (saved.n_prompt < 1 || saved.n_prompt > saved.tokens.size()) refuse("it has no prompt");
    if (saved.messages && saved.messages->empty()) refuse("its answer is to nothing");
    if (!(saved.seconds >= 0.0 && saved.seconds < longest_answer)) refuse("it began at no time");
    require_count(saved.forgotten, "forgotten");
    require_count(saved.n_draw, "n_draw");
    const llama_token n_vocab = llama_vocab_n_tokens(shared_.stage().vocab());
    for (const llama_token token : saved.tokens) {
        if (token < 0 || token >= n_vocab) refuse("it has tokens of no model");
    }
    if (static_cast<int>(saved.tokens.size()) >= shared_.n_ctx()) {
        throw ModelFault("its answer has " + std::to_string(saved.tokens.size()) +
                         " tokens with its prompt, and a voice here can remember " +
                         std::to_string(shared_.n_ctx()) + "; raise n_ctx");
    }
    saved.tokens.resize(saved.n_prompt);
    require_able(saved.manner);
    Plan plan{std::move(saved.messages), std::move(saved.tokens), saved.forgotten,
              std::move(saved.manner),   std::move(saved.said),   nullptr};
    if (saved.faces && reader_ != nullptr) {
        plan.faces = std::make_shared<const FaceSet>(*saved.faces, shared_.vectors().names());
    }
    return plan;
}

void Character::restore_answer(SavedAnswer saved, const Steerings& steerings) {
    const llama_vocab* vocab = shared_.stage().vocab();
    const std::size_t n_token = saved.tokens.size();
    const auto n_drawn = static_cast<std::size_t>(std::max(saved.n_drawn, 0));
    if (saved.keys.size() != n_token || saved.n_prompt + n_drawn != n_token ||
        saved.told.size() + saved.untold.size() != n_drawn || saved.n_skip < 0 ||
        saved.n_skip > saved.n_drawn || saved.performance.row_of.size() > n_drawn + 1) {
        refuse("its answer has parts for other numbers of tokens");
    }
    for (const llama_token token : saved.tokens) {
        if (token < 0 || token >= llama_vocab_n_tokens(vocab)) refuse("it has tokens of no model");
    }
    for (std::size_t i = saved.n_prompt; i < n_token; ++i) {
        if (llama_vocab_is_eog(vocab, saved.tokens[i])) refuse("it goes on after its end");
    }
    const std::size_t n_emotion = shared_.vectors().names().size();
    for (const SavedEvent& event : saved.untold) {
        for (const auto* read : {&event.reading, &event.score}) {
            if (*read && !(*read)->empty() && (*read)->size() != n_emotion) {
                refuse("a token is read of other emotions");
            }
        }
    }
    if (saved.monitor) {
        const SavedMonitor& monitor = *saved.monitor;
        if (monitor.heard.size() + monitor.unheard.size() != n_drawn ||
            monitor.rescues.size() > rescue_factors.size() + 1) {
            refuse("its monitor heard another answer");
        }
        for (const auto* some : {&monitor.heard, &monitor.unheard}) {
            for (const auto& each : *some) {
                if (each.token < 0 || each.token >= llama_vocab_n_tokens(vocab)) {
                    refuse("its monitor heard tokens of no model");
                }
            }
        }
    }
    const TurnPtr turn = turn_of(saved_plan(saved), std::move(saved.notices));
    std::vector<std::string> pieces;
    for (std::size_t i = saved.n_prompt; i < n_token; ++i) {
        pieces.push_back(piece_of(vocab, saved.tokens[i]));
        turn->fed.emplace_back(saved.tokens[i], pieces.back());
    }
    turn->n_drawn = saved.n_drawn;
    turn->n_skip = saved.n_skip;
    turn->is_paused = saved.is_paused;
    turn->begin_before(saved.seconds);
    turn->performance.restore(state_of(std::move(saved.performance), steerings), pieces);
    if (turn->monitor && saved.monitor) {
        turn->monitor->restore(state_of(std::move(*saved.monitor), vocab));
    } else if (turn->monitor) {  // nobody listened until now
        for (const auto& [token, piece] : turn->fed) turn->monitor->take(token, piece);
    }
    turn->told = std::move(saved.told);
    for (SavedEvent& event : saved.untold) {
        const int number = static_cast<int>(turn->told.size() + turn->untold.size());
        Event told = ended(*turn, End::none);
        told.asked = turn->performance.asked(number);
        told.mood = turn->performance.row(number);
        told.token = event.token;
        told.text = std::move(event.text);
        told.likely = std::move(event.likely);
        told.forgotten = event.forgotten;
        if (reader_ != nullptr) {
            told.reading = std::move(event.reading);
            told.score = std::move(event.score);
        }
        turn->untold.push_back(std::move(told));
    }
    n_draw_ = saved.n_draw;
    turn_ = turn;
    keys_ = std::move(saved.keys);
    turn->is_resumed = true;
    resume(turn);
}

}  // namespace llamood

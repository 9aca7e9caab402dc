// Voices of a stage that a program steps: voices MODEL VECTORS. Driven by tests/c/test_c_voices.py.
#include <llamood.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "check.hpp"

namespace {

using llamood::Mood;
using llamood::Stage;

// More tokens than another voice is waited with for.
constexpr const char* question =
    "Tell me about bread. Tell me about the kettle. Tell me about the museum. Tell me about rain.";

llamood_sampling manner() {
    llamood_sampling how = llamood_default_sampling();
    how.temperature = 0;
    how.max_tokens = 30;
    return how;
}

llamood_stage_params params() {
    llamood_stage_params params = llamood_stage_default_params();
    params.n_voice = 2;
    params.n_ctx = 160;
    params.n_batch = 16;  // so that a prompt takes several steps
    params.n_threads = 1;
    return params;
}

Mood joy_up_to(int layer) {
    return Mood::parse(R"({"joy": 1, "$positions": "all", "$layers": [1, )" +
                       std::to_string(layer) + "]}");
}

// What a voice answers, stepped to its end.
std::string answer(Stage& stage, int voice) {
    stage.say(voice, question);
    while (stage.step()) {
    }
    std::string text;
    while (auto event = stage.poll()) text += event->text;
    return text;
}

std::string alone(const llamood::Model& model, const Mood& mood) {
    Stage stage(model, params());
    return answer(stage, stage.join(std::nullopt, &mood, manner()));
}

void what_was_decoded_with_a_mood_in_other_layers_is_not_used(const llamood::Model& model) {
    const Mood low = joy_up_to(2);
    const Mood high = joy_up_to(3);
    CHECK(alone(model, low) != alone(model, high));
    Stage stage(model, params());
    const int one = stage.join(std::nullopt, &low, manner());
    const int other = stage.join(std::nullopt, &high, manner());
    CHECK(answer(stage, one) == alone(model, low));
    CHECK(answer(stage, other) == alone(model, high));
}

void who_leaves_while_it_waits_for_another_holds_nobody_up(const llamood::Model& model) {
    const Mood mood = Mood::of({});
    Stage stage(model, params());
    const int one = stage.join(std::nullopt, &mood, manner());
    const int other = stage.join(std::nullopt, &mood, manner());
    stage.say(one, question);
    stage.say(other, question);  // of which `one` is about to decode the beginning
    stage.step();
    stage.leave(other);
    std::string text;
    CHECK(check::thrown([&] {
              while (stage.step()) {
              }
          }) == "nothing");
    while (auto event = stage.poll()) {
        CHECK(event->voice == one);
        text += event->text;
    }
    CHECK(text == alone(model, mood));
}

// -- what events tell --------------------------------------------------------------------------

std::vector<llamood::Event> events_of(Stage& stage, int voice, const llamood_sampling& how) {
    stage.say(voice, "Tell me about bread.", how);
    while (stage.step()) {
    }
    std::vector<llamood::Event> events;
    while (auto event = stage.poll()) events.push_back(std::move(*event));
    return events;
}

// An answer in so much joy that this model breaks down.
std::vector<llamood::Event> collapsing(const llamood::Model& model, llamood_guard guard) {
    llamood_stage_params of_stage = params();
    of_stage.guard = guard;
    Stage stage(model, of_stage);
    const Mood mood = Mood::parse(R"({"joy": {"constant": 3, "max": 9}, "$max": 9})");
    llamood_sampling how = manner();
    how.temperature = 0.2f;
    how.seed = 1;
    how.max_tokens = 100;
    return events_of(stage, stage.join(std::nullopt, &mood, manner()), how);
}

void a_collapse_is_taken_back_and_told(const llamood::Model& model) {
    for (const auto& event : collapsing(model, LLAMOOD_GUARD_NONE)) CHECK(!event.guard);
    const auto rescued = collapsing(model, LLAMOOD_GUARD_RESCUE);
    const auto& guard = rescued.back().guard;
    CHECK(guard.has_value());
    if (!guard) return;
    CHECK(check::holds(guard->words, "The answer collapsed at token "));
    CHECK(guard->factor < 1.0f);
    CHECK(!guard->is_stopped);
    for (const auto& rescue : guard->rescues) {
        CHECK(rescue.kept < rescue.token);
        CHECK(!rescue.kind.empty() && check::holds(guard->words, rescue.text));
    }
    const auto kept = static_cast<std::size_t>(guard->rescues.back().kept);
    CHECK(kept < rescued.size());
    CHECK(check::near(rescued.back().mood[3], 3 * guard->factor, 1e-6));
    CHECK(check::near(rescued.back().asked[3], 3));
}

void a_collapse_can_end_an_answer(const llamood::Model& model) {
    const auto stopped = collapsing(model, LLAMOOD_GUARD_STOP);
    const auto& last = stopped.back();
    CHECK(last.guard && last.guard->is_stopped && last.guard->rescues.size() == 1);
    CHECK(last.end == LLAMOOD_END_STOP && last.token == -1 && last.text.empty());
    if (last.guard) CHECK(last.guard->rescues[0].kept + 1 == static_cast<int>(stopped.size()));
    CHECK(last.asked.size() == last.mood.size() && last.mood[3] == 0.0f);
}

void what_is_asked_for_stands_beside_what_is_given(const llamood::Model& model) {
    Stage stage(model, params());
    const Mood mood = Mood::of({{"joy", 50.0f}});
    const auto events = events_of(stage, stage.join(std::nullopt, &mood, manner()), manner());
    CHECK(check::near(events[0].asked[3], 50));
    CHECK(events[0].mood[3] < 50.0f && events[0].mood[3] > 0.0f);
    CHECK(check::holds(events[0].notice, "joy is held at"));
    for (std::size_t i = 1; i < events.size(); ++i) CHECK(events[i].notice.empty());
}

void scores_are_of_one_token_and_readings_of_several(const llamood::Model& model) {
    Stage stage(model, params());
    const auto events = events_of(stage, stage.join(), manner());
    CHECK(events.size() > 3);
    CHECK(events[0].score == events[0].reading);  // of the prompt's last token alone
    CHECK(events[2].score.size() == events[2].mood.size());
    CHECK(events[2].score != events[2].reading);
}

void caps_and_floors_are_kept_by_who_is_read(const llamood::Model& model,
                                             const llamood::Model& unread) {
    const Mood mood = Mood::parse(R"({"anger": {"cap": -1}, "joy": {"constant": 0, "floor": 1}})");
    const Mood far = Mood::parse(R"({"anger": {"cap": 20, "floor": -20}})");
    const auto scores = [&](const Mood* of) {
        Stage stage(model, params());
        std::vector<std::vector<float>> found;
        for (const auto& event :
             events_of(stage, stage.join(std::nullopt, of, manner()), manner())) {
            found.push_back(event.score);
        }
        return found;
    };
    const auto free = scores(nullptr);
    CHECK(scores(&far) == free);
    CHECK(scores(&mood) != free);
    Stage without(unread, params());
    const std::string fault = check::thrown([&] { without.join(std::nullopt, &mood, manner()); });
    CHECK(check::holds(fault, "load the model with `readings`"));
}

void likely_tokens_are_told_where_they_are_asked_for(const llamood::Model& model) {
    Stage stage(model, params());
    llamood_sampling how = manner();
    const int voice = stage.join(std::nullopt, nullptr, how);
    CHECK(events_of(stage, voice, how)[0].likely.empty());
    how.n_likely = 2;
    for (const auto& event : events_of(stage, voice, how)) {
        CHECK(event.likely.size() == 3);
        CHECK(event.likely[0].token == event.token && event.likely[1].token == event.token);
        CHECK(event.likely[2].logprob <= event.likely[1].logprob);
        CHECK(event.likely[0].logprob <= 0.0f);
    }
}

void one_answer_can_be_drawn_otherwise(const llamood::Model& model) {
    Stage stage(model, params());
    const int voice = stage.join(std::nullopt, nullptr, manner());
    llamood_sampling how = manner();
    how.max_tokens = 2;
    CHECK(events_of(stage, voice, how).size() == 2);
    CHECK(events_of(stage, voice, manner()).size() > 2);
    how.grammar = "root ::= (";
    CHECK(check::holds(check::thrown([&] { stage.say(voice, "Hello", how); }), "expected GBNF"));
}

void a_mood_pauses(const llamood::Model& model) {
    Stage stage(model, params());
    const Mood mood = Mood::of({{"joy", 0.5f}});
    const int voice = stage.join(std::nullopt, &mood, manner());
    stage.say(voice, "Tell me about bread.");
    std::vector<float> joy;
    while (stage.step()) {
        while (auto event = stage.poll()) joy.push_back(event->mood[3]);
        stage.pause(voice, joy.size() == 2 || joy.size() == 3);
    }
    CHECK(joy.size() > 5);
    const std::vector<float> expected{0.5f, 0.5f, 0.0f, 0.0f, 0.5f};
    CHECK(std::equal(expected.begin(), expected.end(), joy.begin()));
}

}  // namespace

int main(int, char** argv) {
    llamood_set_log(nullptr, LLAMOOD_LOG_ERROR, nullptr);
    const llamood::Model model(argv[1], argv[2]);
    llamood_model_params with_readings = llamood_model_default_params();
    with_readings.readings = true;
    const llamood::Model read(argv[1], argv[2], with_readings);
    a_collapse_is_taken_back_and_told(model);
    a_collapse_can_end_an_answer(model);
    what_is_asked_for_stands_beside_what_is_given(model);
    scores_are_of_one_token_and_readings_of_several(read);
    caps_and_floors_are_kept_by_who_is_read(read, model);
    likely_tokens_are_told_where_they_are_asked_for(model);
    one_answer_can_be_drawn_otherwise(model);
    a_mood_pauses(model);
    what_was_decoded_with_a_mood_in_other_layers_is_not_used(model);
    who_leaves_while_it_waits_for_another_holds_nobody_up(model);
    return check::result();
}

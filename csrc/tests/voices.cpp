// Voices of a stage that a program steps: voices MODEL VECTORS. Driven by tests/c/test_c_voices.py.
#include <llamood.hpp>

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

}  // namespace

int main(int, char** argv) {
    llamood_set_log(nullptr, LLAMOOD_LOG_ERROR, nullptr);
    const llamood::Model model(argv[1], argv[2]);
    what_was_decoded_with_a_mood_in_other_layers_is_not_used(model);
    who_leaves_while_it_waits_for_another_holds_nobody_up(model);
    return check::result();
}

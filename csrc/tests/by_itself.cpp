// A stage that steps in a thread of its own, as a program sees it: by_itself MODEL VECTORS.
// Driven by tests/c/test_c_runner.py.
#include <llamood.hpp>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "check.hpp"

namespace {

using llamood::Event;
using llamood::Stage;

constexpr const char* question = "Tell me about bread.";

llamood_sampling manner(int max_tokens) {
    llamood_sampling how = llamood_default_sampling();
    how.temperature = 0;
    how.max_tokens = max_tokens;
    return how;
}

llamood_stage_params params() {
    llamood_stage_params params = llamood_stage_default_params();
    params.n_voice = 3;
    params.n_ctx = 128;
    params.n_threads = 1;  // so that a sanitizer sees no barriers of OpenMP, which it does not know
    return params;
}

// What is said until `n_end` answers are over, polled frame by frame.
std::vector<Event> heard(Stage& stage, int n_end) {
    std::vector<Event> events;
    const auto late = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (n_end > 0 && std::chrono::steady_clock::now() < late) {
        while (n_end > 0) {
            auto event = stage.poll();
            if (!event) break;
            if (event->end != LLAMOOD_END_NONE) --n_end;
            events.push_back(std::move(*event));
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    CHECK(n_end == 0);
    return events;
}

std::string text_of(const std::vector<Event>& events) {
    std::string text;
    for (const Event& event : events) text += event.text;
    return text;
}

std::string stepped(Stage& stage) {
    while (stage.step()) {
    }
    std::string text;
    while (auto event = stage.poll()) text += event->text;
    return text;
}

std::string usual(const llamood::Model& model, const llamood::Mood& mood) {
    Stage stage(model, params());
    const int voice = stage.join(std::nullopt, &mood, manner(40));
    stage.say(voice, question);
    return stepped(stage);
}

void says_what_a_stage_says_that_is_stepped(const llamood::Model& model) {
    const auto glad = llamood::Mood::of({{"joy", 0.8f}});
    Stage stage(model, params());
    stage.start();
    const int voice = stage.join(std::nullopt, &glad, manner(40));
    stage.say(voice, question);
    const std::vector<Event> events = heard(stage, 1);
    CHECK(text_of(events) == usual(model, glad));
    CHECK(!events.empty() && events.back().end == LLAMOOD_END_LENGTH);
}

void goes_on_where_it_was_stopped(const llamood::Model& model) {
    const auto glad = llamood::Mood::of({{"joy", 0.8f}});
    Stage stage(model, params());
    const int voice = stage.join(std::nullopt, &glad, manner(40));
    stage.say(voice, question);
    stage.step();
    stage.step();
    stage.start();
    CHECK(check::holds(check::thrown([&] { stage.start(); }), "started already"));
    CHECK(check::holds(check::thrown([&] { stage.step(); }), "stop it first"));
    CHECK(check::holds(check::thrown([&] { stage.step_for(1.0); }), "stop it first"));
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    stage.stop();
    CHECK(check::holds(check::thrown([&] { stage.stop(); }), "not started"));
    CHECK(stepped(stage) == usual(model, glad));
}

void what_is_asked_happens_in_its_order(const llamood::Model& model) {
    Stage stage(model, params());
    stage.start();
    const int voice = stage.join(std::nullopt, nullptr, manner(60));
    stage.say(voice, question);
    CHECK(check::holds(check::thrown([&] { stage.say(voice, "And?"); }), "is speaking"));
    stage.interrupt(voice);
    stage.say(voice, "And?");
    const std::vector<Event> events = heard(stage, 2);
    int n_interrupted = 0;
    for (const Event& event : events) n_interrupted += event.end == LLAMOOD_END_INTERRUPTED ? 1 : 0;
    CHECK(n_interrupted == 1);
    CHECK(!events.empty() && events.back().end != LLAMOOD_END_INTERRUPTED);
    stage.say(voice, "And then?");  // it is over, so that it may
    heard(stage, 1);
    CHECK(check::holds(check::thrown([&] { stage.say(7, question); }), "voice 7 is not there"));
    CHECK(check::holds(check::thrown([&] { stage.interrupt(7); }), "voice 7 is not there"));
    CHECK(check::holds(check::thrown([&] { stage.leave(7); }), "voice 7 is not there"));
}

void what_has_no_room_is_told_later(const llamood::Model& model) {
    Stage stage(model, params());
    stage.start();
    const int voice = stage.join(std::nullopt, nullptr, manner(8));
    stage.say(voice, std::string(4000, 'a'));
    const std::vector<Event> events = heard(stage, 1);
    CHECK(events.size() == 1 && events[0].end == LLAMOOD_END_REFUSED);
    CHECK(!events.empty() && check::holds(events[0].text, "can remember 128"));
    stage.say(voice, question);
    CHECK(!text_of(heard(stage, 1)).empty());
}

void moods_change_while_it_speaks(const llamood::Model& model) {
    Stage stage(model, params());
    stage.start();
    const int voice = stage.join(std::nullopt, nullptr, manner(60));
    stage.say(voice, question);
    const std::size_t n_emotion = model.emotions().size();
    float most = 0.0f;
    bool is_over = false;
    for (int frame = 0; frame < 60000 && !is_over; ++frame) {
        std::vector<float> weights(n_emotion, 0.0f);
        weights[frame % n_emotion] = 0.3f;
        stage.feel(voice, weights);
        while (auto event = stage.poll()) {
            for (const float weight : event->mood) most = std::max(most, weight);
            is_over = event->end != LLAMOOD_END_NONE;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    CHECK(is_over);
    CHECK(check::near(most, 0.3, 1e-6));
}

void who_leaves_is_heard_no_more(const llamood::Model& model) {
    Stage stage(model, params());
    stage.start();
    const int one = stage.join(std::nullopt, nullptr, manner(60));
    const int other = stage.join(std::nullopt, nullptr, manner(20));
    stage.say(one, question);
    stage.say(other, question);
    stage.leave(one);
    for (const Event& event : heard(stage, 1)) CHECK(event.voice == other);
    CHECK(stage.join() == one);
}

void what_waits_of_who_leaves_is_heard_no_more(const llamood::Model& model) {
    Stage stage(model, params());
    const int one = stage.join(std::nullopt, nullptr, manner(20));
    const int other = stage.join(std::nullopt, nullptr, manner(20));
    stage.say(one, question);
    stage.say(other, question);
    while (stage.step()) {
    }
    stage.start();  // what was said before it lies with the stage
    stage.leave(one);
    int n_heard = 0;
    while (auto event = stage.poll()) {
        CHECK(event->voice == other);
        ++n_heard;
    }
    CHECK(n_heard > 0);
}

void who_was_saved_goes_on_where_it_was(const llamood::Model& model) {
    Stage stage(model, params());
    const int voice = stage.join("You are a baker.", nullptr, manner(40));
    stage.say(voice, question);
    const std::string whole = stepped(stage);
    stage.leave(voice);
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    const auto folder = std::filesystem::temp_directory_path();
    const std::string path = (folder / ("by_itself." + std::to_string(now))).u8string();
    for (const bool with_cache : {false, true}) {
        const int one = stage.join("You are a baker.", nullptr, manner(40));
        stage.say(one, question);
        for (int i = 0; i < 10; ++i) stage.step();
        stage.save(one, path, with_cache);
        stage.leave(one);
        stage.start();
        const int loaded = stage.load(path);
        const std::string rest = text_of(heard(stage, 1));
        stage.save(loaded, path, with_cache);
        stage.leave(loaded);
        stage.stop();
        CHECK(!rest.empty() && rest.size() < whole.size());
        CHECK(whole.compare(whole.size() - rest.size(), rest.size(), rest) == 0);
    }
    std::filesystem::remove(path);
    CHECK(check::holds(check::thrown([&] { stage.load(path); }), "cannot be read"));
    CHECK(check::holds(check::thrown([&] { stage.save(7, path); }), "voice 7 is not there"));
    const int one = stage.join();
    CHECK(check::holds(check::thrown([&] { stage.save(one, "/no such folder/x"); }),
                       "/no such folder/x: cannot be written"));
}

void is_freed_in_the_middle(const llamood::Model& model) {
    Stage stage(model, params());
    const int voice = stage.join(std::nullopt, nullptr, manner(60));
    stage.start();
    stage.say(voice, question);
}

}  // namespace

int main(int, char** argv) {
    llamood_set_log(nullptr, LLAMOOD_LOG_ERROR, nullptr);
    const llamood::Model model(argv[1], argv[2]);
    says_what_a_stage_says_that_is_stepped(model);
    goes_on_where_it_was_stopped(model);
    what_is_asked_happens_in_its_order(model);
    what_has_no_room_is_told_later(model);
    moods_change_while_it_speaks(model);
    who_leaves_is_heard_no_more(model);
    what_waits_of_who_leaves_is_heard_no_more(model);
    who_was_saved_goes_on_where_it_was(model);
    is_freed_in_the_middle(model);
    return check::result();
}

// How a game's frames fare beside a cast: measure_frames MODEL VECTORS [n_threads]. Prints a table;
// docs/games.md has what it said.
#include <llamood.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr int n_voice = 4;
constexpr int n_frame = 600;
constexpr auto frame = std::chrono::microseconds(16667);
constexpr auto work = frame / 2;  // that the game itself has to do in a frame
constexpr double budget = 4.0;    // milliseconds for llamood_step_for

llamood::Stage opened(const llamood::Model& model, int n_threads) {
    llamood_stage_params params = llamood_stage_default_params();
    params.n_voice = n_voice;
    params.n_ctx = 1024;
    params.n_batch = 64;
    params.n_threads = n_threads;
    llamood::Stage stage(model, params);
    llamood_sampling how = llamood_default_sampling();
    how.temperature = 0.8f;
    for (int i = 0; i < n_voice; ++i) {
        how.seed = static_cast<std::uint32_t>(i);
        const auto mood =
            llamood::Mood::of({{model.emotions()[i % model.emotions().size()], 0.7f}});
        stage.join("You live in a small town by the sea.", &mood, how);
        stage.say(i, "Tell me about your day, from the morning on.");
    }
    return stage;
}

// Everybody who is silent is asked again.
void hear(llamood::Stage& stage, std::vector<double>& polled) {
    while (true) {
        const auto begin = Clock::now();
        const auto event = stage.poll();
        polled.push_back(Milliseconds(Clock::now() - begin).count());
        if (!event) return;
        if (event->end == LLAMOOD_END_NONE) continue;
        try {
            stage.say(event->voice, "And then?");
        } catch (const llamood::Failure&) {  // by hand, it has no room for more
        }
    }
}

void be_busy(Clock::time_point until) {
    while (Clock::now() < until) {
    }
}

double quantile(std::vector<double> values, double q) {
    if (values.empty()) return 0.0;
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

void show(const char* what, const std::vector<double>& values) {
    std::printf("%-52s p50 %8.4f   p99 %8.4f   (%zu)\n", what, quantile(values, 0.5),
                quantile(values, 0.99), values.size());
}

// Milliseconds by which each frame came late, of a loop that does its own work in each.
std::vector<double> frames(llamood::Stage* stage, std::vector<double>& polled) {
    std::vector<double> late;
    auto due = Clock::now();
    for (int i = 0; i < n_frame; ++i) {
        std::this_thread::sleep_until(due);
        const auto begin = Clock::now();
        late.push_back(Milliseconds(begin - due).count());
        if (stage != nullptr) hear(*stage, polled);
        be_busy(begin + work);
        due += frame;
        if (Clock::now() > due) due = Clock::now();  // a frame was lost
    }
    return late;
}

void show_frames(const char* what, const std::vector<double>& late) {
    const auto in_time =
        std::count_if(late.begin(), late.end(), [](double ms) { return ms < 2.0; });
    std::printf("%-52s %.1f %% of frames begin within 2 ms   ", what,
                100.0 * static_cast<double>(in_time) / static_cast<double>(late.size()));
    std::printf("p99 %.2f ms late\n", quantile(late, 0.99));
}

std::vector<double> overshoot(llamood::Stage& stage) {
    std::vector<double> over, polled;
    for (int i = 0; i < n_frame; ++i) {
        const auto begin = Clock::now();
        stage.step_for(budget);
        over.push_back(Milliseconds(Clock::now() - begin).count() - budget);
        hear(stage, polled);
    }
    return over;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: measure_frames MODEL VECTORS [n_threads]\n");
        return 2;
    }
    const int n_threads = argc > 3 ? std::atoi(argv[3]) : -1;
    llamood_set_log(nullptr, LLAMOOD_LOG_ERROR, nullptr);
    const llamood::Model model(argv[1], argv[2]);
    std::vector<double> polled;
    show_frames("60 Hz, nobody speaks", frames(nullptr, polled));
    {
        llamood::Stage stage = opened(model, n_threads);
        stage.start();
        show_frames("60 Hz, a cast of 4 speaks by itself", frames(&stage, polled));
        show("llamood_poll meanwhile, ms", polled);
    }
    llamood::Stage stage = opened(model, n_threads);
    show("llamood_step_for(4 ms), ms beyond", overshoot(stage));
    return 0;
}

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "capi/capi.hpp"
#include "capi/capi_model.hpp"
#include "capi/capi_mood.hpp"
#include "capi/llamood.h"
#include "voices/cast.hpp"
#include "voices/cores.hpp"
#include "voices/runner.hpp"
#include "voices/spin.hpp"

using namespace llamood;

struct llamood_stage {
    llamood_stage(std::shared_ptr<const FeelingModel> of, std::unique_ptr<SharedContext> shared,
                  Overflow overflow)
        : model(std::move(of)), cast(std::move(shared), overflow) {}

    std::shared_ptr<const FeelingModel> model;
    Cast cast;
    std::optional<Event> told;       // what the last event points to
    std::deque<Event> left;          // what was not polled of a runner that has stopped
    std::unique_ptr<Runner> runner;  // null where it does not run by itself

    std::optional<Event> poll() {
        if (!left.empty()) {
            std::optional<Event> event(std::move(left.front()));
            left.pop_front();
            return event;
        }
        return runner != nullptr ? runner->poll() : cast.poll();
    }
};

namespace {

std::shared_ptr<const Steering> steering_of(const llamood_stage& stage, const Mood& mood) {
    return std::make_shared<const Steering>(mood, stage.model->steering_vectors());
}

std::shared_ptr<const Steering> steering_of(const llamood_stage& stage, const llamood_mood* mood) {
    return steering_of(stage, mood == nullptr ? Mood::of({}) : mood->mood);
}

Manner manner_of(const llamood_sampling& asked) {
    Manner manner;
    manner.sampling = {asked.temperature,
                       asked.top_k,
                       asked.top_p,
                       asked.min_p,
                       asked.typical_p,
                       asked.repeat_penalty,
                       asked.frequency_penalty,
                       asked.presence_penalty,
                       asked.last_n_tokens,
                       asked.seed,
                       asked.grammar == nullptr ? "" : asked.grammar};
    if (asked.n_stop > 0) require(asked.stops, "stops");
    for (std::size_t i = 0; i < asked.n_stop; ++i) {
        require(asked.stops[i], ("stops[" + std::to_string(i) + "]").c_str());
        manner.stops.emplace_back(asked.stops[i]);
    }
    for (const float value :
         {asked.temperature, asked.top_p, asked.min_p, asked.typical_p, asked.repeat_penalty,
          asked.frequency_penalty, asked.presence_penalty}) {
        if (!std::isfinite(value)) {
            throw std::invalid_argument("a number of the sampling is not finite");
        }
    }
    if (asked.max_tokens < 0 || !(asked.max_seconds >= 0)) {
        throw std::invalid_argument("max_tokens and max_seconds of 0 or more were expected");
    }
    manner.max_tokens = asked.max_tokens;
    if (asked.max_seconds > 0) manner.max_seconds = asked.max_seconds;
    return manner;
}

struct Threads {
    int n;
    int n_batch;
};

// As llamood_stage_params has them.
Threads threads_of(const llamood_stage_params& asked) {
    const int all = usable_cores();
    const int n = asked.n_threads > 0 ? asked.n_threads : std::max(all + asked.n_threads, 1);
    return {n, asked.n_threads_batch > 0 ? asked.n_threads_batch : n};
}

// `work` with what takes the orders: the cast, or who runs it.
template <class Work>
auto with(llamood_stage* stage, Work work) {
    return stage->runner != nullptr ? work(*stage->runner) : work(stage->cast);
}

void feel(llamood_stage* stage, int voice, const std::shared_ptr<const Steering>& steering) {
    with(stage, [&](auto& cast) { cast.feel(voice, steering); });
}

void require_still(const llamood_stage* stage) {
    require(stage, "stage");
    if (stage->runner == nullptr) return;
    throw std::runtime_error("the stage steps in a thread of its own; stop it first");
}

// What `work` does to a stage, 0 where it succeeds.
template <class Work>
int changed(llamood_stage* stage, char* error, size_t error_size, Work work) {
    return guarded({error, error_size}, -1, [&] {
        require(stage, "stage");
        work();
        return 0;
    });
}

}  // namespace

llamood_stage_params llamood_stage_default_params(void) {
    return {8, 2048, 512, 0, 0, LLAMOOD_REFUSE, nullptr};
}

llamood_sampling llamood_default_sampling(void) {
    const Sampling usual;
    return {usual.temperature,
            usual.top_k,
            usual.top_p,
            usual.min_p,
            usual.typical_p,
            usual.repeat_penalty,
            usual.frequency_penalty,
            usual.presence_penalty,
            usual.last_n_tokens,
            LLAMOOD_ANY_SEED,
            nullptr,
            nullptr,
            0,
            0,
            0.0};
}

llamood_stage* llamood_stage_open(const llamood_model* model, const llamood_stage_params* params,
                                  char* error, size_t error_size) {
    return guarded({error, error_size}, static_cast<llamood_stage*>(nullptr), [=] {
        require(model, "model");
        const llamood_stage_params asked =
            params == nullptr ? llamood_stage_default_params() : *params;
        if (asked.n_batch < 1) {
            throw std::invalid_argument("n_batch is " + std::to_string(asked.n_batch) +
                                        ", expected more than there are voices");
        }
        shorten_spins_unless_told();
        const Threads threads = threads_of(asked);
        llama_context_params of_context = llama_context_default_params();
        of_context.n_batch = asked.n_batch;
        of_context.n_ubatch = asked.n_batch;
        of_context.n_threads = threads.n;
        of_context.n_threads_batch = threads.n_batch;
        auto shared = std::make_unique<SharedContext>(
            model->model, asked.n_voice, asked.n_ctx,
            asked.chat_template == nullptr ? "" : asked.chat_template, of_context);
        if (asked.n_threads == 0) {
            shared->stage().yield_to_others(threads.n, threads.n_batch);
        }
        const Overflow overflow =
            asked.overflow == LLAMOOD_DROP ? Overflow::drop : Overflow::refuse;
        return std::make_unique<llamood_stage>(model->model, std::move(shared), overflow).release();
    });
}

void llamood_stage_free(llamood_stage* stage) {
    const std::unique_ptr<llamood_stage> owner(stage);
}

int llamood_join(llamood_stage* stage, const char* system, const llamood_mood* mood,
                 const llamood_sampling* sampling, char* error, size_t error_size) {
    return guarded({error, error_size}, -1, [=] {
        require(stage, "stage");
        std::optional<std::string> told;
        if (system != nullptr) told = system;
        Manner manner = manner_of(sampling == nullptr ? llamood_default_sampling() : *sampling);
        return with(stage, [&](auto& cast) {
            return cast.join(std::move(told), steering_of(*stage, mood), std::move(manner));
        });
    });
}

int llamood_say(llamood_stage* stage, int voice, const char* text, char* error, size_t error_size) {
    return changed(stage, error, error_size, [=] {
        require(text, "text");
        with(stage, [&](auto& cast) { cast.say(voice, text); });
    });
}

int llamood_feel(llamood_stage* stage, int voice, const llamood_mood* mood, char* error,
                 size_t error_size) {
    return changed(stage, error, error_size,
                   [=] { feel(stage, voice, steering_of(*stage, mood)); });
}

int llamood_feel_weights(llamood_stage* stage, int voice, const float* weights, size_t n,
                         char* error, size_t error_size) {
    return changed(stage, error, error_size, [=] {
        require(weights, "weights");
        const auto& names = stage->model->vectors().names;
        if (n != names.size()) {
            throw std::invalid_argument(std::to_string(n) + " weights, expected one for each of " +
                                        std::to_string(names.size()) + " emotions");
        }
        std::vector<std::pair<std::string, double>> named;
        for (std::size_t i = 0; i < n; ++i) named.emplace_back(names[i], weights[i]);
        feel(stage, voice, steering_of(*stage, Mood::of(named)));
    });
}

int llamood_interrupt(llamood_stage* stage, int voice, char* error, size_t error_size) {
    return changed(stage, error, error_size,
                   [=] { with(stage, [&](auto& cast) { cast.interrupt(voice); }); });
}

int llamood_leave(llamood_stage* stage, int voice, char* error, size_t error_size) {
    return changed(stage, error, error_size, [=] {
        with(stage, [&](auto& cast) { cast.leave(voice); });
        drop_events(stage->left, voice);
    });
}

int llamood_step(llamood_stage* stage, int n_token, char* error, size_t error_size) {
    return guarded({error, error_size}, -1, [=] {
        require_still(stage);
        if (n_token < 0) throw std::invalid_argument("n_token is below 0");
        const int most = n_token == 0 ? std::numeric_limits<int>::max() : n_token;
        return stage->cast.step(most) ? 1 : 0;
    });
}

int llamood_step_for(llamood_stage* stage, double milliseconds, char* error, size_t error_size) {
    return guarded({error, error_size}, -1, [=] {
        require_still(stage);
        if (!(milliseconds >= 0)) throw std::invalid_argument("milliseconds is not 0 or more");
        return stage->cast.step_for(milliseconds / 1000) ? 1 : 0;
    });
}

int llamood_stage_start(llamood_stage* stage, char* error, size_t error_size) {
    return changed(stage, error, error_size, [=] {
        if (stage->runner != nullptr) throw std::runtime_error("the stage was started already");
        while (auto event = stage->cast.poll()) stage->left.push_back(std::move(*event));
        stage->runner = std::make_unique<Runner>(stage->cast);
    });
}

int llamood_stage_stop(llamood_stage* stage, char* error, size_t error_size) {
    return changed(stage, error, error_size, [=] {
        if (stage->runner == nullptr) throw std::runtime_error("the stage was not started");
        for (Event& event : stage->runner->stop()) stage->left.push_back(std::move(event));
        stage->runner.reset();
    });
}

int llamood_poll(llamood_stage* stage, llamood_event* event, char* error, size_t error_size) {
    return guarded({error, error_size}, -1, [=] {
        require(stage, "stage");
        require(event, "event");
        stage->told = stage->poll();
        if (!stage->told.has_value()) return 0;
        const Event& told = *stage->told;
        *event = {told.voice,
                  told.token,
                  told.text.c_str(),
                  stage->model->vectors().n_emotion(),
                  told.mood.data(),
                  told.reading.empty() ? nullptr : told.reading.data(),
                  static_cast<llamood_end>(told.end),
                  told.forgotten};
        return 1;
    });
}

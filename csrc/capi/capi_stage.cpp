#include <algorithm>
#include <cmath>
#include <deque>
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
#include "moods/mood_error.hpp"
#include "voices/cast.hpp"
#include "voices/cores.hpp"
#include "voices/opened_context.hpp"
#include "voices/runner.hpp"
#include "voices/spin.hpp"

using namespace llamood;

namespace {

// An event, with what llamood_event points to.
struct ToldEvent {
    explicit ToldEvent(Event of) : event(std::move(of)) {
        for (const std::string& text : event.news) notice += (notice.empty() ? "" : "\n") + text;
        if (event.reading) reading.assign(event.reading->begin(), event.reading->end());
        if (event.score) score.assign(event.score->begin(), event.score->end());
        for (const Likely& each : event.likely) likely.push_back({each.token, each.logprob});
        if (event.guard == nullptr) return;
        guard = event.guard->words();
        for (const Rescue& each : event.guard->rescues) {
            rescues.push_back({static_cast<int>(each.token), static_cast<int>(each.kept),
                               each.alarm.kind.c_str(), each.alarm.text.c_str()});
        }
    }

    Event event;
    std::string notice;
    std::vector<float> reading;
    std::vector<float> score;
    std::vector<llamood_likely> likely;
    std::string guard;
    std::vector<llamood_rescue> rescues;
};

}  // namespace

struct llamood_stage {
    llamood_stage(std::shared_ptr<const FeelingModel> of, std::unique_ptr<OpenedContext> opened,
                  Overflow overflow, std::optional<Care> care)
        : model(std::move(of)),
          context(std::move(opened)),
          cast(context->parts(), overflow, care),
          nothing(model->vectors().n_emotion()) {}

    std::shared_ptr<const FeelingModel> model;
    std::unique_ptr<OpenedContext> context;
    Cast cast;
    std::vector<float> nothing;      // (n_emotion), the weights of the end of an answer
    std::optional<ToldEvent> told;   // what the last event points to
    Runner::Left left;               // what was not polled of a runner that has stopped
    std::unique_ptr<Runner> runner;  // null where it does not run by itself

    std::optional<Event> poll() {
        if (!left.events.empty()) {
            std::optional<Event> event(std::move(left.events.front()));
            left.events.pop_front();
            return event;
        }
        if (left.fault != nullptr) std::rethrow_exception(std::exchange(left.fault, nullptr));
        return runner != nullptr ? runner->poll() : cast.poll();
    }
};

namespace {

std::shared_ptr<const Steering> steering_of(const llamood_stage& stage, const Mood& mood) {
    const auto& baseline = stage.model->baseline();
    if (baseline == nullptr && mood.reads()) {
        throw MoodError("",
                        "this mood goes by what is read, which is known only to a voice that is; "
                        "load the model with `readings`");
    }
    std::optional<Told> told;
    if (baseline != nullptr) told = baseline->told;
    auto affect_map = mood.affect().empty() ? nullptr : stage.model->affect_map();
    return std::make_shared<const Steering>(
        mood, stage.model->steering_vectors(), std::move(affect_map), told,
        baseline == nullptr ? nullptr : baseline->neutral.get());
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
                       asked.grammar == nullptr ? "" : asked.grammar,
                       std::max(asked.n_likely, -1)};
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

Manner manner_of(const llamood_sampling* asked) {
    return manner_of(asked == nullptr ? llamood_default_sampling() : *asked);
}

std::optional<Care> care_of(llamood_guard asked) {
    switch (asked) {
        case LLAMOOD_GUARD_NONE:
            return std::nullopt;
        case LLAMOOD_GUARD_RESCUE:
            return Care::rescue;
        case LLAMOOD_GUARD_STOP:
            return Care::stop;
    }
    throw std::invalid_argument("guard is " + std::to_string(static_cast<int>(asked)) +
                                ", expected one of LLAMOOD_GUARD_NONE, _RESCUE and _STOP");
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

const float* or_null(const std::vector<float>& values) {
    return values.empty() ? nullptr : values.data();
}

llamood_event shown(const llamood_stage& stage, const ToldEvent& told) {
    const Event& event = told.event;
    const auto weights = [&](const std::vector<float>& of) {
        return of.empty() ? stage.nothing.data() : of.data();
    };
    return {event.voice,
            event.token,
            event.text.c_str(),
            stage.model->vectors().n_emotion(),
            weights(event.mood),
            or_null(told.reading),
            static_cast<llamood_end>(event.end),
            event.forgotten,
            told.notice.empty() ? nullptr : told.notice.c_str(),
            weights(event.asked),
            or_null(told.score),
            told.likely.data(),
            told.likely.size(),
            event.guard == nullptr ? nullptr : told.guard.c_str(),
            event.guard == nullptr ? 1.0f : static_cast<float>(event.guard->factor()),
            event.guard != nullptr && event.guard->is_stopped(),
            told.rescues.data(),
            told.rescues.size(),
            event.face ? event.face->label.c_str() : nullptr,
            event.face && event.face->score ? static_cast<float>(*event.face->score) : NAN,
            event.face ? static_cast<float>(event.face->point[0]) : 0.0f,
            event.face ? static_cast<float>(event.face->point[1]) : 0.0f};
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
    return {8, 2048, 512, 0, 0, LLAMOOD_REFUSE, nullptr, LLAMOOD_GUARD_RESCUE};
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
            0.0,
            usual.n_likely};
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
        const std::optional<Care> care = care_of(asked.guard);
        auto context = std::make_unique<OpenedContext>(
            model->model, asked.n_voice, asked.n_ctx,
            asked.chat_template == nullptr ? "" : asked.chat_template, of_context);
        if (asked.n_threads == 0) {
            context->stage().yield_to_others(threads.n, threads.n_batch);
        }
        const Overflow overflow =
            asked.overflow == LLAMOOD_DROP ? Overflow::drop : Overflow::refuse;
        return std::make_unique<llamood_stage>(model->model, std::move(context), overflow, care)
            .release();
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
        Manner manner = manner_of(sampling);
        auto steering = steering_of(*stage, mood);
        if (stage->runner != nullptr) {
            return stage->runner->join(std::move(told), std::move(steering), std::move(manner));
        }
        return stage->cast.join(std::move(told), std::move(steering), std::move(manner))->number();
    });
}

int llamood_say(llamood_stage* stage, int voice, const char* text, char* error, size_t error_size) {
    return changed(stage, error, error_size, [=] {
        require(text, "text");
        with(stage, [&](auto& cast) { cast.say(voice, text); });
    });
}

int llamood_say_so(llamood_stage* stage, int voice, const char* text,
                   const llamood_sampling* sampling, char* error, size_t error_size) {
    return changed(stage, error, error_size, [=] {
        require(text, "text");
        with(stage, [&](auto& cast) { cast.say(voice, text, manner_of(sampling)); });
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

int llamood_pause(llamood_stage* stage, int voice, bool paused, char* error, size_t error_size) {
    return changed(stage, error, error_size,
                   [=] { with(stage, [&](auto& cast) { cast.pause(voice, paused); }); });
}

int llamood_set_faces(llamood_stage* stage, int voice, const char* const* labels,
                      const char* const* emotions, size_t n, char* error, size_t error_size) {
    return changed(stage, error, error_size, [=] {
        if (n > 0) require(labels, "labels");
        if (n > 0) require(emotions, "emotions");
        std::vector<FaceLabel> faces;
        for (std::size_t i = 0; i < n; ++i) {
            require(labels[i], "labels");
            faces.push_back({labels[i], std::nullopt});
            if (emotions[i] != nullptr) faces.back().emotion = emotions[i];
        }
        auto set = std::make_shared<const FaceSet>(faces, stage->model->vectors().names);
        with(stage, [&](auto& cast) { cast.set_faces(voice, set); });
    });
}

int llamood_interrupt(llamood_stage* stage, int voice, char* error, size_t error_size) {
    return changed(stage, error, error_size,
                   [=] { with(stage, [&](auto& cast) { cast.interrupt(voice); }); });
}

int llamood_leave(llamood_stage* stage, int voice, char* error, size_t error_size) {
    return changed(stage, error, error_size, [=] {
        with(stage, [&](auto& cast) { cast.leave(voice); });
        if (stage->runner == nullptr) stage->cast.drop(voice);
        drop_events(stage->left.events, voice);
    });
}

int llamood_step(llamood_stage* stage, int n_token, char* error, size_t error_size) {
    return guarded({error, error_size}, -1, [=] {
        require_still(stage);
        if (n_token < 0) throw std::invalid_argument("n_token is below 0");
        Room room;
        if (n_token != 0) room.n_token = n_token;
        return stage->cast.step(room) ? 1 : 0;
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
        while (auto event = stage->cast.poll()) stage->left.events.push_back(std::move(*event));
        stage->runner = std::make_unique<Runner>(stage->cast);
    });
}

int llamood_stage_stop(llamood_stage* stage, char* error, size_t error_size) {
    return changed(stage, error, error_size, [=] {
        if (stage->runner == nullptr) throw std::runtime_error("the stage was not started");
        Runner::Left left = stage->runner->stop();
        for (Event& event : left.events) stage->left.events.push_back(std::move(event));
        stage->left.fault = left.fault;
        stage->runner.reset();
    });
}

int llamood_poll(llamood_stage* stage, llamood_event* event, char* error, size_t error_size) {
    return guarded({error, error_size}, -1, [=] {
        require(stage, "stage");
        require(event, "event");
        std::optional<Event> polled = stage->poll();
        if (!polled) return 0;
        *event = shown(*stage, stage->told.emplace(std::move(*polled)));
        return 1;
    });
}

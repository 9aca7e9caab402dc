#include "capi/capi_stage.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "capi/capi_model.hpp"
#include "voices/cores.hpp"
#include "voices/spin.hpp"

using namespace llamood;

namespace {

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

void require_still(const llamood_stage* stage) {
    require(stage, "stage");
    if (stage->runner == nullptr) return;
    throw std::runtime_error("the stage steps in a thread of its own; stop it first");
}

}  // namespace

llamood_stage_params llamood_stage_default_params(void) {
    return {8, 2048, 512, 0, 0, LLAMOOD_REFUSE, nullptr, LLAMOOD_GUARD_RESCUE};
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

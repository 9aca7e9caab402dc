// A stage as a program in C holds it.
#pragma once

#include <deque>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "capi/capi.hpp"
#include "capi/llamood.h"
#include "voices/cast.hpp"
#include "voices/feeling_model.hpp"
#include "voices/opened_context.hpp"
#include "voices/runner.hpp"

namespace llamood {

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

}  // namespace llamood

struct llamood_stage {
    llamood_stage(std::shared_ptr<const llamood::FeelingModel> of,
                  std::unique_ptr<llamood::OpenedContext> opened, llamood::Overflow overflow,
                  std::optional<llamood::Care> care)
        : model(std::move(of)),
          context(std::move(opened)),
          cast(context->parts(), overflow, care),
          nothing(model->vectors().n_emotion()) {}

    std::shared_ptr<const llamood::FeelingModel> model;
    std::unique_ptr<llamood::OpenedContext> context;
    llamood::Cast cast;
    std::vector<float> nothing;               // (n_emotion), the weights of the end of an answer
    std::optional<llamood::ToldEvent> told;   // what the last event points to
    llamood::Runner::Left left;               // what was not polled of a runner that has stopped
    std::unique_ptr<llamood::Runner> runner;  // null where it does not run by itself

    std::optional<llamood::Event> poll() {
        if (!left.events.empty()) {
            std::optional<llamood::Event> event(std::move(left.events.front()));
            left.events.pop_front();
            return event;
        }
        if (left.fault != nullptr) std::rethrow_exception(std::exchange(left.fault, nullptr));
        return runner != nullptr ? runner->poll() : cast.poll();
    }
};

namespace llamood {

// `work` with what takes the orders: the cast, or who runs it.
template <class Work>
auto with(llamood_stage* stage, Work work) {
    return stage->runner != nullptr ? work(*stage->runner) : work(stage->cast);
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

}  // namespace llamood

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "capi/capi_mood.hpp"
#include "capi/capi_stage.hpp"
#include "capi/saved_file.hpp"
#include "moods/mood_error.hpp"

using namespace llamood;

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

void feel(llamood_stage* stage, int voice, const std::shared_ptr<const Steering>& steering) {
    with(stage, [&](auto& cast) { cast.feel(voice, steering); });
}

}  // namespace

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

int llamood_voice_save(llamood_stage* stage, int voice, const char* path, bool with_cache,
                       char* error, size_t error_size) {
    return changed(stage, error, error_size, [=] {
        require(path, "path");
        const SavedVoice saved = stage->runner != nullptr ? stage->runner->saved(voice, with_cache)
                                                          : stage->cast.at(voice).saved(with_cache);
        write_saved(path, saved);
    });
}

int llamood_voice_load(llamood_stage* stage, const char* path, char* error, size_t error_size) {
    return guarded({error, error_size}, -1, [=] {
        require(stage, "stage");
        require(path, "path");
        SavedVoice saved = read_saved(path);
        std::vector<std::shared_ptr<const Steering>> steerings;
        for (const JsonValue& mood : saved.moods) {
            steerings.push_back(steering_of(*stage, Mood::read(mood)));
        }
        if (stage->runner != nullptr) return stage->runner->load(std::move(saved), steerings);
        return stage->cast.load(std::move(saved), steerings)->number();
    });
}

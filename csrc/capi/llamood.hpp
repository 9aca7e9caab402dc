// llamood.h for C++17: handles that free themselves, and errors that are thrown. Header-only, over
// the C library; what a function does, and when it fails, is said in llamood.h.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "llamood.h"

namespace llamood {

// What llamood says of a failure: what was found, what was expected and what to do.
class Failure : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

namespace detail {

// A function of the C library with a place for its error. Throws Failure for NULL and below 0.
template <class Call>
auto called(Call call) {
    char error[2 * LLAMOOD_ERROR_SIZE] = "";
    const auto result = call(static_cast<char*>(error), sizeof error);
    if constexpr (std::is_pointer_v<decltype(result)>) {
        if (result == nullptr) throw Failure(error);
    } else {
        if (result < 0) throw Failure(error);
    }
    return result;
}

}  // namespace detail

// Throws Failure unless the library that is running can serve this header.
inline void check_version() {
    detail::called([](char* e, size_t n) { return LLAMOOD_CHECK_VERSION(e, n); });
}

class Mood {
  public:
    // From its JSON text.
    static Mood parse(const std::string& json) {
        return Mood(detail::called(
            [&](char* e, size_t n) { return llamood_mood_parse(json.c_str(), e, n); }));
    }
    // The same intensities at every token; none of them are neutral.
    static Mood of(const std::vector<std::pair<std::string, float>>& intensities) {
        std::vector<const char*> names;
        std::vector<float> weights;
        for (const auto& [name, weight] : intensities) {
            names.push_back(name.c_str());
            weights.push_back(weight);
        }
        return Mood(detail::called([&](char* e, size_t n) {
            return llamood_mood_of(names.data(), weights.data(), names.size(), e, n);
        }));
    }

    const llamood_mood* get() const { return mood_.get(); }

  private:
    struct Free {
        void operator()(llamood_mood* mood) const { llamood_mood_free(mood); }
    };

    explicit Mood(llamood_mood* mood) : mood_(mood) {}

    std::unique_ptr<llamood_mood, Free> mood_;
};

class Model {
  public:
    Model(const std::string& path, const std::string& vectors,
          const llamood_model_params& params = llamood_model_default_params())
        : model_(detail::called([&](char* e, size_t n) {
              return llamood_model_load(path.c_str(), vectors.c_str(), &params, e, n);
          })) {}

    std::vector<std::string> emotions() const {
        std::vector<std::string> names;
        for (int i = 0; i < llamood_model_n_emotion(get()); ++i) {
            names.emplace_back(llamood_model_emotion(get(), i));
        }
        return names;
    }

    const llamood_model* get() const { return model_.get(); }

  private:
    struct Free {
        void operator()(llamood_model* model) const { llamood_model_free(model); }
    };

    std::unique_ptr<llamood_model, Free> model_;
};

// llamood_event, with copies of what it points to. reading: empty where nothing was read.
struct Event {
    int voice;
    int token;
    std::string text;
    std::vector<float> mood;
    std::vector<float> reading;
    llamood_end end;
    int forgotten;
};

class Stage {
  public:
    explicit Stage(const Model& model,
                   const llamood_stage_params& params = llamood_stage_default_params())
        : stage_(detail::called(
              [&](char* e, size_t n) { return llamood_stage_open(model.get(), &params, e, n); })) {}

    int join(const std::optional<std::string>& system = std::nullopt, const Mood* mood = nullptr,
             const llamood_sampling& sampling = llamood_default_sampling()) {
        return detail::called([&](char* e, size_t n) {
            return llamood_join(get(), system ? system->c_str() : nullptr,
                                mood == nullptr ? nullptr : mood->get(), &sampling, e, n);
        });
    }
    void say(int voice, const std::string& text) {
        detail::called(
            [&](char* e, size_t n) { return llamood_say(get(), voice, text.c_str(), e, n); });
    }
    void feel(int voice, const Mood& mood) {
        detail::called(
            [&](char* e, size_t n) { return llamood_feel(get(), voice, mood.get(), e, n); });
    }
    void feel(int voice, const std::vector<float>& weights) {
        detail::called([&](char* e, size_t n) {
            return llamood_feel_weights(get(), voice, weights.data(), weights.size(), e, n);
        });
    }
    void interrupt(int voice) {
        detail::called([&](char* e, size_t n) { return llamood_interrupt(get(), voice, e, n); });
    }
    void leave(int voice) {
        detail::called([&](char* e, size_t n) { return llamood_leave(get(), voice, e, n); });
    }

    // Whether somebody still speaks.
    bool step(int n_token = 0) {
        return detail::called(
                   [&](char* e, size_t n) { return llamood_step(get(), n_token, e, n); }) == 1;
    }
    bool step_for(double milliseconds) {
        return detail::called([&](char* e, size_t n) {
                   return llamood_step_for(get(), milliseconds, e, n);
               }) == 1;
    }

    void start() {
        detail::called([&](char* e, size_t n) { return llamood_stage_start(get(), e, n); });
    }
    void stop() {
        detail::called([&](char* e, size_t n) { return llamood_stage_stop(get(), e, n); });
    }

    std::optional<Event> poll() {
        llamood_event event;
        const int found =
            detail::called([&](char* e, size_t n) { return llamood_poll(get(), &event, e, n); });
        if (found == 0) return std::nullopt;
        const float* reading = event.reading;
        return Event{event.voice,
                     event.token,
                     event.text,
                     {event.mood, event.mood + event.n_emotion},
                     reading == nullptr ? std::vector<float>()
                                        : std::vector<float>(reading, reading + event.n_emotion),
                     event.end,
                     event.forgotten};
    }

    llamood_stage* get() { return stage_.get(); }

  private:
    struct Free {
        void operator()(llamood_stage* stage) const { llamood_stage_free(stage); }
    };

    std::unique_ptr<llamood_stage, Free> stage_;
};

}  // namespace llamood

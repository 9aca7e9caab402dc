// llamood.h for C++17: handles that free themselves, and errors that are thrown. Header-only, over
// the C library; what a function does, and when it fails, is said in llamood.h.
#pragma once

#include <cmath>
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
    // Of a file, which may be a personality.
    static Mood load(const std::string& path) {
        return Mood(detail::called(
            [&](char* e, size_t n) { return llamood_mood_load(path.c_str(), e, n); }));
    }
    // What a personality tells the model to be.
    std::optional<std::string> system() const {
        const char* system = llamood_mood_system(get());
        return system == nullptr ? std::nullopt : std::optional<std::string>(system);
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

// llamood_rescue, with copies of what it points to.
struct Rescue {
    int token;
    int kept;
    std::string kind;
    std::string text;
};

// What became of an answer that collapsed, as llamood_event has it. words: for a person.
struct Collapse {
    std::string words;
    float factor;
    bool is_stopped;
    std::vector<Rescue> rescues;
};

// llamood_event, with copies of what it points to. reading, score, notice: empty where there is
// none.
struct Event {
    int voice;
    int token;
    std::string text;
    std::vector<float> mood;
    std::vector<float> reading;
    llamood_end end;
    int forgotten;
    std::string notice;
    std::vector<float> asked;
    std::vector<float> score;
    std::vector<llamood_likely> likely;
    std::optional<Collapse> guard;
    std::string face;  // empty where it is not read
    std::optional<float> face_reading;
    float valence;
    float arousal;

    static Event of(const llamood_event& event) {
        const auto floats = [&](const float* values) {
            return values == nullptr ? std::vector<float>()
                                     : std::vector<float>(values, values + event.n_emotion);
        };
        Event copy{
            event.voice,
            event.token,
            event.text,
            floats(event.mood),
            floats(event.reading),
            event.end,
            event.forgotten,
            event.notice == nullptr ? "" : event.notice,
            floats(event.asked),
            floats(event.score),
            {event.likely, event.likely + event.n_likely},
            std::nullopt,
            event.face == nullptr ? "" : event.face,
            std::isnan(event.face_reading) ? std::nullopt : std::optional(event.face_reading),
            event.valence,
            event.arousal};
        if (event.guard == nullptr) return copy;
        copy.guard = Collapse{event.guard, event.guard_factor, event.guard_stopped, {}};
        for (std::size_t i = 0; i < event.n_rescue; ++i) {
            const llamood_rescue& each = event.rescues[i];
            copy.guard->rescues.push_back({each.token, each.kept, each.kind, each.text});
        }
        return copy;
    }
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
    // Drawn otherwise than was said when it joined.
    void say(int voice, const std::string& text, const llamood_sampling& sampling) {
        detail::called([&](char* e, size_t n) {
            return llamood_say_so(get(), voice, text.c_str(), &sampling, e, n);
        });
    }
    void pause(int voice, bool is_paused) {
        detail::called(
            [&](char* e, size_t n) { return llamood_pause(get(), voice, is_paused, e, n); });
    }
    // Label and emotion of each, none for the neutral one.
    void set_faces(int voice,
                   const std::vector<std::pair<std::string, std::optional<std::string>>>& faces) {
        std::vector<const char*> labels;
        std::vector<const char*> emotions;
        for (const auto& [label, emotion] : faces) {
            labels.push_back(label.c_str());
            emotions.push_back(emotion ? emotion->c_str() : nullptr);
        }
        detail::called([&](char* e, size_t n) {
            return llamood_set_faces(get(), voice, labels.data(), emotions.data(), faces.size(), e,
                                     n);
        });
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
    // See llamood_voice_save.
    void save(int voice, const std::string& path, bool with_cache = false) {
        detail::called([&](char* e, size_t n) {
            return llamood_voice_save(get(), voice, path.c_str(), with_cache, e, n);
        });
    }
    // The number of the voice that was saved there.
    int load(const std::string& path) {
        return detail::called(
            [&](char* e, size_t n) { return llamood_voice_load(get(), path.c_str(), e, n); });
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
        return Event::of(event);
    }

    llamood_stage* get() { return stage_.get(); }

  private:
    struct Free {
        void operator()(llamood_stage* stage) const { llamood_stage_free(stage); }
    };

    std::unique_ptr<llamood_stage, Free> stage_;
};

}  // namespace llamood

#include "llamood_stage.hpp"

#include <cstdint>
#include <stdexcept>

namespace godot {

namespace {

using Given = std::vector<Value>;

const char* end_name(llamood_end end) {
    switch (end) {
        case LLAMOOD_END_NONE:
            return "";
        case LLAMOOD_END_STOP:
            return "stop";
        case LLAMOOD_END_LENGTH:
            return "length";
        case LLAMOOD_END_TIME:
            return "time";
        case LLAMOOD_END_INTERRUPTED:
            return "interrupted";
        case LLAMOOD_END_FAILED:
            return "failed";
        case LLAMOOD_END_REFUSED:
            return "refused";
    }
    return "failed";
}

int small(const Value& value) {
    const Int number = value.integer();
    if (number < INT32_MIN || number > INT32_MAX) {
        throw std::runtime_error(std::to_string(number) +
                                 " is no number of voices, tokens or threads");
    }
    return static_cast<int>(number);
}

}  // namespace

llamood::Mood mood_of(const std::string& json) {
    return llamood::Mood::parse(json.empty() ? "{}" : json);
}

void LlamoodStage::open(const std::string& model, const std::string& vectors, int n_voice,
                        int n_ctx, int n_threads, bool is_read) {
    llamood::check_version();
    auto of_model = llamood_model_default_params();
    of_model.readings = is_read;
    llamood::Model loaded(model, vectors, of_model);
    auto of_stage = llamood_stage_default_params();
    of_stage.n_voice = n_voice;
    of_stage.n_ctx = n_ctx;
    of_stage.n_threads = n_threads;
    llamood::Stage opened(loaded, of_stage);
    emotions_ = loaded.emotions();
    stage_.emplace(std::move(opened));
    model_.emplace(std::move(loaded));
}

llamood::Stage& LlamoodStage::stage() {
    if (!stage_) throw std::runtime_error("the stage is not open; call open() first");
    return *stage_;
}

Value LlamoodStage::ceilings() {
    stage();
    Value dictionary = Value::dictionary();
    for (std::size_t i = 0; i < emotions_.size(); ++i) {
        const int number = static_cast<int>(i);
        dictionary.set(emotions_[i], Value(llamood_model_ceiling(model_->get(), number)));
    }
    return dictionary;
}

int LlamoodStage::join(const std::string& system, const std::string& mood, std::uint32_t seed,
                       int max_tokens) {
    auto how = llamood_default_sampling();
    how.seed = seed;
    how.max_tokens = max_tokens;
    const llamood::Mood felt = mood_of(mood);
    return stage().join(system.empty() ? std::nullopt : std::optional(system), &felt, how);
}

Value LlamoodStage::weights(const std::vector<float>& values) const {
    Value dictionary = Value::dictionary();
    for (std::size_t i = 0; i < values.size(); ++i) {
        dictionary.set(emotions_[i], Value(static_cast<double>(values[i])));
    }
    return dictionary;
}

Value LlamoodStage::poll() {
    Value dictionary = Value::dictionary();
    const auto event = stage().poll();
    if (!event) return dictionary;
    dictionary.set("voice", Value(Int{event->voice}));
    dictionary.set("text", Value(event->text));
    dictionary.set("end", Value(std::string(end_name(event->end))));
    dictionary.set("mood", weights(event->mood));
    dictionary.set("reading", weights(event->reading));
    dictionary.set("face", Value(event->face));
    dictionary.set("valence", Value(static_cast<double>(event->valence)));
    dictionary.set("arousal", Value(static_cast<double>(event->arousal)));
    dictionary.set("forgotten", Value(Int{event->forgotten}));
    dictionary.set("notice", Value(event->notice));
    dictionary.set("guard", Value(event->guard ? event->guard->words : std::string()));
    return dictionary;
}

const std::vector<Method>& methods() {
    using Self = LlamoodStage;
    const auto string = Type::string;
    const auto integer = Type::integer;
    const auto boolean = Type::boolean;
    static const std::vector<Method> all = {
        {"open",
         boolean,
         {{"model", string},
          {"vectors", string},
          {"voices", integer},
          {"context", integer},
          {"threads", integer},
          {"readings", boolean}},
         [](Self& self, const Given& given) {
             self.open(given[0].text(), given[1].text(), small(given[2]), small(given[3]),
                       small(given[4]), given[5].boolean());
             return Value(true);
         }},
        {"ceilings",
         Type::dictionary,
         {},
         [](Self& self, const Given&) { return self.ceilings(); }},
        {"join",
         integer,
         {{"system", string}, {"mood", string}, {"seed", integer}, {"max_tokens", integer}},
         [](Self& self, const Given& given) {
             const auto seed = static_cast<std::uint32_t>(given[2].integer());
             return Value(Int{self.join(given[0].text(), given[1].text(), seed, small(given[3]))});
         }},
        {"say",
         boolean,
         {{"voice", integer}, {"text", string}},
         [](Self& self, const Given& given) {
             self.stage().say(small(given[0]), given[1].text());
             return Value(true);
         }},
        {"feel",
         boolean,
         {{"voice", integer}, {"mood", string}},
         [](Self& self, const Given& given) {
             self.stage().feel(small(given[0]), mood_of(given[1].text()));
             return Value(true);
         }},
        {"pause",
         boolean,
         {{"voice", integer}, {"paused", boolean}},
         [](Self& self, const Given& given) {
             self.stage().pause(small(given[0]), given[1].boolean());
             return Value(true);
         }},
        {"interrupt",
         boolean,
         {{"voice", integer}},
         [](Self& self, const Given& given) {
             self.stage().interrupt(small(given[0]));
             return Value(true);
         }},
        {"leave",
         boolean,
         {{"voice", integer}},
         [](Self& self, const Given& given) {
             self.stage().leave(small(given[0]));
             return Value(true);
         }},
        {"save",
         boolean,
         {{"voice", integer}, {"path", string}, {"with_cache", boolean}},
         [](Self& self, const Given& given) {
             self.stage().save(small(given[0]), given[1].text(), given[2].boolean());
             return Value(true);
         }},
        {"load",
         integer,
         {{"path", string}},
         [](Self& self, const Given& given) {
             return Value(Int{self.stage().load(given[0].text())});
         }},
        {"start",
         boolean,
         {},
         [](Self& self, const Given&) {
             self.stage().start();
             return Value(true);
         }},
        {"stop",
         boolean,
         {},
         [](Self& self, const Given&) {
             self.stage().stop();
             return Value(true);
         }},
        {"step_for",
         boolean,
         {{"milliseconds", Type::real}},
         [](Self& self, const Given& given) {
             return Value(self.stage().step_for(given[0].real()));
         }},
        {"poll", Type::dictionary, {}, [](Self& self, const Given&) { return self.poll(); }},
        {"error", string, {}, [](Self& self, const Given&) { return Value(self.error); }},
    };
    return all;
}

}  // namespace godot

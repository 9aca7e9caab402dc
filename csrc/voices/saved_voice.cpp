#include "voices/saved_voice.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

#include "vectors/blake2b.hpp"
#include "voices/json_form.hpp"

namespace llamood {

// -- what each has -----------------------------------------------------------------------------

namespace {

// What follows the line of JSON, of so many positions; `read` and `moved`: numbers of them all.
struct CacheHead {
    std::string origin;
    std::size_t n_position = 0;
    std::size_t n_begin = 0;
    std::size_t n_read = 0;
    std::size_t n_moved = 0;
    std::size_t n_byte = 0;  // of all
    std::string blake2b;     // of all
};

constexpr std::uint32_t any_seed = LLAMA_DEFAULT_SEED;

template <class Form>
void describe(Form& form, CacheHead& head) {
    form("origin", head.origin);
    form("positions", head.n_position);
    form("begins", head.n_begin);
    form("read", head.n_read);
    form("moved", head.n_moved);
    form("bytes", head.n_byte);
    form("blake2b", head.blake2b);
}

}  // namespace

template <class Form>
void describe(Form& form, SavedModel& model) {
    form("name", model.name);
    form("fingerprint", model.fingerprint);
}

template <class Form>
void describe(Form& form, Message& message) {
    form("role", message.role);
    form("content", message.content);
}

template <class Form>
void describe(Form& form, FaceLabel& face) {
    form("label", face.label);
    form("emotion", face.emotion);
}

template <class Form>
void describe(Form& form, SavedFace& face) {
    form("emotion", face.emotion);
    form("coming", face.coming);
    form("n_coming", face.n_coming);
}

// In the names of the Python package, where null is what needs no number.
template <class Form>
void describe(Form& form, Manner& manner) {
    Sampling& sampling = manner.sampling;
    form("temperature", sampling.temperature);
    form("top_k", sampling.top_k);
    form("top_p", sampling.top_p);
    form("min_p", sampling.min_p);
    form("typical_p", sampling.typical_p);
    form("repeat_penalty", sampling.repeat_penalty);
    form("frequency_penalty", sampling.frequency_penalty);
    form("presence_penalty", sampling.presence_penalty);
    form("last_n_tokens", sampling.last_n_tokens);
    form("grammar", sampling.grammar);
    form("stop", manner.stops);
    std::optional<std::uint32_t> seed;
    std::optional<int> max_tokens, logprobs;
    std::optional<double> max_seconds;
    if (sampling.seed != any_seed) seed = sampling.seed;
    if (manner.max_tokens > 0) max_tokens = manner.max_tokens;
    if (manner.max_seconds < std::numeric_limits<double>::max()) max_seconds = manner.max_seconds;
    if (sampling.n_likely >= 0) logprobs = sampling.n_likely;
    form("seed", seed);
    form("max_tokens", max_tokens);
    form("max_seconds", max_seconds);
    form("logprobs", logprobs);
    sampling.seed = seed.value_or(any_seed);
    manner.max_tokens = max_tokens.value_or(0);
    manner.max_seconds = max_seconds.value_or(std::numeric_limits<double>::infinity());
    sampling.n_likely = logprobs.value_or(-1);
    for (const float number :
         {sampling.temperature, sampling.top_p, sampling.min_p, sampling.typical_p,
          sampling.repeat_penalty, sampling.frequency_penalty, sampling.presence_penalty}) {
        if (!std::isfinite(number)) throw std::invalid_argument("sampling: a number is not finite");
    }
}

template <class Form>
void describe(Form& form, Likely& likely) {
    form("token", likely.token);
    form("logprob", likely.logprob);
}

template <class Form>
void describe(Form& form, SavedEvent& event) {
    form("token", event.token);
    form("text", event.text);
    form("likely", event.likely);
    form("forgotten", event.forgotten);
    form("reading", event.reading);
    form("score", event.score);
}

template <class Form>
void describe(Form& form, Regulation& held) {
    form("weight", held.weight);
    form("integral", held.integral);
    form("reading", held.reading);
}

template <class Form>
void describe(Form& form, SavedRow& row) {
    form("asked", row.asked);
    form("limited", row.limited);
    form("applied", row.applied);
    form("held", row.held);
    form("mood", row.mood);
}

template <class Form>
void describe(Form& form, Missed& missed) {
    form("excesses", missed.excesses);
    form("is_outside", missed.is_outside);
    form("is_silent", missed.is_silent);
}

template <class Form>
void describe(Form& form, Performance::Softened& softened) {
    form("first", softened.first);
    form("factor", softened.factor);
}

template <class Form>
void describe(Form& form, SavedPerformance& performance) {
    Performance::State& state = performance.state;
    form("begin", state.begin);
    form("is_felt", state.is_felt);
    form("before", state.before);
    form("told", state.told);
    form("said", state.said);
    form("flips", state.flips);
    form("softened", state.softened);
    form("rows", performance.rows);
    form("row_of", performance.row_of);
}

template <class Form>
void describe(Form& form, CollapseMonitor::Heard& heard) {
    form("token", heard.token);
    form("logprob", heard.circumstances.logprob);
    form("overdose", heard.circumstances.overdose);
}

template <class Form>
void describe(Form& form, Rescue& rescue) {
    form("token", rescue.token);
    form("kept", rescue.kept);
    form("factor", rescue.factor);
    form("kind", rescue.alarm.kind);
    form("text", rescue.alarm.text);
}

template <class Form>
void describe(Form& form, SavedMonitor& monitor) {
    form("heard", monitor.heard);
    form("unheard", monitor.unheard);
    form("n_sound", monitor.n_sound);
    form("rescues", monitor.rescues);
}

template <class Form>
void describe(Form& form, SavedAnswer& answer) {
    form("emotions", answer.emotions);
    form("messages", answer.messages);
    form("tokens", answer.tokens);
    form("n_prompt", answer.n_prompt);
    form("keys", answer.keys);
    form("forgotten", answer.forgotten);
    form("sampling", answer.manner);
    form("said", answer.said);
    form("faces", answer.faces);
    form("told", answer.told);
    form("untold", answer.untold);
    form("n_drawn", answer.n_drawn);
    form("n_draw", answer.n_draw);
    form("n_skip", answer.n_skip);
    form("is_paused", answer.is_paused);
    form("is_unfelt", answer.is_unfelt);
    form("seconds", answer.seconds);
    form("notices", answer.notices);
    form("performance", answer.performance);
    form("monitor", answer.monitor);
}

template <class Form>
void describe(Form& form, SavedVoice& voice) {
    form("model", voice.model);
    form("has_system", voice.has_system);
    form("messages", voice.messages);
    form("moods", voice.moods);
    form("felt", voice.felt);
    form("sampling", voice.manner);
    form("faces", voice.faces);
    form("face", voice.face);
    form("reading", voice.reading);
    form("answer", voice.answer);
}

// -- the file ----------------------------------------------------------------------------------

namespace {

constexpr const char* kind = "voice";

struct FileHead {
    std::string llamood = kind;
    int version = saved_version;
};

template <class Form>
void describe(Form& form, FileHead& head) {
    form("llamood", head.llamood);
    form("version", head.version);
}

template <class Value>
void append(std::string& bytes, const std::vector<Value>& values) {
    bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Value));
}

// Takes n values off the bytes from `at` on, where they are known to be.
template <class Value>
std::vector<Value> taken(const std::string& bytes, std::size_t& at, std::size_t n) {
    std::vector<Value> values(n);
    if (n > 0) std::memcpy(values.data(), bytes.data() + at, n * sizeof(Value));
    at += n * sizeof(Value);
    return values;
}

std::string digest_of(const std::string& bytes) {
    Blake2b hash(16);
    hash.add(bytes);
    return hash.hex();
}

std::string bytes_of(const SavedCache& cache) {
    std::string bytes;
    append(bytes, cache.tokens);
    append(bytes, cache.keys);
    append(bytes, cache.begins);
    append(bytes, cache.past.read);
    append(bytes, cache.past.moved);
    return bytes + cache.decoded;
}

SavedCache cache_of(const CacheHead& head, const std::string& bytes) {
    if (bytes.size() != head.n_byte) {
        throw std::invalid_argument("cut off: " + std::to_string(head.n_byte) +
                                    " bytes of cache were expected, found " +
                                    std::to_string(bytes.size()));
    }
    if (digest_of(bytes) != head.blake2b) {
        throw std::invalid_argument("the cache is not as it was written (cache.blake2b)");
    }
    const std::size_t most = bytes.size();
    const std::size_t of_position = sizeof(llama_token) + sizeof(std::int64_t);
    if (head.n_position > most || head.n_begin > most || head.n_read > most ||
        head.n_moved > most ||
        head.n_position * of_position + head.n_begin * sizeof(llama_pos) +
                head.n_read * sizeof(float) + head.n_moved * sizeof(double) >
            most) {
        throw std::invalid_argument("cache: more positions than there are bytes");
    }
    SavedCache cache;
    std::size_t at = 0;
    cache.origin = head.origin;
    cache.tokens = taken<llama_token>(bytes, at, head.n_position);
    cache.keys = taken<std::int64_t>(bytes, at, head.n_position);
    cache.begins = taken<llama_pos>(bytes, at, head.n_begin);
    cache.past.read = taken<float>(bytes, at, head.n_read);
    cache.past.moved = taken<double>(bytes, at, head.n_moved);
    cache.decoded = bytes.substr(at);
    return cache;
}

}  // namespace

JsonValue SavedVoice::head() const {
    JsonObject head = *JsonWriter::written(FileHead{}).as<JsonObject>();
    const JsonValue all = JsonWriter::written(*this);
    for (const JsonMember& member : *all.as<JsonObject>()) head.push_back(member);
    const std::string bytes = tail();
    const CacheHead of{cache.origin,           cache.tokens.size(),     cache.begins.size(),
                       cache.past.read.size(), cache.past.moved.size(), bytes.size(),
                       digest_of(bytes)};
    head.push_back({"cache", JsonWriter::written(of)});
    return {std::move(head)};
}

std::string SavedVoice::tail() const {
    return bytes_of(cache);
}

SavedVoice SavedVoice::of(const JsonValue& head, const std::string& tail) {
    FileHead file;
    JsonReader(head, "")("llamood", file.llamood);
    if (file.llamood != kind) {
        throw std::invalid_argument("a saved voice was expected, found a " + found(file.llamood));
    }
    JsonReader(head, "")("version", file.version);
    if (file.version != saved_version) {
        throw std::invalid_argument(
            "version " + std::to_string(file.version) + " of saved voices, known is version " +
            std::to_string(saved_version) +
            (file.version > saved_version ? "; it was saved by a later llamood" : ""));
    }
    SavedVoice voice;
    JsonReader::read(head, "", voice);
    CacheHead cache;
    JsonReader(head, "")("cache", cache);
    voice.cache = cache_of(cache, tail);
    if (voice.moods.empty()) throw std::invalid_argument("moods: one at least was expected");
    for (const auto& [name, weight] : voice.felt) {
        if (!std::isfinite(weight)) throw std::invalid_argument("felt: a number is not finite");
    }
    return voice;
}

}  // namespace llamood

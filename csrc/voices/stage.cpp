#include "voices/stage.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <stdexcept>
#include <utility>

namespace llamood {

namespace {

std::chrono::steady_clock::time_point deadline_after(double seconds) {
    using Clock = std::chrono::steady_clock;
    constexpr double for_ever = 1e9;  // about thirty years, which a clock can count
    if (seconds >= for_ever) return Clock::time_point::max();
    const std::chrono::duration<double> span(std::max(seconds, 0.0));
    return Clock::now() + std::chrono::duration_cast<Clock::duration>(span);
}

constexpr std::size_t n_likely_batches = 256;  // of a voice

bool adds_nothing(const std::vector<float>& rows) {
    return std::all_of(rows.begin(), rows.end(), [](float weight) { return weight == 0.0f; });
}

}  // namespace

void Stage::BatchDeleter::operator()(llama_batch* batch) const {
    llama_batch_free(*batch);
    delete batch;
}

bool Stage::Voice::is_ready() const {
    if (!is_speaking() || is_drawing()) return false;
    return is_prompting() || (drawn != LLAMA_TOKEN_NULL && !coming.rows.empty());
}

Stage::Stage(llama_context* ctx, RowInjector& rows, RowLimiter& limiter, Probe* probe)
    : ctx_(ctx), rows_(rows), limiter_(limiter), probe_(probe) {
    const llama_model* model = llama_get_model(ctx);
    if (llama_model_is_recurrent(model) || llama_model_is_hybrid(model)) {
        throw std::invalid_argument(
            "its memory is recurrent: llama.cpp sorts a batch by sequences there, so that moods "
            "would reach the wrong voices, and it cannot forget part of what was said");
    }
    if (llama_n_seq_max(ctx) > 1 && llama_n_ctx_seq(ctx) != llama_n_ctx(ctx)) {
        throw std::invalid_argument("the context must be made with kv_unified = true");
    }
    vocab_ = llama_model_get_vocab(model);
    n_batch_ = static_cast<int>(std::min(llama_n_batch(ctx), llama_n_ubatch(ctx)));
    voices_.resize(llama_n_seq_max(ctx));
    likely_.resize(voices_.size());
    begins_.resize(voices_.size());
    for (auto& begins : begins_) begins.reserve(n_likely_batches);
    if (n_batch_ <= n_voice()) {
        throw std::invalid_argument("a batch of " + std::to_string(n_batch_) +
                                    " tokens has no room for prompts beside " +
                                    std::to_string(n_voice()) + " voices; raise n_batch");
    }
    if (probe_ != nullptr && probe_->n_sequence() != n_voice()) {
        throw std::invalid_argument("the probe reads " + std::to_string(probe_->n_sequence()) +
                                    " sequences, expected " + std::to_string(n_voice()));
    }
    batch_.reset(new llama_batch(llama_batch_init(n_batch_, 0, 1)));
}

void Stage::yield_to_others(int n_threads, int n_threads_batch) {
    require_open();
    crew_.emplace(ctx_, n_threads, n_threads_batch);
}

void Stage::close() {
    crew_.reset();
    rest_all();
    for (auto& likely : likely_) likely.clear();
    ctx_ = nullptr;
}

void Stage::require_open() const {
    if (ctx_ == nullptr) throw std::runtime_error("the stage is closed");
}

Stage::Voice& Stage::at(int voice) {
    require_open();
    if (voice < 0 || voice >= n_voice()) {
        throw std::out_of_range("there is no voice " + std::to_string(voice) + " among " +
                                std::to_string(n_voice()));
    }
    return voices_[voice];
}

llama_pos Stage::n_cached(int voice) const {
    require_open();
    return llama_memory_seq_pos_max(llama_get_memory(ctx_), voice) + 1;
}

llama_pos Stage::keep(int voice, llama_pos n) {
    if (at(voice).is_speaking()) throw std::runtime_error("the voice speaks");
    llama_memory_t memory = llama_get_memory(ctx_);
    if (n >= n_cached(voice)) return n_cached(voice);
    if (!reaches(voice, n) || !llama_memory_seq_rm(memory, voice, n, -1)) {
        llama_memory_seq_rm(memory, voice, -1, -1);
    }
    if (probe_ != nullptr) probe_->forget(voice, n_cached(voice));
    forget_begins(voice, n_cached(voice));
    return n_cached(voice);
}

bool Stage::reaches(int voice, llama_pos n) const {
    const llama_pos window = llama_model_n_swa(llama_get_model(ctx_));
    const llama_pos oldest = window > 0 ? std::max(n - window + 1, 0) : 0;  // that is attended to
    return llama_memory_seq_pos_min(llama_get_memory(ctx_), voice) <= oldest;
}

void Stage::share(int from, int to, llama_pos begin, llama_pos end) {
    at(from);
    if (at(to).is_speaking()) throw std::runtime_error("the voice speaks");
    if (from == to || n_cached(to) != begin || begin > end || n_cached(from) < end) {
        throw std::invalid_argument(
            "a voice gets positions next to its own, from one that has them");
    }
    if (begin < end && llama_memory_seq_pos_min(llama_get_memory(ctx_), from) > begin) {
        throw std::invalid_argument("the voice has forgotten what another is to get from it");
    }
    if (begin < end) llama_memory_seq_cp(llama_get_memory(ctx_), from, to, begin, end);
    if (probe_ != nullptr) probe_->share(from, to, begin, end);
    const auto& begins = begins_[from];
    std::copy(std::lower_bound(begins.begin(), begins.end(), begin),
              std::lower_bound(begins.begin(), begins.end(), end), std::back_inserter(begins_[to]));
}

void Stage::require_rows(const std::vector<float>& rows, std::size_t n, const Mix& mix) const {
    const std::size_t n_emotion = mix.bank->n_emotion();
    mix.bank->require_fit(rows_.n_layer(), rows_.n_embd(), n_emotion);
    if (rows.size() != n * n_emotion) {
        throw std::invalid_argument(std::to_string(rows.size() / n_emotion) +
                                    " rows of weights for " + std::to_string(n) + " tokens");
    }
    if (!std::all_of(rows.begin(), rows.end(), [](float w) { return std::isfinite(w); })) {
        throw std::invalid_argument("weights must be finite");
    }
    if (!mix.caps.empty() && mix.caps.size() != n) {
        throw std::invalid_argument(std::to_string(mix.caps.size()) + " caps for " +
                                    std::to_string(n) + " tokens");
    }
}

bool Stage::takes(const std::string& grammar) const {
    return Drawer::takes(vocab_, grammar);
}

void Stage::begin(int voice, std::vector<llama_token> tokens, std::vector<float> rows, Mix mix,
                  const Sampling& sampling, const Limits& limits, Before before) {
    Voice& speaker = at(voice);
    if (speaker.is_speaking()) throw std::runtime_error("the voice speaks already");
    const llama_token n_vocab = llama_vocab_n_tokens(vocab_);
    const auto is_known = [n_vocab](llama_token token) { return token >= 0 && token < n_vocab; };
    if (tokens.empty() || !std::all_of(tokens.begin(), tokens.end(), is_known) ||
        !std::all_of(before.said.begin(), before.said.end(), is_known)) {
        throw std::invalid_argument("expected at least one token, and tokens of the model");
    }
    require_rows(rows, tokens.size(), mix);
    if (limits.max_tokens < 1 || std::isnan(limits.max_seconds)) {
        throw std::invalid_argument("expected at least one token to say, and a time to say it in");
    }
    TextStream text_stream(limits.stops);
    if (!sampling.grammar.empty() && tree_ == nullptr) tree_ = std::make_unique<TokenTree>(vocab_);
    Drawer drawer(vocab_, tree_.get(), sampling);
    for (const llama_token token : before.said) {
        try {
            drawer.accept(token);
        } catch (const std::runtime_error&) {
            throw std::invalid_argument("what was said does not fit the grammar");
        }
        text_stream.hear(piece_of(vocab_, token));
    }
    drawer.skip(before.skipped);
    speaker.drawer = std::move(drawer);
    speaker.text_stream = std::move(text_stream);
    speaker.n_left = limits.max_tokens;
    speaker.n_likely = sampling.n_likely;
    likely_[voice].clear();
    speaker.deadline = deadline_after(limits.max_seconds);
    const bool is_neutral = adds_nothing(rows);
    speaker.prompt = {std::move(tokens),      std::move(rows), std::move(mix), 0,
                      std::move(before.ends), is_neutral};
    speaker.drawn = LLAMA_TOKEN_NULL;
    speaker.coming = {};
}

void Stage::play(int voice, std::vector<float> rows, Mix mix) {
    Voice& speaker = at(voice);
    require_rows(rows, rows.size() / mix.bank->n_emotion(), mix);
    Queue& coming = speaker.coming;
    coming.is_neutral = adds_nothing(rows);
    coming.rows = std::move(rows);
    coming.mix = std::move(mix);
}

int Stage::n_generating() const {
    return static_cast<int>(std::count_if(voices_.begin(), voices_.end(), [](const Voice& voice) {
        return voice.is_ready() && !voice.is_prompting();
    }));
}

std::string Stage::rest(int voice) {
    Voice& speaker = at(voice);
    std::string held = speaker.text_stream.end();
    speaker = Voice{};
    return held;
}

void Stage::rest_all() {
    for (Voice& voice : voices_) voice = Voice{};
}

std::vector<Ready> Stage::ready() const {
    std::vector<Ready> found;
    found.reserve(voices_.size());
    for (int number = 0; number < n_voice(); ++number) {
        const Voice& voice = voices_[number];
        if (!voice.is_ready()) continue;
        const Queue& queue = voice.next();
        const std::size_t n_prompt = voice.is_prompting() ? queue.n_next() : 0;
        found.push_back({number, n_cached(number), n_prompt, voice.n_left,
                         queue.is_neutral ? nullptr : queue.mix.bank.get()});
    }
    return found;
}

// How many tokens of a prompt may be in the next batch.
std::size_t Stage::Queue::n_next() const {
    const auto end = std::upper_bound(ends.begin(), ends.end(), n_done);
    return (end == ends.end() ? tokens.size() : std::min(*end, tokens.size())) - n_done;
}

std::shared_ptr<const Bank> Stage::bank_of(const std::vector<Share>& shares) const {
    for (const Share& share : shares) {
        const Queue& queue = voices_[share.voice].next();
        if (!queue.is_neutral) return queue.mix.bank;
    }
    return nullptr;
}

void Stage::put(int voice, llama_token token, llama_pos position, bool is_output) {
    llama_batch& batch = *batch_;
    const int i = batch.n_tokens++;
    batch.token[i] = token;
    batch.pos[i] = position;
    batch.n_seq_id[i] = 1;
    batch.seq_id[i][0] = voice;
    batch.logits[i] = is_output;
    is_output_.push_back(is_output);
}

void Stage::fill(const std::vector<Share>& shares) {
    batch_->n_tokens = 0;
    weights_.clear();
    ranges_.clear();
    is_output_.clear();
    caps_.clear();
    const std::shared_ptr<const Bank> bank = bank_of(shares);
    const std::size_t n_emotion = bank == nullptr ? 0 : bank->n_emotion();
    const bool has_caps = std::any_of(shares.begin(), shares.end(), [this](const Share& share) {
        return !voices_[share.voice].next().mix.caps.empty();
    });
    for (const Share& share : shares) {
        const Voice& voice = voices_[share.voice];
        const Queue& queue = voice.next();
        for (std::size_t i = 0; i < share.n; ++i) {
            const std::size_t at = queue.n_done + i;
            const bool is_prompt = voice.is_prompting();
            const llama_token token = is_prompt ? queue.tokens[at] : voice.drawn;
            const bool is_output = !is_prompt || at + 1 == queue.tokens.size();
            put(share.voice, token, share.position + static_cast<llama_pos>(i), is_output);
            ranges_.push_back(queue.mix.range);
            if (has_caps) {
                const bool is_first = share.position + static_cast<llama_pos>(i) == 0;
                caps_.push_back(is_first ? nullptr : queue.caps(at));
            }
            if (queue.is_neutral) {  // its weights may be of another number, all zero
                weights_.insert(weights_.end(), n_emotion, 0.0f);
            } else {
                const float* row = queue.rows.data() + at * n_emotion;
                weights_.insert(weights_.end(), row, row + n_emotion);
            }
        }
    }
    if (adds_nothing(weights_)) {
        rows_.rest();
    } else {
        rows_.expect(bank, weights_, ranges_, is_output_);
    }
    if (has_caps) {
        limiter_.expect(caps_);
    } else {
        limiter_.rest();
    }
    if (probe_ != nullptr) {
        std::vector<Probe::Run> runs;
        for (const auto& [voice, n, position] : shares) {
            runs.push_back({voice, position, static_cast<int>(n)});
        }
        probe_->expect(std::move(runs));
    }
}

int Stage::compute(const std::vector<Share>& shares) {
    if (!crew_.has_value()) return llama_decode(ctx_, *batch_);
    const bool is_prompt = std::any_of(shares.begin(), shares.end(), [this](const Share& share) {
        return voices_[share.voice].is_prompting();
    });
    crew_->begin(batch_->n_tokens, is_prompt);
    const int code = llama_decode(ctx_, *batch_);
    crew_->end();
    return code;
}

void Stage::decode(const std::vector<Share>& shares) {
    try {
        fill(shares);
        const int code = compute(shares);
        if (code == 1) throw std::runtime_error("the context has no room left for this batch");
        if (code != 0) {
            throw std::runtime_error("llama.cpp could not decode a batch (" + std::to_string(code) +
                                     ")");
        }
        for (const Share& share : shares) begins_[share.voice].push_back(share.position);
        rows_.check();
        limiter_.check();
    } catch (...) {
        llama_memory_t memory = llama_get_memory(ctx_);
        for (const Share& share : shares) {
            llama_memory_seq_rm(memory, share.voice, share.position, -1);
            forget_begins(share.voice, share.position);
            if (probe_ != nullptr) probe_->forget(share.voice, share.position);
        }
        throw;
    }
    n_token_ += batch_->n_tokens;
}

std::vector<Drawn> Stage::step(const Room& room) {
    require_open();
    const std::vector<Share> chosen =
        scheduler_.next(ready(), {std::min(room.n_token, n_batch_), room.n_prompt});
    const bool is_drawing = std::any_of(voices_.begin(), voices_.end(),
                                        [](const Voice& voice) { return voice.is_drawing(); });
    if (chosen.empty() && !is_drawing) return {};
    ++n_step_;
    std::vector<Drawn> said;
    try {
        if (!chosen.empty()) {
            const auto began = Clock::now();
            decode(chosen);
            decoded_in_ = Clock::now() - began;
        }
        said = draw(chosen);
    } catch (...) {
        rest_all();
        throw;
    }
    return said;
}

}  // namespace llamood

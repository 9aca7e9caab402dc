// Many voices in one llama.cpp context: a batch a step, in which prompts are decoded beside tokens
// that are being generated, each token under weights of its own.
//
// Beside what row_injector.hpp says of llama.cpp, relied on here (llama.cpp 0c1e570):
// - A voice is a sequence of the context; its positions run from 0 without gaps, so what it has
//   cached is llama_memory_seq_pos_max + 1.
// - In a unified memory llama_memory_seq_cp makes two sequences share cells: nothing is copied, and
//   what one of them removes stays for the other.
// - A memory that slides (a window of attention, with swa_full off) forgets what lies behind
//   the window of the last position, and has all from llama_memory_seq_pos_min on. To go on after
//   fewer positions than it has takes what lay in the window then; see keep().
// - llama_state_seq_set_data checks what it reads: the layers, the types and the widths of keys and
//   values, and sizes; it returns 0 for what does not fit. Keys and values of other weights of the
//   same shape it takes.
// - Tokens of a decode that failed are not promised to be gone: they are removed here.
#pragma once

#include <llama-cpp.h>

#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "graph/probe.hpp"
#include "graph/row_injector.hpp"
#include "graph/row_limiter.hpp"
#include "vectors/bank.hpp"
#include "voices/batch_scheduler.hpp"
#include "voices/crew.hpp"
#include "voices/drawer.hpp"
#include "voices/likelihood.hpp"
#include "voices/text_stream.hpp"

namespace llamood {

// When an answer ends, unless a token ends it. stops: texts, not part of it, none of them empty.
// The time counts from begin() and is looked at after each token.
struct Limits {
    std::vector<std::string> stops;
    int max_tokens = std::numeric_limits<int>::max();  // 1 or more
    double max_seconds = std::numeric_limits<double>::infinity();
};

// What went before that of which an answer knows. said: the tokens that it has already: penalties,
// the grammar and stop texts count them. skipped: how many tokens count as drawn, by chance, as
// well. ends: after how many of the tokens to decode a batch has to end, rising.
struct Before {
    std::vector<llama_token> said;
    int skipped = 0;
    std::vector<std::size_t> ends;
};

// What weights are weights of, and in which layers they count. Voices whose tokens are decoded in
// one batch have the same bank. caps: within what each token is kept; none where no token is.
struct Mix {
    std::shared_ptr<const Bank> bank;
    LayerRange range;
    std::vector<CapsPtr> caps = {};
};

// Why an answer is over: a token that ends it, or a stop text; a limit; or whoever asked for it
// wants no more, which a stage is not told but by rest(); or that its grammar left no token to
// draw. Of an answer that never began, that it could not be given (see Runner).
enum class End { none, stop, length, time, interrupted, failed, refused };

// A token that a voice said. piece: its bytes; text: what it adds to the answer, in whole
// characters (see TextStream). Where the answer is over, the voice rests.
struct Drawn {
    int voice;
    llama_token token;
    std::string piece;
    std::string text;
    End end;
};

class Stage {
  public:
    // ctx must stay open until close(); rows must be an injector of it, and limiter one of it that
    // was made after that. probe: null, or one of ctx that reads all its sequences; it is told of
    // each batch, and what it has read is shared and forgotten as what is cached. Throws
    // std::invalid_argument for a probe of fewer sequences, and where llama.cpp would not keep the
    // rows of a batch in order: a memory that is recurrent, or not shared by all sequences.
    Stage(llama_context* ctx, RowInjector& rows, RowLimiter& limiter, Probe* probe = nullptr);
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;

    // Everything below throws std::out_of_range for a voice that is not in 0..n_voice() - 1, and
    // std::runtime_error once closed.
    int n_voice() const { return static_cast<int>(voices_.size()); }
    // How many tokens a step can take.
    int n_batch() const { return n_batch_; }
    // From now on let steps be computed by fewer threads than these while that is faster, because
    // others want the processors too. Both 1 or more.
    void yield_to_others(int n_threads, int n_threads_batch);
    // How many positions the voice has decoded.
    llama_pos n_cached(int voice) const;

    // Forget all that a voice has decoded from position n on; returns how many remain, which are
    // fewer where llama.cpp can only remove everything, or has forgotten what the next position
    // attends to. The voice must rest.
    llama_pos keep(int voice, llama_pos n);
    // Voice `to`, which has decoded exactly the first `begin` positions, gets those up to `end`
    // from a voice that has decoded them, and has not forgotten them since.
    void share(int from, int to, llama_pos begin, llama_pos end);

    // What a voice has decoded, as llama.cpp writes it. Of which model and kind of memory that is,
    // origin() says: it is of no use to any other.
    std::string decoded(int voice) const;
    std::string origin() const;
    // At which positions, rising, those that it has decoded began a batch. To decode the same in
    // the same batches gives the same numbers to the last bit: llama.cpp adds up in another order
    // for one token than for several.
    const std::vector<llama_pos>& begins(int voice) const;
    // The voice, which must rest and have decoded nothing, has decoded these n positions; whether
    // llama.cpp took them.
    bool restore(int voice, const std::string& decoded, llama_pos n, std::vector<llama_pos> begins);

    // Whether llama.cpp takes this grammar; none is taken.
    bool takes(const std::string& grammar) const;
    // Say something: decode `tokens` after what is cached, token i under row i of `rows`
    // (n_token, n_emotion), then draw the first token of the answer, or the next. The voice must
    // rest.
    // Throws std::invalid_argument for weights of another number, tokens that the model lacks,
    // limits that mean nothing, or a grammar that llama.cpp does not take.
    void begin(int voice, std::vector<llama_token> tokens, std::vector<float> rows, Mix mix,
               const Sampling& sampling, const Limits& limits, Before before = {});
    // Of a voice that speaks: by what chance its tokens are drawn, and how many were.
    std::uint32_t seed(int voice) { return at(voice).drawer.value().seed(); }
    int n_drawn(int voice) { return at(voice).drawer.value().n_drawn(); }
    // The rows (n, n_emotion) under which the coming tokens of the answer are decoded, in place of
    // those that were given before. A voice that has none left waits.
    void play(int voice, std::vector<float> rows, Mix mix);
    // Whether the last token of the voice is decoded, and the next is not drawn yet.
    bool is_drawing(int voice) { return at(voice).is_drawing(); }
    // How many voices have drawn a token, and were given the row under which it is decoded.
    int n_generating() const;

    // Decode and draw no more. Returns the end of what was said, where it was held back.
    std::string rest(int voice);

    // One batch of at most so many tokens, and n_batch(); BatchScheduler says whose. Nothing is
    // decoded where all wait for what is being drawn. While others speak, a piece of drawing by
    // grammars is done for each voice that waits for it, and more for half as long as the batch
    // took: what is not drawn then is in a later step.
    // Returns what was drawn; nothing to do is no error. Throws std::runtime_error where the decode
    // failed or was not steered as asked: nothing of it remains then, and all voices rest.
    std::vector<Drawn> step(const Room& room = {});

    // Of the token that the voice drew last: it, and then the n_likely likeliest, likeliest first.
    // Empty unless they were asked for.
    const std::vector<Likely>& likely(int voice) const;

    // Forget the context.
    void close();

    // Since the beginning: how many steps had something to do, and how many tokens were decoded.
    std::int64_t n_step() const { return n_step_; }
    const llama_vocab* vocab() const { return vocab_; }
    std::int64_t n_token() const { return n_token_; }

  private:
    using Clock = std::chrono::steady_clock;

    // Tokens that wait to be decoded, with the row of each.
    struct Queue {
        std::vector<llama_token> tokens;
        std::vector<float> rows;
        Mix mix;
        std::size_t n_done = 0;
        std::vector<std::size_t> ends = {};  // after how many tokens a batch has to end, rising
        bool is_neutral = true;              // no row adds anything, so any bank will do

        std::size_t n_next() const;
        CapsPtr caps(std::size_t at) const { return at < mix.caps.size() ? mix.caps[at] : nullptr; }
    };
    struct Voice {
        Queue prompt;
        std::optional<Drawer> drawer;  // none at rest
        llama_token drawn = LLAMA_TOKEN_NULL;
        std::vector<float> logits;  // (n_vocab) that a grammar draws from, where n_likely >= 0
        Queue coming;               // rows for tokens to come; `tokens` is not used
        TextStream text_stream;
        int n_left = 0;  // tokens that it may still draw
        int n_likely = -1;
        Clock::time_point deadline;

        bool is_speaking() const { return drawer.has_value(); }
        bool is_drawing() const { return is_speaking() && drawer->is_drawing(); }
        bool is_prompting() const { return prompt.n_done < prompt.tokens.size(); }
        bool is_ready() const;
        const Queue& next() const { return is_prompting() ? prompt : coming; }
    };
    struct BatchDeleter {
        void operator()(llama_batch* batch) const;
    };

    void require_open() const;
    Voice& at(int voice);
    // Whether what the position after the first n attends to is still there.
    bool reaches(int voice, llama_pos n) const;
    void require_rows(const std::vector<float>& rows, std::size_t n, const Mix& mix) const;
    void forget_begins(int voice, llama_pos n);
    // Those that could get on in a batch.
    std::vector<Ready> ready() const;
    // The bank of the voices in these shares, null where none of them adds anything.
    std::shared_ptr<const Bank> bank_of(const std::vector<Share>& shares) const;
    void fill(const std::vector<Share>& shares);
    void put(int voice, llama_token token, llama_pos position, bool is_output);
    void decode(const std::vector<Share>& shares);
    int compute(const std::vector<Share>& shares);
    // What is drawn in this step: for those whose logits the batch has, unless a grammar takes
    // longer, and for those that were waited for.
    std::vector<Drawn> draw(const std::vector<Share>& shares);
    // A piece of work for each who waits, then more for half as long as the batch took to decode;
    // all of it where nobody else speaks.
    void draw_by_grammars(std::vector<Drawn>& said);
    // The voice for which a piece of drawing is done next, -1 for none.
    int next_to_draw();
    // What a voice has drawn from these logits, which may end its answer.
    Drawn heard(int number, const float* logits);
    // What the token that a voice has drawn adds to its answer.
    Drawn told(int number);
    void rest_all();

    llama_context* ctx_;
    const llama_vocab* vocab_;
    RowInjector& rows_;
    RowLimiter& limiter_;
    Probe* probe_;
    int n_batch_;
    BatchScheduler scheduler_;
    std::optional<Crew> crew_;
    std::unique_ptr<const TokenTree> tree_;  // null as long as nobody draws by a grammar
    std::vector<Voice> voices_;
    std::vector<std::vector<Likely>> likely_;     // (n_voice)
    std::vector<std::vector<llama_pos>> begins_;  // (n_voice)
    int drawing_turn_ = 0;                        // the voice that draws first
    Clock::duration decoded_in_{};                // how long the last batch took
    std::unique_ptr<llama_batch, BatchDeleter> batch_;
    std::vector<float> weights_;      // (n_token of the batch, n_emotion)
    std::vector<LayerRange> ranges_;  // (n_token of the batch)
    std::vector<bool> is_output_;     // (n_token of the batch)
    std::vector<CapsPtr> caps_;       // (n_token of the batch)
    std::int64_t n_step_ = 0;
    std::int64_t n_token_ = 0;
};

}  // namespace llamood

/* llamood: emotion vectors for llama.cpp, for programs in C and C++. MIT licence.
 *
 * Conventions
 *
 * - Text is UTF-8 and ends with a zero byte. Numbers are written with a point, whatever the locale.
 * - What can fail takes, last, a buffer for an error: `char *error, size_t error_size`. On failure
 *   it is given one sentence that says what was found, what was expected and what to do, cut to fit
 *   and always ended; on success it is given "". Both may be left out as NULL, 0.
 *   LLAMOOD_ERROR_SIZE bytes hold every message but the longest.
 * - A function that returns a pointer returns NULL on failure. A function that returns an int
 *   returns 0 on success and -1 on failure, unless its comment says otherwise. What fails changes
 *   nothing.
 * - A handle is owned by who got it, and is given back to the function named *_free, which takes
 *   NULL too. No text or array that is passed in is kept: it is copied where it is needed.
 * - Nothing is global but what llama.cpp keeps. Functions may be called from any thread; only one
 *   thread at a time may use a handle that a function takes without `const`.
 * - No C++ exception leaves the library.
 */
#ifndef LLAMOOD_H
#define LLAMOOD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#ifdef LLAMOOD_BUILDING
#define LLAMOOD_API __declspec(dllexport)
#else
#define LLAMOOD_API __declspec(dllimport)
#endif
#else
#define LLAMOOD_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define LLAMOOD_ERROR_SIZE 512

/* -- Version ---------------------------------------------------------------------------------- */

/* Of this header. */
#define LLAMOOD_VERSION_MAJOR 0
#define LLAMOOD_VERSION_MINOR 1
#define LLAMOOD_VERSION_PATCH 0
#define LLAMOOD_VERSION "0.1.0"

/* Of the library that is running, as in LLAMOOD_VERSION. Lives as long as the program. */
LLAMOOD_API const char* llamood_version(void);

/* Whether this library can serve a program that was compiled with the header of version
 * `major`.`minor`: 0 where it can, else -1 and an error. Before 1.0 the two must be the same; from
 * then on the library may have a larger `minor`. Use LLAMOOD_CHECK_VERSION, at the beginning. */
LLAMOOD_API int llamood_check_version(int major, int minor, char* error, size_t error_size);

#define LLAMOOD_CHECK_VERSION(error, error_size) \
    llamood_check_version(LLAMOOD_VERSION_MAJOR, LLAMOOD_VERSION_MINOR, error, error_size)

/* -- Moods ------------------------------------------------------------------------------------- */

/* What somebody is asked to feel: an intensity for each emotion, which may change from token to
 * token. An intensity is a multiple of the emotion's vector as it is stored: 1 is the vector,
 * negative pushes away, and nothing may be larger than 1000 in size. `base` stands for the mean of
 * all vectors. A mood never changes and knows no model, so one serves many voices and threads. */
typedef struct llamood_mood llamood_mood;

/* A mood from its JSON text, 64 KiB or less, as in
 *
 *   {"joy": 0.8}                                                  the same at every token
 *   {"joy": {"ramp": [0, 1.2], "over": 64, "ease": "smooth"}}     from, to, tokens
 *   {"joy": {"decay": 1.5, "half_life": 40}}
 *   {"joy": {"pulse": 1.5, "attack": 4, "hold": 8, "release": 30}}
 *   {"joy": {"wave": [0.2, 1.0], "period": 50}}
 *   {"joy": {"keys": [[0, 0], [20, 1.2], [60, 0.3]], "ease": "linear"}}
 *   {"joy": {"drift": 0.6, "spread": 0.2, "return": 30, "seed": 7}}
 *   {"anger": {"on": "betray", "pulse": 1.5, "release": 40}}      when a text is generated
 *   {"joy": {"when": {"sadness": "> 1.5"}, "of": "user", "then": 0.8}}     when a reading says so
 *   {"joy": 0.5, "fear": 0.5, "$blend": "shared-once", "$layers": [8, 20], "$inertia": 30}
 *
 * with `sum`, `product`, `then`, `clamp`, `delay`, `repeat` and `max` to compose them, and the
 * settings `$blend`, `$positions`, `$layers`, `$dose`, `$inertia` and `$max`, as in the Python
 * package. {"joy": {"hold": 1.5}} finds at each token the intensity that keeps the reading of joy
 * at 1.5, of voices that are read (llamood_model_params). `when` takes such voices, too: it goes by
 * what is read of the answer so far, or `"of": "user"` of what was said to the voice, which counts
 * from the second token on; `then` begins when all limits are met and ends (unless `"lasts":
 * "always"`) when one is missed by `hysteresis`, 0.5 unless said; `else` is felt meanwhile.
 * {"anger": {"cap": 1.0}}, of such voices too, bounds hidden states, not words, whatever the prompt
 * says: one that goes along the vector of anger by more than 1.0 standard deviations beyond neutral
 * text is moved back to there. `floor` is the least; both stand beside the keys of a schedule or
 * alone.
 * {"valence": 0.7, "arousal": -0.3}, and
 * `dominance`, each -1 to 1 and as changeable as an intensity, ask for the mix of emotions that
 * comes nearest to a point of affect; an emotion whose place in affect neither its file nor
 * llamood's table knows is left out of it. An error names the place: "mood at 'joy.ramp[1]': a
 * number was expected, found '1'". */
LLAMOOD_API llamood_mood* llamood_mood_parse(const char* json, char* error, size_t error_size);

/* The same of a file, which may also be a personality: {"about": "...", "system": "...", "mood":
 * {"joy": 0.9}}. Those that the Python package ships are in its folder data/personalities. */
LLAMOOD_API llamood_mood* llamood_mood_load(const char* path, char* error, size_t error_size);

/* What a personality tells the model to be, for llamood_join; lives as long as the mood. NULL where
 * there is nothing. */
LLAMOOD_API const char* llamood_mood_system(const llamood_mood* mood);

/* The same weights at every token: names and intensities of `n` emotions; 0 of them are neutral. */
LLAMOOD_API llamood_mood* llamood_mood_of(const char* const* names, const float* intensities,
                                          size_t n, char* error, size_t error_size);

/* The weights asked at tokens 0 to n_token - 1, as if no text were heard and nothing limited: `out`
 * is given n_token rows of n_name weights, in the order of `names`, which are the emotions at hand.
 * Token 0 is the last one of the prompt, which predicts the first generated one. Points of affect
 * are found by llamood's table of where emotions lie, as there are no vectors here. Fails for an
 * emotion that is not at hand, for a mood that holds a reading, and for more than 1000000 tokens.
 */
LLAMOOD_API int llamood_mood_rows(const llamood_mood* mood, const char* const* names, size_t n_name,
                                  size_t n_token, float* out, char* error, size_t error_size);

LLAMOOD_API void llamood_mood_free(llamood_mood* mood);

/* -- Log -------------------------------------------------------------------------------------- */

typedef enum llamood_log_level {
    LLAMOOD_LOG_DEBUG = 1,
    LLAMOOD_LOG_INFO = 2,
    LLAMOOD_LOG_WARN = 3,
    LLAMOOD_LOG_ERROR = 4
} llamood_log_level;

/* `text`: part of what llama.cpp says while it loads and runs; a line may come in several calls,
 * from any thread. */
typedef void (*llamood_log_callback)(llamood_log_level level, const char* text, void* user);

/* Let llama.cpp's messages of `least` and above go there, instead of to standard error; NULL for
 * nowhere. This is llama.cpp's own, and so for the whole process. */
LLAMOOD_API void llamood_set_log(llamood_log_callback callback, llamood_log_level least,
                                 void* user);

/* -- Models ----------------------------------------------------------------------------------- */

/* A model file with the emotion vectors to feel with. It never changes: several stages, in several
 * threads, may be opened of it, and it may be freed before they are. */
typedef struct llamood_model llamood_model;

typedef struct llamood_model_params {
    const char* site; /* "layer_out" or "attn_out", where vectors are added; NULL: as measured */
    int n_gpu_layers; /* how many layers lie on the device; -1 for all */
    bool use_mmap;
    bool readings; /* load the baseline that lies beside the vectors, so that voices are read */
} llamood_model_params;

/* As measured, all layers on the device where there is one, memory-mapped, without readings. */
LLAMOOD_API llamood_model_params llamood_model_default_params(void);

/* `path`: a GGUF model. `vectors`: a folder of control-vector files, or one of them, as `llamood
 * extract` writes them. `params`: NULL for the defaults. Fails for what is no such file, for
 * vectors of another model, for a site that has no place in the architecture or model, and where
 * `readings` are asked for of a baseline that tells emotions apart too badly to be trusted. */
LLAMOOD_API llamood_model* llamood_model_load(const char* path, const char* vectors,
                                              const llamood_model_params* params, char* error,
                                              size_t error_size);

/* How many emotions are at hand. */
LLAMOOD_API int llamood_model_n_emotion(const llamood_model* model);

/* The name of the i-th of them, in the order of every array of weights; NULL beyond them. It lives
 * as long as the model. */
LLAMOOD_API const char* llamood_model_emotion(const llamood_model* model, int i);

/* The largest intensity at which the i-th is known to read fluently, and at which it is held unless
 * a mood says `max`. Of vectors that were never calibrated (`llamood calibrate`), the one that adds
 * a fifth of the hidden state's size in all layers together, which a `$max` lifts too; infinite
 * where that is not known either. */
LLAMOOD_API double llamood_model_ceiling(const llamood_model* model, int i);

LLAMOOD_API void llamood_model_free(llamood_model* model);

/* -- Stages ----------------------------------------------------------------------------------- */

/* One context in which many voices speak, a batch a step, when it is told to step or in a thread of
 * its own (llamood_stage_start). Only one thread at a time may use it, beside that one. */
typedef struct llamood_stage llamood_stage;

/* Where a conversation is longer than what a voice can remember: */
typedef enum llamood_overflow {
    LLAMOOD_REFUSE = 0, /* say fails, and nothing is lost */
    LLAMOOD_DROP = 1    /* its oldest turns are forgotten, and the next event tells how many */
} llamood_overflow;

/* What becomes of an answer that collapses under its mood, into a loop say. With a guard no token
 * is told before it is known to be sound. */
typedef enum llamood_guard {
    LLAMOOD_GUARD_NONE = 0,
    LLAMOOD_GUARD_RESCUE = 1, /* it goes back to before, and on at half the dose, a quarter, none */
    LLAMOOD_GUARD_STOP = 2    /* it goes back to before, and ends there */
} llamood_guard;

typedef struct llamood_stage_params {
    int n_voice;         /* how many can be there at once, 1 to 256 */
    int n_ctx;           /* how many tokens each of them can remember */
    int n_batch;         /* the most tokens of a step, more than n_voice */
    int n_threads;       /* 0: a thread for each core, and fewer while others want them too, if that
                            is faster (where llama.cpp takes flash attention, a rounding may
                            then differ from run to run: give a number for the same answers
                            always); below 0: for all cores but so many */
    int n_threads_batch; /* for steps that decode prompts; 0 as n_threads */
    llamood_overflow overflow;
    const char* chat_template; /* a name or text that llama.cpp knows; NULL: the model's own */
    llamood_guard guard;
} llamood_stage_params;

/* 8 voices of 2048 tokens, batches of 512, LLAMOOD_REFUSE, LLAMOOD_GUARD_RESCUE. */
LLAMOOD_API llamood_stage_params llamood_stage_default_params(void);

/* `params`: NULL for the defaults. Fails for models with a recurrent memory, for a chat template
 * that llama.cpp does not know, and for want of memory. */
LLAMOOD_API llamood_stage* llamood_stage_open(const llamood_model* model,
                                              const llamood_stage_params* params, char* error,
                                              size_t error_size);

LLAMOOD_API void llamood_stage_free(llamood_stage* stage);

/* -- Voices ----------------------------------------------------------------------------------- */

/* How a voice draws its tokens, and when its answers end. */
typedef struct llamood_sampling {
    float temperature; /* 0 takes the likeliest token, below 0 draws from the logits as they are */
    int top_k;
    float top_p;
    float min_p;
    float typical_p;
    float repeat_penalty;
    float frequency_penalty;
    float presence_penalty;
    int last_n_tokens;   /* of the answer, that the penalties count */
    uint32_t seed;       /* for every answer anew; LLAMOOD_ANY_SEED for another one each time */
    const char* grammar; /* GBNF text whose root is "root"; NULL for none */
    const char* const* stops; /* texts at which an answer ends, not part of it */
    size_t n_stop;
    int max_tokens;     /* of an answer; 0 for as many as the voice can remember */
    double max_seconds; /* of an answer; 0 for no limit */
    int n_likely; /* of how many tokens, the likeliest, events tell the probability beside that of
                     their own; -1 for not even that */
} llamood_sampling;

#define LLAMOOD_ANY_SEED 0xFFFFFFFFu

/* Those of the Python package and llama-cpp-python: temperature 0.2, top_k 40, top_p 0.95,
 * min_p 0.05, no penalties, any seed, no limits, no probabilities. */
LLAMOOD_API llamood_sampling llamood_default_sampling(void);

/* A new voice; returns its number, 0 to n_voice - 1, or -1. `system`: told at the beginning of its
 * conversation; NULL for nothing. What voices have in common at the beginning is decoded once.
 * `mood`: NULL for neutral. `sampling`: NULL for the defaults. */
LLAMOOD_API int llamood_join(llamood_stage* stage, const char* system, const llamood_mood* mood,
                             const llamood_sampling* sampling, char* error, size_t error_size);

/* Say something to a voice, which answers from the next step on. Fails while it speaks, and where
 * it has no room for this. */
LLAMOOD_API int llamood_say(llamood_stage* stage, int voice, const char* text, char* error,
                            size_t error_size);

/* The same for this answer drawn otherwise than was said when the voice joined; `sampling`: NULL
 * for the defaults. */
LLAMOOD_API int llamood_say_so(llamood_stage* stage, int voice, const char* text,
                               const llamood_sampling* sampling, char* error, size_t error_size);

/* Let a voice feel this from its next token on, also while it speaks; NULL is neutral. */
LLAMOOD_API int llamood_feel(llamood_stage* stage, int voice, const llamood_mood* mood, char* error,
                             size_t error_size);

/* The same with weights: `weights` (n) are intensities in the order of the model's emotions, and n
 * is llamood_model_n_emotion. Cheap enough for every frame. */
LLAMOOD_API int llamood_feel_weights(llamood_stage* stage, int voice, const float* weights,
                                     size_t n, char* error, size_t error_size);

/* Let a voice that speaks say what comes without its mood, as a quotation say, or with it again;
 * time goes on in the mood meanwhile. The next answer begins in its mood. */
LLAMOOD_API int llamood_pause(llamood_stage* stage, int voice, bool paused, char* error,
                              size_t error_size);

/* The faces that a voice can show (`face` of llamood_event), from its next token on: `labels` (n),
 * and of each the emotion that it shows, or NULL for the neutral face, which is "neutral" unless it
 * is named. Without this there is one for each emotion that is read, of its name. */
LLAMOOD_API int llamood_set_faces(llamood_stage* stage, int voice, const char* const* labels,
                                  const char* const* emotions, size_t n, char* error,
                                  size_t error_size);

/* Let a voice say no more; the last event of its answer says LLAMOOD_END_INTERRUPTED. What it said
 * stays in its memory; an answer of which nothing was said is taken back with its question. */
LLAMOOD_API int llamood_interrupt(llamood_stage* stage, int voice, char* error, size_t error_size);

/* Interrupt a voice and forget it, with those of its events that were not polled; another may join
 * in its place. */
LLAMOOD_API int llamood_leave(llamood_stage* stage, int voice, char* error, size_t error_size);

/* Write to a file all that it takes for a voice to go on from here: its conversation, the answer
 * that it is giving, what it feels and has felt, how it draws its tokens. `with_cache`: also the
 * keys and values of what it has decoded, so that nothing is decoded again; the file is then as
 * large as that, and only the same model file has use for it. The file is written whole or not at
 * all. What the voice said and was not polled is not said again. */
LLAMOOD_API int llamood_voice_save(llamood_stage* stage, int voice, const char* path,
                                   bool with_cache, char* error, size_t error_size);

/* A new voice, which is the one that was saved there, in this program or another, and goes on token
 * by token as that one would; returns its number, or -1. Where it was giving an answer, that comes
 * with the next steps. Fails for what is no saved voice, or not whole, or of a later version or
 * another model, and where there is no room for another voice. */
LLAMOOD_API int llamood_voice_load(llamood_stage* stage, const char* path, char* error,
                                   size_t error_size);

/* -- Steps and events ------------------------------------------------------------------------- */

/* Decode one batch of at most `n_token` tokens (0: as many as a batch holds): one of each voice
 * that speaks, then as much of prompts as there is room for. Where more voices speak than that, one
 * has its turn, and then come those that may say the fewest more. Returns 1 while somebody speaks,
 * 0 where nobody does, -1 on failure: all answers that were being given are taken back then, and
 * end with LLAMOOD_END_FAILED. */
LLAMOOD_API int llamood_step(llamood_stage* stage, int n_token, char* error, size_t error_size);

/* Steps as long as they are expected to fit into `milliseconds`, going by those before them, but
 * one at least, with a token of each voice that speaks. Returns as llamood_step. */
LLAMOOD_API int llamood_step_for(llamood_stage* stage, double milliseconds, char* error,
                                 size_t error_size);

/* From now on step in a thread of the stage's own while anybody speaks; llamood_step and
 * llamood_step_for fail then. llamood_say, _feel, _feel_weights, _interrupt and _poll never wait
 * for a decode: what they ask happens between two steps, in their order. What llamood_say would
 * refuse for want of room comes as an event, LLAMOOD_END_REFUSED. llamood_join, _leave,
 * llamood_voice_save and _load wait for the step that runs. Where a step fails, all answers that
 * were being given end with LLAMOOD_END_FAILED, and llamood_poll then fails once. */
LLAMOOD_API int llamood_stage_start(llamood_stage* stage, char* error, size_t error_size);

/* End that thread, after the step that runs. Nothing is lost: what was asked is done, what was said
 * or failed can be polled, and who speaks goes on when the stage is stepped, or started again.
 * Fails for a stage that was not started. llamood_stage_free does it too. */
LLAMOOD_API int llamood_stage_stop(llamood_stage* stage, char* error, size_t error_size);

/* Why an answer is over. */
typedef enum llamood_end {
    LLAMOOD_END_NONE = 0, /* it is not */
    LLAMOOD_END_STOP = 1, /* by itself, or at a stop text */
    LLAMOOD_END_LENGTH = 2,
    LLAMOOD_END_TIME = 3,
    LLAMOOD_END_INTERRUPTED = 4,
    LLAMOOD_END_FAILED = 5, /* its grammar left no token to draw, or a step failed; the turn is
                               taken back */
    LLAMOOD_END_REFUSED =
        6 /* it cannot be given: `text` says why; of a stage that runs by itself */
} llamood_end;

/* An answer collapsed at `token`, counted from 1, and went back to the first `kept` tokens. */
typedef struct llamood_rescue {
    int token;
    int kept;
    const char* kind; /* "flood", "loop", "words", "bytes", "broken" or "salad" */
    const char* text; /* what it did, for a person */
} llamood_rescue;

/* A token, and the natural logarithm of its probability in the mood. */
typedef struct llamood_likely {
    int32_t token;
    float logprob;
} llamood_likely;

/* A token that a voice said, or the end of what it says. What it points to lives until the next
 * call that takes the stage. */
typedef struct llamood_event {
    int voice;
    int32_t token;    /* -1 where the end is no token */
    const char* text; /* whole characters, "" where they are not whole yet */
    int n_emotion;
    const float* mood;    /* (n_emotion), the weights under which it was chosen */
    const float* reading; /* (n_emotion), what had been expressed, as z-scores: 0 is as in neutral
                             text; NULL where nothing was read */
    llamood_end end;
    int forgotten; /* in the first event of an answer, how many turns were dropped to make room */
    const char* notice; /* of what the mood asks what is not given, an intensity beyond its ceiling
                           say, in a line each; NULL where there is nothing or it was told before */
    const float* asked; /* (n_emotion), what the mood asked for then, before limits and inertia */
    const float*
        score; /* (n_emotion), what the token before it expressed by itself, as `reading` */
    const llamood_likely* likely; /* (n_likely), of its own token, and then of the likeliest */
    size_t n_likely;
    const char* guard;  /* what became of the answer where it collapsed before this token, for a
                           person; NULL where it did not, and then nothing of what follows is set */
    float guard_factor; /* what is left of the mood */
    bool guard_stopped; /* whether the answer was ended */
    const llamood_rescue* rescues; /* (n_rescue) */
    size_t n_rescue;
    const char* face;   /* what to show, see llamood_set_faces: of the emotion that is read at 1 or
                           more, the highest; it stays until that falls below 0.5 or another exceeds
                           it by 0.5, for four tokens. NULL where the voice is not read */
    float face_reading; /* of the emotion shown; NAN for the neutral face */
    float valence;      /* -1 to 1, where `reading` lies between emotions */
    float arousal;
} llamood_event;

/* The next event; returns 1, or 0 where there is none, or -1. */
LLAMOOD_API int llamood_poll(llamood_stage* stage, llamood_event* event, char* error,
                             size_t error_size);

#ifdef __cplusplus
}
#endif

#endif

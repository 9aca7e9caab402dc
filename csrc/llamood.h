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

#include <stddef.h>

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
 *   {"joy": 0.5, "fear": 0.5, "$blend": "shared-once", "$layers": [8, 20], "$inertia": 30}
 *
 * with `sum`, `product`, `then`, `clamp`, `delay`, `repeat` and `max` to compose them, and the
 * settings `$blend`, `$positions`, `$layers`, `$inertia` and `$max`, as in the Python package. What
 * needs a voice that reads (`hold`), affect (`valence`, `arousal`, `dominance`) and the dose
 * `relative` are refused. An error names the place: "mood at 'joy.ramp[1]': a number was expected,
 * found '1'". */
LLAMOOD_API llamood_mood* llamood_mood_parse(const char* json, char* error, size_t error_size);

/* The same weights at every token: names and intensities of `n` emotions; 0 of them are neutral. */
LLAMOOD_API llamood_mood* llamood_mood_of(const char* const* names, const float* intensities,
                                          size_t n, char* error, size_t error_size);

/* The weights asked at tokens 0 to n_token - 1, as if no text were heard and nothing limited: `out`
 * is given n_token rows of n_name weights, in the order of `names`, which are the emotions at hand.
 * Token 0 is the last one of the prompt, which predicts the first generated one. Fails for an
 * emotion that is not at hand, and for more than 1000000 tokens. */
LLAMOOD_API int llamood_mood_rows(const llamood_mood* mood, const char* const* names, size_t n_name,
                                  size_t n_token, float* out, char* error, size_t error_size);

LLAMOOD_API void llamood_mood_free(llamood_mood* mood);

#ifdef __cplusplus
}
#endif

#endif

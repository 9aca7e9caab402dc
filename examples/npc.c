/* Three characters argue about supper, each in a mood that changes as the scene goes.
 *
 *   cc -std=c99 npc.c $(pkg-config --cflags --libs llamood) -o npc
 *   ./npc model.gguf model.evs/
 *
 * The stage steps in a thread of its own; the game's loop asks each frame what was said since,
 * which never waits for the model. */
#define _POSIX_C_SOURCE 200809L /* nanosleep */
#include <llamood.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { N_VOICE = 3, N_ROUND = 3, LINE = 1024 };

static const char* const NAMES[N_VOICE] = {"Ada", "Ben", "Cleo"};
static const char* const TOPICS[N_ROUND] = {"Tell me about bread.", "Tell me about the kettle.",
                                            "Tell me about the museum."};
/* One mood a voice and round: weights that stay, or a schedule over the tokens of an answer. */
static const char* const MOODS[N_ROUND][N_VOICE] = {
    {"{}", "{}", "{\"joy\": 0.6}"},
    {"{\"joy\": {\"ramp\": [0, 1], \"over\": 12}}", "{\"anger\": 0.7}", "{\"joy\": 0.9}"},
    {"{\"joy\": 1}", "{\"anger\": 1, \"$inertia\": 6}",
     "{\"fear\": {\"on\": \"museum\", \"decay\": 1, \"half_life\": 12}}"},
};
static const long FRAME = 16; /* milliseconds */

static char error[LLAMOOD_ERROR_SIZE];

static void require(int is_so, const char* what) {
    if (is_so) return;
    fprintf(stderr, "%s: %s\n", what, error);
    exit(1);
}

static void join(llamood_stage* stage) {
    llamood_sampling sampling = llamood_default_sampling();
    sampling.temperature = 0.7f;
    sampling.max_tokens = 40;
    for (int i = 0; i < N_VOICE; ++i) {
        sampling.seed = (uint32_t)i + 1;
        require(llamood_join(stage, NULL, NULL, &sampling, error, sizeof error) == i, "join");
    }
}

static void set_moods(llamood_stage* stage, const char* const moods[N_VOICE]) {
    for (int i = 0; i < N_VOICE; ++i) {
        llamood_mood* mood = llamood_mood_parse(moods[i], error, sizeof error);
        require(mood != NULL, "mood");
        require(llamood_feel(stage, i, mood, error, sizeof error) == 0, "feel");
        llamood_mood_free(mood);
    }
}

/* What was said since the last frame, after what was said before it; returns how many answers
 * ended. */
static int hear(llamood_stage* stage, char lines[N_VOICE][LINE]) {
    llamood_event event;
    int found, n_end = 0;
    while ((found = llamood_poll(stage, &event, error, sizeof error)) == 1) {
        char* line = lines[event.voice];
        strncat(line, event.text, LINE - 1 - strlen(line));
        if (event.end == LLAMOOD_END_NONE) continue;
        printf("%-5s %s\n", NAMES[event.voice], line);
        ++n_end;
    }
    require(found == 0, "poll");
    return n_end;
}

/* What else a game does in a frame. */
static void draw_frame(void) {
    struct timespec rest = {0, FRAME * 1000000};
    nanosleep(&rest, NULL);
}

static void play_round(llamood_stage* stage, const char* topic, const char* const moods[N_VOICE]) {
    char lines[N_VOICE][LINE] = {"", "", ""};
    int n_frame = 0, n_speaking = N_VOICE;
    set_moods(stage, moods);
    for (int i = 0; i < N_VOICE; ++i) {
        require(llamood_say(stage, i, topic, error, sizeof error) == 0, "say");
    }
    printf("      > %s\n", topic);
    for (; n_speaking > 0; ++n_frame) {
        draw_frame();
        n_speaking -= hear(stage, lines);
    }
    printf("      (%d frames)\n\n", n_frame);
}

int main(int argc, char** argv) {
    llamood_stage_params params = llamood_stage_default_params();
    llamood_model* model;
    llamood_stage* stage;
    if (argc != 3) {
        fprintf(stderr, "usage: npc MODEL.gguf VECTORS/\n");
        return 2;
    }
    require(LLAMOOD_CHECK_VERSION(error, sizeof error) == 0, "version");
    llamood_set_log(NULL, LLAMOOD_LOG_ERROR, NULL);
    model = llamood_model_load(argv[1], argv[2], NULL, error, sizeof error);
    require(model != NULL, "model");
    params.n_voice = N_VOICE;
    params.n_ctx = 256;
    params.n_batch = 64;
    params.n_threads = -1; /* the game's loop has a core of its own */
    stage = llamood_stage_open(model, &params, error, sizeof error);
    require(stage != NULL, "stage");
    join(stage);
    require(llamood_stage_start(stage, error, sizeof error) == 0, "start");
    for (int i = 0; i < N_ROUND; ++i) play_round(stage, TOPICS[i], MOODS[i]);
    llamood_stage_free(stage);
    llamood_model_free(model);
    return 0;
}

/* The library as a program in C sees it. */

#include <llamood.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static int n_fault = 0;

#define CHECK(condition)                                                             \
    do {                                                                             \
        if (!(condition)) {                                                          \
            ++n_fault;                                                               \
            fprintf(stderr, "%s:%d: expected %s\n", __FILE__, __LINE__, #condition); \
        }                                                                            \
    } while (0)

static const char* const NAMES[] = {"anger", "joy"};

static void test_version(void) {
    char error[LLAMOOD_ERROR_SIZE] = "?";
    CHECK(strcmp(llamood_version(), LLAMOOD_VERSION) == 0);
    CHECK(LLAMOOD_CHECK_VERSION(error, sizeof error) == 0);
    CHECK(strcmp(error, "") == 0);
    CHECK(llamood_check_version(LLAMOOD_VERSION_MAJOR + 1, 0, error, sizeof error) == -1);
    CHECK(strstr(error, "found the library " LLAMOOD_VERSION) != NULL);
    CHECK(llamood_check_version(LLAMOOD_VERSION_MAJOR, LLAMOOD_VERSION_MINOR + 1, NULL, 0) == -1);
}

static void test_rows_follow_the_mood(void) {
    char error[LLAMOOD_ERROR_SIZE];
    float rows[6];
    llamood_mood* mood = llamood_mood_parse(
        "{\"joy\": {\"ramp\": [0, 1], \"over\": 2}, \"anger\": -0.5}", error, sizeof error);
    CHECK(mood != NULL);
    CHECK(llamood_mood_rows(mood, NAMES, 2, 3, rows, error, sizeof error) == 0);
    CHECK(rows[0] == -0.5f && rows[1] == 0.0f && rows[3] == 0.5f && rows[5] == 1.0f);
    CHECK(llamood_mood_rows(mood, NAMES, 2, 0, NULL, error, sizeof error) == 0);
    llamood_mood_free(mood);
    llamood_mood_free(NULL);
}

static void test_weights_now(void) {
    char error[LLAMOOD_ERROR_SIZE];
    float row[2];
    const float intensities[] = {0.25f, -1.0f};
    const float not_a_number[] = {0.0f, NAN};
    const char* const twice[] = {"joy", "joy"};
    llamood_mood* mood = llamood_mood_of(NAMES, intensities, 2, error, sizeof error);
    llamood_mood* neutral = llamood_mood_of(NULL, NULL, 0, error, sizeof error);
    CHECK(llamood_mood_rows(mood, NAMES, 2, 1, row, error, sizeof error) == 0);
    CHECK(row[0] == 0.25f && row[1] == -1.0f);
    CHECK(llamood_mood_rows(neutral, NAMES, 2, 1, row, error, sizeof error) == 0);
    CHECK(row[0] == 0.0f && row[1] == 0.0f);
    CHECK(llamood_mood_of(NAMES, not_a_number, 2, error, sizeof error) == NULL);
    CHECK(strstr(error, "mood at 'joy': a number between -1000 and 1000") != NULL);
    CHECK(llamood_mood_of(twice, intensities, 2, error, sizeof error) == NULL);
    CHECK(strstr(error, "given twice") != NULL);
    llamood_mood_free(mood);
    llamood_mood_free(neutral);
}

static void test_errors(void) {
    char error[LLAMOOD_ERROR_SIZE];
    char small[22];
    char none[1] = {'x'};
    float row[2] = {7.0f, 7.0f};
    llamood_mood* mood = llamood_mood_parse("{\"jyo\": 1}", error, sizeof error);
    CHECK(llamood_mood_rows(mood, NAMES, 2, 1, row, error, sizeof error) == -1);
    CHECK(strstr(error, "did you mean 'joy'?") != NULL);
    CHECK(row[0] == 7.0f && row[1] == 7.0f);
    CHECK(llamood_mood_rows(mood, NAMES, 2, 1, row, NULL, 0) == -1);
    CHECK(llamood_mood_rows(mood, NAMES, 2, 1000001, row, error, sizeof error) == -1);
    CHECK(strstr(error, "1000000 tokens or fewer were expected, found 1000001") != NULL);
    CHECK(llamood_mood_rows(NULL, NAMES, 2, 1, row, error, sizeof error) == -1);
    CHECK(strstr(error, "mood is NULL") != NULL);
    CHECK(llamood_mood_parse(NULL, error, sizeof error) == NULL);
    CHECK(strstr(error, "json is NULL") != NULL);
    CHECK(llamood_mood_parse("{", NULL, 0) == NULL);
    /* Cut to fit, and not within a character. */
    CHECK(llamood_mood_parse("{\"joyfulness\xE2\x82\xAC\": []}", small, sizeof small) == NULL);
    CHECK(strcmp(small, "mood at 'joyfulness") == 0);
    CHECK(llamood_mood_parse("{", none, sizeof none) == NULL);
    CHECK(none[0] == '\0');
    llamood_mood_free(mood);
}

int main(void) {
    test_version();
    test_rows_follow_the_mood();
    test_weights_now();
    test_errors();
    return n_fault == 0 ? 0 : 1;
}

// Schedules by themselves: a few exact values, the walk of a drift, faults, and hostile text. More
// is tested from Python (tests/moods).

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "check.hpp"
#include "moods/ar1.hpp"
#include "moods/json_text.hpp"
#include "moods/mood.hpp"
#include "moods/mood_error.hpp"
#include "moods/notation.hpp"
#include "text/unicode.hpp"

using namespace llamood;
using check::holds;
using check::near;
using check::thrown;

namespace {

// The intensities of one emotion at the first n tokens.
std::vector<double> values(const std::string& json, int n) {
    const SchedulePtr schedule = from_json(read_json(json));
    std::vector<double> values;
    for (int token = 0; token < n; ++token) values.push_back(schedule->at(token, Heard()));
    return values;
}

std::string refusal(const std::string& json) {
    return thrown([&json] { Mood::read(read_json(json)); });
}

void test_values() {
    CHECK((values(R"({"ramp": [0, 1], "over": 4})", 6) ==
           std::vector<double>{0, 0.25, 0.5, 0.75, 1, 1}));
    CHECK((values(R"({"pulse": -1, "attack": 1, "release": 1})", 3) ==
           std::vector<double>{0, -1, 0}));
    CHECK((values(R"({"repeat": {"ramp": [0, 3], "over": 3}, "times": 2})", 8) ==
           std::vector<double>{0, 1, 2, 0, 1, 2, 3, 3}));
    CHECK((values(R"({"sum": [{"delay": 2, "by": 1}, -0.5], "max": 1})", 2) ==
           std::vector<double>{-0.5, 1}));
}

void test_what_was_heard() {
    const Events events = {{"no", {2, 5}}};
    const Heard heard = Heard(events).since(1).since(2);
    CHECK(!heard.last("no", 1).has_value());
    CHECK(heard.last("no", 2) == 2);
    CHECK(heard.last("no", 9) == 2);
    CHECK(!heard.last("yes", 9).has_value());
}

// Values of the normal distribution to 16 digits, and of one seed.
void test_walk() {
    CHECK(normal_quantile(0.5) == 0.0);
    CHECK(near(normal_quantile(0.975), 1.959963984540054, 1e-15));
    CHECK(near(normal_quantile(0.25), -0.6744897501960817, 1e-15));
    CHECK(near(normal_quantile(1e-12), -7.034483825301132, 1e-14));
    const std::vector<double> known = {0.6, 0.6690428, 0.6561279, 0.5842219, 0.6236931};
    const auto drift = values(R"({"drift": 0.6, "spread": 0.2, "return": 30, "seed": 7})", 5);
    for (std::size_t i = 0; i < known.size(); ++i) CHECK(near(drift[i], known[i], 1e-6));
}

// One mood serves many threads, also where it draws as it is asked.
void test_threads() {
    const Ar1 walk(3, 20.0);
    std::vector<std::vector<double>> seen(4);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < seen.size(); ++i) {
        threads.emplace_back([&walk, &mine = seen[i], i] {
            for (std::size_t t = 0; t < 4000; ++t) mine.push_back(walk.at(t * (i + 1) % 4000));
        });
    }
    for (std::thread& thread : threads) thread.join();
    for (std::size_t i = 0; i < seen.size(); ++i) {
        bool is_same = true;
        for (std::size_t t = 0; t < 4000; ++t) {
            is_same = is_same && seen[i][t] == walk.at(t * (i + 1) % 4000);
        }
        CHECK(is_same);
    }
}

void test_faults() {
    CHECK(refusal(R"({"joy": {"ramp": [0, "1"], "over": 9}})") ==
          "mood at 'joy.ramp[1]': a number was expected, found '1'");
    CHECK(holds(refusal(R"({"joy": {"rmap": [0, 1]}})"), "did you mean 'ramp'?"));
    CHECK(holds(refusal(R"({"joy": 1, "joy": 2})"), "mood at 'joy': given twice"));
    CHECK(holds(refusal(R"({"valence": 2})"), "mood at 'valence': a coordinate of affect"));
    CHECK(holds(refusal(R"({"valence": {"hold": 1}})"), "mood at 'valence': no axis of affect"));
    const std::string unknown =
        thrown([] { NamedMood(Mood::read(read_json(R"({"jyo": 1})")), {"joy"}); });
    CHECK(holds(unknown,
                "no such emotion among those at hand (joy); did you mean 'joy'? To add it: llamood "
                "emotion add MODEL jyo --texts FILE"));
}

void test_texts_in_messages() {
    CHECK(quoted("it's") == "\"it's\"");
    CHECK(quoted("a\n\xC2\xA0\\") == "'a\\n\\xa0\\\\'");
    CHECK(quoted("\xFF\xE2\x82") == "'\xEF\xBF\xBD\xEF\xBF\xBD'");
    CHECK(!is_printable(std::string("a\0b", 3)));
    CHECK(is_printable("fr\xC3\xB6hlich \xF0\x9F\x98\x80"));
    CHECK(found(0.1) == "0.1" && found(1e22) == "1e+22" && found(100000.0) == "100000.0");
}

std::string nested(const std::string& begin, const std::string& end, int depth) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += begin;
    text += "1";
    for (int i = 0; i < depth; ++i) text += end;
    return text;
}

void test_hostile_text() {
    CHECK(holds(refusal(R"({"joy": )" + nested("[", "]", 30'000) + "}"), "nested 100 deep"));
    CHECK(holds(refusal(R"({"joy": )" + nested(R"({"delay": )", R"(, "by": 1})", 40) + "}"),
                "schedules nested 32 deep or less were expected"));
    CHECK(refusal(R"({"joy": )" + nested(R"({"delay": )", R"(, "by": 1})", 31) + "}") == "nothing");
    CHECK(holds(refusal(std::string(10'000'000, 'x')), "longer than 64 KiB"));
    CHECK(holds(refusal(R"({"joy": 1e999})"), "mood at 'joy': a smaller number was expected"));
    CHECK(holds(refusal(R"({"joy": {"sum": [1, )" + std::string(400, '9') + "]}}"),
                "mood at 'joy.sum[1]': a smaller number was expected, found a huge number"));
    CHECK(holds(refusal(R"({"joy": 99999999999999999999})"), "found a huge number"));
    CHECK(holds(refusal("{\"joy\xFF\": 1}"), "not JSON"));
    CHECK(holds(refusal("{\"\\ud800\": 1}"), "not JSON"));
    CHECK(holds(refusal(std::string("{\"joy\0\": 1}", 11)), "not JSON"));
    CHECK(holds(refusal(R"({"j\u0000y": 1})"), "an emotion's name is printable"));
    CHECK(holds(refusal(""), "not JSON"));
    CHECK(holds(refusal("[1]"), "emotions and weights were expected"));
}

}  // namespace

int main() {
    test_values();
    test_what_was_heard();
    test_walk();
    test_threads();
    test_faults();
    test_texts_in_messages();
    test_hostile_text();
    return check::result();
}

// A mood over an answer: limits, inertia, changes, texts. More of it is tested from Python
// (tests/moods/test_performance.py).

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "check.hpp"
#include "moods/json_text.hpp"
#include "moods/mood_error.hpp"
#include "steering/performance.hpp"

using namespace llamood;
using check::holds;
using check::near;
using check::thrown;

namespace {

constexpr double unlimited = std::numeric_limits<double>::infinity();
constexpr int n_layer = 2;
constexpr int n_embd = 3;

// Two emotions whose vectors are of length 2 and at right angles in both layers.
std::shared_ptr<const SteeringVectors> steering_vectors(std::vector<double> ceilings = {unlimited,
                                                                                        unlimited},
                                                        std::vector<double> residual = {}) {
    const float data[] = {2, 0, 0, 0, 2, 0, 0, 0, 2, 2, 0, 0};
    auto bank = std::make_shared<const Bank>(data, 2, n_layer, n_embd);
    return std::make_shared<const SteeringVectors>(StoredVectors{{"anger", "joy"},
                                                                 std::move(bank),
                                                                 std::move(ceilings),
                                                                 {1.0, 1.0},
                                                                 "layer_out",
                                                                 std::move(residual)});
}

std::shared_ptr<const Steering> steering(
    const std::string& json, std::shared_ptr<const SteeringVectors> vectors = steering_vectors()) {
    return std::make_shared<const Steering>(Mood::read(read_json(json)), std::move(vectors));
}

using Row = std::vector<float>;

void test_inertia_moves_on_from_what_was_felt() {
    Performance performance(steering(R"({"$inertia": 1})"), {0.0, 1.0});
    CHECK((performance.row(2) == Row{0, 0.125F}));
    CHECK((performance.row(0) == Row{0, 0.5F}));
    CHECK(near(performance.after(1)[1], 0.25));
}

void test_a_change_begins_where_the_last_mood_was() {
    Performance performance(steering(R"({"joy": {"ramp": [0, 1], "over": 10}})"), {0.0, 0.0});
    performance.change(steering(R"({"anger": {"ramp": [0, 1], "over": 4}, "$inertia": 1})"), 6);
    CHECK((performance.row(5) == Row{0, 0.5F}));
    CHECK((performance.row(7) == Row{0.125F, 0.125F}));
    performance.change(steering(R"({"joy": 1})"), 7);
    CHECK((performance.row(6) == Row{0, 0.25F}));
    CHECK((performance.row(9) == Row{0, 1}));
}

void test_a_text_starts_a_schedule_wherever_tokens_are_cut() {
    const auto alarm = steering(R"({"anger": {"on": "no", "pulse": 1, "release": 4}})");
    Performance performance(alarm, {0.0, 0.0});
    const std::vector<std::string> said = {"Oh", " n", "o", "!"};
    std::vector<float> anger = {performance.row(0)[0]};
    for (std::size_t i = 0; i < said.size(); ++i) {
        performance.hear(static_cast<std::int64_t>(i) + 1, said[i]);
        anger.push_back(performance.row(static_cast<std::int64_t>(i) + 1)[0]);
    }
    CHECK((anger == std::vector<float>{0, 0, 0, 1, 0.75F}));
    performance.hear(3, "ice");  // a guess that was wrong is taken back
    CHECK(performance.row(3)[0] == 0);
    CHECK(holds(thrown([&] { performance.hear(5, "x"); }), "token 5 cannot be heard next"));
    // What began to be said before the mood began counts where it ends later.
    Performance later(steering(R"({"joy": 1})"), {0.0, 0.0});
    later.hear(1, "no, n");
    later.hear(2, "o");
    later.change(alarm, 2);
    CHECK((later.row(2) == Row{1, 0}));
    CHECK((later.row(1) == Row{0, 1}));
}

void test_limits() {
    std::vector<Notice> notices;
    const auto note = [&notices](const Notice& notice) { notices.push_back(notice); };
    const auto held = steering_vectors({1.0, 2.0});
    Performance each(steering(R"({"joy": {"ramp": [0, 4], "over": 4}})", held), {0.0, 0.0}, note);
    CHECK((each.row(4) == Row{0, 2}));
    CHECK((each.asked(4) == Row{0, 4}));
    CHECK(notices.size() == 1 && notices[0].what == "joy" &&
          holds(notices[0].text, "joy is held at 2") && holds(notices[0].text, "4 was asked for"));
    // Together they are as strong as the strongest alone: 2 of joy.
    Performance both(steering(R"({"joy": 2, "anger": 1})", held), {0.0, 0.0}, note);
    CHECK(near(both.after(0)[1], 4 / std::sqrt(5.0)) && near(both.after(0)[0], 2 / std::sqrt(5.0)));
    CHECK(notices.back().what == "$max");
    Performance more(steering(R"({"joy": {"constant": 9, "max": 5}, "$max": 100})", held),
                     {0.0, 0.0});
    CHECK((more.row(0) == Row{0, 5}));
    Performance capped(steering(R"({"joy": 9, "$max": 0.5})"), {0.0, 0.0});
    CHECK(near(capped.after(0)[1], 0.5));
}

void test_layers() {
    CHECK(steering("{}")->layers() == (LayerRange{0, 1}));
    CHECK(steering(R"({"joy": 1, "$layers": [1, 1]})")->layers() == (LayerRange{1, 1}));
    CHECK(holds(thrown([] { steering(R"({"$layers": [0, 2]})"); }), "the model has layers 0 to 1"));
    CHECK(holds(thrown([] { steering(R"({"joy": 1, "$layers": [0, 0]})"); }), "from 1 on"));
    CHECK(holds(thrown([] { steering(R"({"sadness": 1})"); }), "no such emotion"));
    CHECK(steering(R"({"$positions": "all"})")->is_everywhere());
}

// The vectors' root mean square is 2 / sqrt(3), that of the hidden state 1.
void test_a_dose_may_be_a_share_of_the_hidden_state() {
    const auto stored = steering_vectors({1.0, 2.0}, {1.0, 1.0});
    const auto half = steering(R"({"joy": 0.5, "$dose": "relative"})", stored);
    CHECK(near(half->vectors().bank()->vector(1, 0)[2], std::sqrt(3.0), 1e-6));
    Performance performance(half, {0.0, 0.0});
    CHECK((performance.row(0) == Row{0, 0.5F}));
    CHECK(near(performance.after(0)[1], 0.25 * std::sqrt(3.0)));
    CHECK(performance.blend(0).key != steering(R"({"joy": 0.5})", stored)->still()->key);
    CHECK(
        holds(thrown([] { steering(R"({"$dose": "relative"})"); }), "relative needs the residual"));
}

void test_base_is_the_mean() {
    Performance sum(steering(R"({"base": 1, "joy": 0.5})"), {0.0, 0.0});
    CHECK((sum.row(0) == Row{0.5F, 1}));
    Performance once(steering(R"({"anger": 1, "joy": 1, "$blend": "shared-once"})"), {0.0, 0.0});
    CHECK((once.row(0) == Row{0.5F, 0.5F}));
}

}  // namespace

int main() {
    test_inertia_moves_on_from_what_was_felt();
    test_a_change_begins_where_the_last_mood_was();
    test_a_text_starts_a_schedule_wherever_tokens_are_cut();
    test_limits();
    test_layers();
    test_a_dose_may_be_a_share_of_the_hidden_state();
    test_base_is_the_mean();
    return check::result();
}

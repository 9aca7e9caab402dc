"""Faults in C++."""

from __future__ import annotations

from .fault import Fault

INJECTORS = (
    Fault(
        name="layers-that-are-left-keep-their-vector",
        says="where a mood turns to other layers, what was added in the ones before stays",
        right="""hand_over(range_.empty() ? range
                             : LayerRange{std::min(range.first, range_.first),
                                          std::max(range.last, range_.last)});""",
        wrong="hand_over(range);",
        tests=["test_injector.py"],
    ),
    Fault(
        name="a-script-is-a-token-ahead",
        says="of a mood that changes, each token gets what the next one should",
        right="""const auto row = static_cast<std::ptrdiff_t>(position) - position_;
    if (row < 0 || static_cast<std::size_t>(row) >= rows_.size() / n_emotion) return;""",
        wrong="""const auto row = static_cast<std::ptrdiff_t>(position) - position_ + 1;
    if (row < 0 || static_cast<std::size_t>(row) >= rows_.size() / n_emotion) return;""",
        tests=["test_injector.py", "test_llama_schedules.py"],
    ),
    Fault(
        name="rows-of-other-layers-share-a-blend",
        says="of two voices with the same weights in other layers one gets what the other asked",
        right="""return std::tie(range.first, range.last, weights) <
           std::tie(other.range.first, other.range.last, other.weights);""",
        wrong="return std::tie(weights) < std::tie(other.weights);",
        tests=["test_row_injector.py", "test_cast.py"],
    ),
)

STAGE = (
    Fault(
        name="a-prompt-waits-for-ever",
        says="with small steps, a voice that is told something waits while others speak",
        right="const bool is_due = ready.front().n_prompt > 0;",
        wrong="const bool is_due = false;",
        tests=["test_stage.py"],
    ),
    Fault(
        name="the-end-of-an-answer-is-held-back-for-good",
        says="what could have been the beginning of a stop text is never told",
        right="if (drawn.end != End::none) drawn.text += rest(number);",
        wrong="if (drawn.end != End::none) rest(number);",
        tests=["test_stage.py", "test_cast.py"],
    ),
    Fault(
        name="who-goes-on-after-a-rescue-forgets-what-was-said",
        says="penalties and grammar of an answer that is drawn anew begin at its middle",
        right="drawer.accept(token);",
        wrong="",
        tests=["test_collapse_monitor.py", "test_cast.py", "test_stage.py"],
    ),
)

GUARD = (
    Fault(
        name="what-was-taken-back-still-loops",
        says="an answer that was rescued is stopped for what it does not say any more",
        right="text_.resize(moments_.back().end);",
        wrong="",
        tests=["test_guard.py"],
    ),
    Fault(
        name="what-was-taken-back-still-ends-a-word",
        says="the guard weighs the first token after a rescue as the middle of a word",
        right="endings_.resize(n_heard + 1);",
        wrong="",
        tests=["test_guard.py"],
    ),
    Fault(
        name="a-token-of-the-collapse-is-told",
        says="the first token that smells is told, and cannot be taken back",
        right="std::max(n_sound_, static_cast<std::size_t>(*suspect) - 1)",
        wrong="std::max(n_sound_, static_cast<std::size_t>(*suspect))",
        tests=["test_collapse_monitor.py"],
    ),
)

MOODS = (
    Fault(
        name="a-constant-never-ends",
        says="a ramp plus a number is refused where the next schedule follows on it",
        right="if (dynamic_cast<const Constant*>(part.get()) != nullptr) continue;",
        wrong="",
        tests=["test_schedule.py"],
    ),
    Fault(
        name="repeat-goes-on-once-more",
        says="a schedule that is repeated three times begins a fourth time",
        right="turn = std::min(turn, *times_ - 1);",
        wrong="turn = std::min(turn, *times_);",
        tests=["test_schedule.py"],
    ),
    Fault(
        name="what-follows-hears-what-was-said-before-it",
        says="a trigger in a schedule that comes later starts by texts that came before that",
        right="return inner.at(token - begin, heard.since(begin));",
        wrong="return inner.at(token - begin, heard);",
        tests=["test_triggers.py", "test_schedule.py"],
    ),
    Fault(
        name="a-text-is-heard-twice",
        says="a trigger starts again at the token after the text",
        right="if (before.size() >= n) before.erase(0, before.size() + 1 - n);",
        wrong="",
        tests=["test_phrase_matcher.py"],
    ),
    Fault(
        name="the-weakest-shares",
        says="shared-once adds what all vectors share at the wrong strength where one pushes away",
        right="return *highest >= -*lowest ? *highest : *lowest;",
        wrong="return *highest >= *lowest ? *highest : *lowest;",
        tests=["test_mood.py"],
    ),
    Fault(
        name="hearing-changes-what-was-played",
        says="after a change of mood, rows of the mood before are made anew in the new one",
        right="forget(std::max(token, begin_));",
        wrong="forget(token);",
        tests=["test_performance.py"],
    ),
    Fault(
        name="a-rescue-begins-a-token-late",
        says="the first token after a collapse is drawn at the full dose",
        right="if (each->first <= token) return each->factor;",
        wrong="if (each->first < token) return each->factor;",
        tests=["test_performance.py", "test_collapse_monitor.py"],
    ),
    Fault(
        name="layers-are-no-part-of-a-blend-key",
        says="what was decoded with a mood in other layers is used again",
        right='hash.add(std::to_string(layers.first) + ":" + std::to_string(layers.last));',
        wrong="",
        tests=["test_performance.py", "test_llama_cache.py"],
    ),
    Fault(
        name="a-layer-too-few-is-fluent",
        says="the guard believes that more reads fluently in a few layers than does",
        right="added(emotion, std::max(layers.first, first_layer()), layers.last);",
        wrong="added(emotion, std::max(layers.first, first_layer()), layers.last - 1);",
        tests=["test_performance.py"],
    ),
    Fault(
        name="a-mood-hears-what-was-said-before-it",
        says="a trigger of a mood that comes later starts by texts that came before that",
        right="const Heard heard = Heard(matcher_.events(), begin_, &flips_);",
        wrong="const Heard heard = Heard(matcher_.events(), 0, &flips_);",
        tests=["test_performance.py", "test_c_library.py"],
    ),
    Fault(
        name="what-was-felt-is-counted-in-another-dose",
        says="with inertia, a mood in the dose relative begins with a jump",
        right="        weights[i] *= units[i];",
        wrong="",
        tests=["test_performance.py"],
    ),
    Fault(
        name="a-limit-of-the-mix-lifts-all-others",
        says="with $max, emotions go beyond the ceilings that were measured",
        right="if (!vectors_->is_calibrated(i)) limits[i] = infinity;",
        wrong="limits[i] = infinity;",
        tests=["test_performance.py", "test_c_library.py"],
    ),
)

CAST = (
    Fault(
        name="inertia-goes-on-from-what-nobody-heard",
        says="an interrupted answer leaves the weights of tokens that were held back",
        right="after(static_cast<std::int64_t>(turn->told.size()) - 1);",
        wrong="after(turn->n_drawn - 1);",
        tests=["test_collapse_monitor.py", "test_cast.py", "test_cast_at_random.py"],
    ),
    Fault(
        name="who-they-are-is-forgotten-first",
        says="a character with no room left drops its system prompt with its oldest turn",
        right="std::vector<Message> fewer(messages.begin(), begin);",
        wrong="std::vector<Message> fewer;",
        tests=["test_cast.py", "test_character.py"],
    ),
    Fault(
        name="begun-anew-an-answer-may-be-as-long-again",
        says="a rescued answer of a cast is longer than max_tokens",
        right="return {plan.manner.stops, most_ - n_drawn,",
        wrong="return {plan.manner.stops, most_,",
        tests=["test_collapse_monitor.py", "test_cast.py"],
    ),
    Fault(
        name="the-last-token-is-not-corrected",
        says="the reading of the token that was steered last is off by what was added",
        right="if (n <= 0) return;",
        wrong="if (--n <= 0) return;",
        tests=["test_probe.py"],
    ),
    Fault(
        name="who-has-left-is-waited-with",
        says="a voice that leaves while it waits for another makes every step fail",
        right="found != voices_.end() && found->second->is_waiting();",
        wrong="voices_.at(number)->is_waiting();",
        tests=["test_c_voices.py", "test_c_runner.py", "test_examples.py"],
    ),
    Fault(
        name="readings-are-corrected-for-another-emotion",
        says="in C, readings are off where the baseline names emotions in another order",
        right="moved += response[from * n + order[r]] * baseline.weights[p * n + r];",
        wrong="moved += response[from * n + r] * baseline.weights[p * n + r];",
        tests=["test_c_voices.py", "test_examples.py"],
    ),
)

INTERFACE = (
    Fault(
        name="who-has-left-is-heard",
        says="events of a voice that has left are polled after the stage was stopped",
        right="drop_events(stage->left.events, voice);",
        wrong="",
        tests=["test_c_voices.py", "test_c_runner.py", "test_examples.py"],
    ),
)

CPP_FAULTS = (*INJECTORS, *STAGE, *GUARD, *MOODS, *CAST, *INTERFACE)

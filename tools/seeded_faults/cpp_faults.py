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
        right="const std::size_t n_kept = is_prompt_due && !prompting ? 1 : 0;",
        wrong="const std::size_t n_kept = 0;",
        tests=["test_stage.py"],
    ),
    Fault(
        name="the-end-of-an-answer-is-held-back-for-good",
        says="what could have been the beginning of a stop text is never told",
        right="if (said.back().end != End::none) said.back().text += rest(share.voice);",
        wrong="if (said.back().end != End::none) rest(share.voice);",
        tests=["test_stage.py", "test_cast.py"],
    ),
    Fault(
        name="who-goes-on-after-a-rescue-forgets-what-was-said",
        says="penalties and grammar of an answer that is drawn anew begin at its middle",
        right="llama_sampler_accept(speaker.sampler.get(), token);",
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
)

MOODS = (
    Fault(
        name="a-constant-never-ends",
        says="in C, a ramp plus a number is refused where the next schedule follows on it",
        right="if (dynamic_cast<const Constant*>(part.get()) != nullptr) continue;",
        wrong="",
        tests=["test_c_moods.py"],
    ),
    Fault(
        name="in-c-a-mood-hears-what-was-said-before-it",
        says="a trigger of a mood that comes later starts by texts that came before that",
        right="const Heard heard = Heard(matcher_.events()).since(begin_);",
        wrong="const Heard heard = Heard(matcher_.events());",
        tests=["test_c_performance.py", "test_c_library.py"],
    ),
    Fault(
        name="a-limit-of-the-mix-lifts-all-others",
        says="with $max, emotions go beyond the ceilings that were measured",
        right="if (!steering_vectors_->is_calibrated(i)) limits[i] = infinity;",
        wrong="limits[i] = infinity;",
        tests=["test_c_performance.py", "test_c_library.py"],
    ),
)

CAST = (
    Fault(
        name="in-c-layers-are-no-part-of-a-blend-key",
        says="what was decoded with a mood in other layers is used again",
        right="add(&range.last, sizeof range.last);",
        wrong="",
        tests=["test_c_voices.py", "test_c_runner.py", "test_examples.py"],
    ),
    Fault(
        name="who-has-left-is-waited-with",
        says="a voice that leaves while it waits for another makes every step fail",
        right="followers_.erase(voice);",
        wrong="",
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
        right="drop_events(stage->left, voice);",
        wrong="",
        tests=["test_c_voices.py", "test_c_runner.py", "test_examples.py"],
    ),
)

CPP_FAULTS = (*INJECTORS, *STAGE, *GUARD, *MOODS, *CAST, *INTERFACE)

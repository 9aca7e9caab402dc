"""Measures of steering, their intervals, and side effects on a text."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

import tiny_chat
from llamood.errors import LlamoodError
from llamood.evaluation.intervals import Interval, interval, ratio_interval
from llamood.extraction.answer_faults import answer_fault
from llamood.extraction.side_effects import collapse, side_effects
from llamood.extraction.texts import load_texts
from llamood.judges import measures

LABELS = ("anger", "joy", "neutral")
ROWS = np.array(  # two questions, each asked with anger and with joy
    [
        [[0.7, 0.2, 0.1], [0.0, 0.4, 0.6]],
        [[0.1, 0.3, 0.6], [0.3, 0.6, 0.1]],
    ]
)
ASKED = ["anger", "joy"]
laws = settings(deadline=None)


@st.composite
def judged(draw: st.DrawFn) -> tuple[np.ndarray[Any, Any], list[str]]:
    """Any probabilities (n_answer, 3), and a label asked for each answer."""
    n = draw(st.integers(1, 20))
    weights = draw(arrays(np.float64, (n, 3), elements=st.integers(1, 50)))
    asked = draw(st.lists(st.sampled_from(LABELS), min_size=n, max_size=n))
    return weights / weights.sum(axis=1, keepdims=True), asked


# For each number of a list 0..9, a larger one for a larger one: any rising map there is.
rising = st.sets(st.integers(-1000, 1000), min_size=10, max_size=10).map(sorted).map(np.array)
digits = st.lists(st.integers(0, 9), min_size=2, max_size=30)


# ---- probabilities ----


def test_probability_strength_and_specificity_by_hand() -> None:
    # asked anger: .7, .1; asked joy: .4, .6; neutral .1, .6, .6, .1
    assert measures.emotion_probability(ROWS, ASKED, labels=LABELS) == pytest.approx(0.45)
    assert measures.emotion_probability(ROWS[:, 0], "anger", labels=LABELS) == pytest.approx(0.4)
    assert measures.emotion_strength(ROWS, labels=LABELS) == pytest.approx(65)
    assert measures.emotion_strength(ROWS, labels=LABELS, neutral="joy") == pytest.approx(62.5)
    assert measures.specificity(ROWS, ASKED, labels=LABELS) == 0.5
    assert measures.specificity(ROWS, "neutral", labels=LABELS) == 0.5


def test_what_a_softmax_rounds_up_is_no_fault() -> None:
    rounded = np.array([[1 + 1e-7, 0, 0]], np.float32)
    assert rounded.max() > 1
    assert measures.specificity(rounded, "anger", labels=LABELS) == 1


def test_confusion_by_hand() -> None:
    found = measures.confusion(ROWS, ASKED, labels=LABELS)
    assert (found.asked, found.got, found.n_answer) == (("anger", "joy"), LABELS, (2, 2))
    np.testing.assert_array_equal(found.shares, [[0.5, 0, 0.5], [0, 0.5, 0.5]])
    with pytest.raises(ValueError, match="read-only"):
        found.shares[0, 0] = 1


@laws
@given(judged())
def test_confusion_rows_sum_to_1_and_hold_the_specificity(
    given_: tuple[np.ndarray[Any, Any], list[str]],
) -> None:
    rows, asked = given_
    found = measures.confusion(rows, asked, labels=LABELS)
    np.testing.assert_allclose(found.shares.sum(axis=1), 1, rtol=1e-12)
    assert found.asked == tuple(label for label in LABELS if label in asked)
    assert found.n_answer == tuple(asked.count(label) for label in found.asked)
    hits = sum(
        n * share[LABELS.index(label)]
        for label, n, share in zip(found.asked, found.n_answer, found.shares, strict=True)
    )
    specificity = measures.specificity(rows, asked, labels=LABELS)
    assert specificity == pytest.approx(hits / len(asked))


# ---- asked versus got ----


def test_asked_versus_got_by_hand() -> None:
    assert measures.asked_versus_got([1, 2, 3, 4, 5], [2, 1, 4, 3, 5]) == pytest.approx(0.8)
    # Two questions on one grid: ranks 1.5 1.5 3.5 3.5 of asked against 1 2 3 4 of got.
    rho = measures.asked_versus_got([0, 1], [[0.1, 0.3], [0.2, 0.4]])
    assert rho == pytest.approx(2 / 5**0.5)


def test_asked_versus_got_is_none_for_constants() -> None:
    assert measures.asked_versus_got([0, 1, 2], [0.3, 0.3, 0.3]) is None
    assert measures.asked_versus_got([1, 1, 1], [0.1, 0.2, 0.3]) is None
    assert measures.asked_versus_got([1], [0.2]) is None


@laws
@given(digits, st.randoms(use_true_random=False), rising, rising)
def test_asked_versus_got_knows_only_the_order(
    asked: list[int], random: Any, map_asked: Any, map_got: Any
) -> None:
    got = random.choices(range(10), k=len(asked))
    rho = measures.asked_versus_got(asked, got)
    assume(rho is not None)
    assert measures.asked_versus_got(map_asked[asked], map_got[got]) == pytest.approx(rho)
    assert measures.asked_versus_got(asked, -map_got[got]) == pytest.approx(-rho)


@laws
@given(st.sets(st.integers(), min_size=2, max_size=20).map(sorted))
def test_asked_versus_got_is_1_for_sorted_points(points: list[int]) -> None:
    grid = range(len(points))
    got = [float(n) for n in grid]
    assert measures.asked_versus_got(grid, got) == pytest.approx(1)
    assert measures.asked_versus_got(grid, got[::-1]) == pytest.approx(-1)


# ---- topic adherence ----


def test_topic_adherence_by_hand() -> None:
    questions = [[3, 4], [1, 0], [2, 0], [0, 0]]
    answers = [[4, 3], [0, 5], [-1, 0], [1, 1]]
    found = measures.topic_adherence(questions, answers)
    np.testing.assert_allclose(found, [0.96, 0, -1, 0])


@laws
@given(arrays(np.float32, (3, 4), elements=st.integers(-9, 9)), st.integers(1, 100))
def test_topic_adherence_does_not_see_length(texts: Any, factor: int) -> None:
    found = measures.topic_adherence(texts, factor * texts)
    np.testing.assert_allclose(found, texts.any(axis=1), atol=1e-12)
    assert found.max() <= 1


# ---- AUROC ----


def test_auroc_by_hand() -> None:
    # of label: 3 and 1; rest: 0, 1, 2. Pairs won: 3 of 3, and 1.5 of 3.
    is_label = np.array([True, True, False, False, False])
    assert measures.auroc([3, 1, 0, 1, 2], is_label) == pytest.approx(0.75)
    assert measures.auroc([2, 2, 1, 1, 1], is_label) == 1
    assert measures.auroc([2, 2, 1, 1, 1], np.ones(5, bool)) is None
    assert measures.auroc([2, 2, 1, 1, 1], np.zeros(5, bool)) is None


@laws
@given(digits, st.data(), rising)
def test_auroc_knows_only_the_order(scores: list[int], data: st.DataObject, table: Any) -> None:
    is_label = data.draw(arrays(np.bool_, len(scores)))
    assume(is_label.any() and not is_label.all())
    area = measures.auroc(scores, is_label)
    pairs = [
        (a > b) + (a == b) / 2
        for a in np.array(scores)[is_label]
        for b in np.array(scores)[~is_label]
    ]
    assert area == pytest.approx(np.mean(pairs))
    assert measures.auroc(table[scores], is_label) == pytest.approx(area)
    assert measures.auroc(-table[scores], is_label) == pytest.approx(1 - area)
    assert measures.auroc(np.zeros(len(scores)), is_label) == 0.5


def test_macro_auroc_leaves_out_what_has_one_class() -> None:
    scores = [[3, 0, 5], [1, 1, 5], [2, 0, 5]]
    found = measures.macro_auroc(scores, ["anger", "joy", "shame"], labels=LABELS)
    assert dict(found.each) == {"anger": 1, "joy": 1}
    assert found.macro == 1
    assert found.left_out == ("neutral",)
    alone = measures.macro_auroc([[1], [2]], ["joy", "joy"], labels=["joy"])
    assert (alone.macro, alone.left_out) == (None, ("joy",))


def test_macro_auroc_weighs_labels_alike() -> None:
    # joy: one text, which scores lowest; anger: three, which score highest.
    scores = [[9, 5], [8, 5], [7, 5], [1, 4]]
    found = measures.macro_auroc(scores, ["anger"] * 3 + ["joy"], labels=["anger", "joy"])
    assert found.macro == pytest.approx((1 + 0) / 2)


# ---- what is refused ----


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: measures.specificity([], "joy", labels=LABELS), "at least one number"),
        (lambda: measures.emotion_strength(np.zeros((0, 3)), labels=LABELS), r"\(0, 3\)"),
        (lambda: measures.confusion([[0.5, 0.5]], "joy", labels=LABELS), r"\(1, 2\).*\(\.\.\., 3"),
        (lambda: measures.specificity([1, 0, 0], "joy", labels=LABELS), r"\(3,\)"),
        (lambda: measures.specificity([[9, 0, 0]], "joy", labels=LABELS), "0 to 9, .* softmax"),
        (lambda: measures.specificity([[np.nan, 0, 0]], "joy", labels=LABELS), "1 NaN .* of 3"),
        (lambda: measures.specificity([["a", 0, 0]], "joy", labels=LABELS), "array of numbers"),
        (lambda: measures.specificity(ROWS, "rage", labels=LABELS), "rage was asked.*anger, joy"),
        (lambda: measures.specificity(ROWS, ["joy"] * 3, labels=LABELS), r"\(3,\).*fits \(2, 2\)"),
        (lambda: measures.specificity([[1, 0]], "joy", labels=("joy", "joy")), "different names"),
        (lambda: measures.emotion_strength([[1, 0]], labels=("anger", "joy")), "neutral was asked"),
        (lambda: measures.asked_versus_got([], []), "at least one number"),
        (lambda: measures.asked_versus_got([1, 2], [1, 2, 3]), r"shape of intensities is \(2,\)"),
        (lambda: measures.topic_adherence([[1, 2]], [[1, 2, 3]]), r"\(1, 2\), of answers \(1, 3\)"),
        (lambda: measures.topic_adherence([1, 2], [1, 2]), r"expected \(n, n_embd\)"),
        (lambda: measures.auroc([1, 2], [0, 1]), "of type bool"),
        (lambda: measures.auroc([1, 2], [True]), r"\(2,\), is_label has \(1,\)"),
        (lambda: measures.macro_auroc([[1, 2]], ["joy"], labels=LABELS), "1 texts, 3 labels"),
        (lambda: interval([1], np.mean), "2 questions or more"),
        (lambda: interval(3.0, np.mean), r"shape \(\)"),
        (lambda: interval([1, 2], np.mean, level=95), "level is 95"),
        (lambda: interval([1, 2], np.mean, n_draw=9), "n_draw is 9"),
        (lambda: ratio_interval([1, 2], [1, 2, 3], np.mean), "2 questions and base has 3"),
    ],
)
def test_nonsense_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(LlamoodError, match=message):
        call()


# ---- intervals ----


def mean(values: np.ndarray[Any, Any]) -> float:
    return float(values.mean())


def known(result: Interval | None) -> Interval:
    assert result is not None
    return result


def width(result: Interval | None) -> float:
    return known(result).high - known(result).low


def answers(seed: int, n_question: int, *, n_answer: int = 4) -> np.ndarray[Any, Any]:
    """(n_question, n_answer) of mean 0: what the question gives to all, and a little noise."""
    rng = np.random.default_rng(seed)
    noise = 0.3 * rng.standard_normal((n_question, n_answer))
    return np.asarray(rng.standard_normal((n_question, 1)) + noise)


@settings(deadline=None, max_examples=50)
@given(st.integers(2, 12).flatmap(lambda n: arrays(np.int64, (n, 2), elements=st.integers(0, 9))))
def test_an_interval_contains_the_estimate(values: Any) -> None:
    result = known(interval(values, mean, n_draw=300))
    assert result.low <= result.estimate <= result.high
    assert result.estimate == values.mean()
    assert (result.low == result.high) == (np.ptp(values.sum(axis=1)) == 0)


def test_an_interval_is_scipys() -> None:
    values = np.random.default_rng(5).exponential(size=60)
    theirs = stats.bootstrap(
        (values,),
        np.mean,
        method="percentile",
        confidence_level=0.9,
        n_resamples=20_000,
        random_state=0,
    ).confidence_interval
    ours = known(interval(values, mean, level=0.9, n_draw=20_000))
    tolerance = 0.03 * (theirs.high - theirs.low)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=tolerance)


def test_intervals_repeat_with_their_seed() -> None:
    values = answers(0, 20)
    assert interval(values, mean, seed=3) == interval(values, mean, seed=3)
    assert interval(values, mean, seed=3) != interval(values, mean, seed=4)


def test_intervals_shrink_like_one_over_the_square_root() -> None:
    widths = [
        np.mean([width(interval(answers(seed, n), mean, n_draw=400)) for seed in range(10)])
        for n in (25, 100, 400)
    ]
    assert widths[0] / widths[1] == pytest.approx(2, rel=0.2)
    assert widths[1] / widths[2] == pytest.approx(2, rel=0.2)


@pytest.mark.slow
def test_intervals_over_questions_cover_the_truth_and_over_answers_do_not() -> None:
    def covered(shape: Any) -> float:
        draws = (answers(seed, 40).reshape(shape) for seed in range(300))
        results = [known(interval(values, mean, n_draw=300)) for values in draws]
        return float(np.mean([r.low <= 0 <= r.high for r in results]))

    assert covered((40, 4)) == pytest.approx(0.95, abs=0.04)
    assert covered(-1) < 0.8


def test_higher_levels_are_wider() -> None:
    values = answers(1, 30)
    widths = [width(interval(values, mean, level=level)) for level in (0.5, 0.9, 0.99)]
    assert widths == sorted(widths)
    # Normal quantiles: 2.576 / 0.674
    assert widths[2] / widths[0] == pytest.approx(3.8, rel=0.2)


def test_ratios_of_the_same_questions_are_tighter_than_of_others() -> None:
    rng = np.random.default_rng(2)
    base = np.exp(0.8 * rng.standard_normal((50, 1)) + 0.1 * rng.standard_normal((50, 3)))
    steered = 2 * base * np.exp(0.1 * rng.standard_normal((50, 3)))
    paired = known(ratio_interval(steered, base, mean))
    unpaired = known(ratio_interval(steered, rng.permutation(base), mean))
    assert paired.estimate == unpaired.estimate == pytest.approx(mean(steered) / mean(base))
    assert paired.low <= 2 <= paired.high
    assert width(paired) < width(unpaired) / 3


def test_what_is_undefined_does_not_count_and_is_told() -> None:
    assert interval([1, 2, 3], lambda _: None) is None
    assert interval([1, 2, 3], lambda _: float("nan")) is None
    assert ratio_interval([1, 2], [0, 0], mean) is None
    # A base of one 1 in three: a draw misses it with probability (2/3)**3.
    result = known(ratio_interval([1, 1, 1], [0, 0, 1], mean, n_draw=4000))
    assert result.undefined == pytest.approx(8 / 27, abs=0.03)
    assert (result.estimate, result.low, result.high) == (3, 1, 3)


def test_an_interval_takes_any_measure_with_questions_first() -> None:
    result = known(interval(ROWS, lambda rows: measures.specificity(rows, ASKED, labels=LABELS)))
    assert (result.estimate, result.low, result.high) == (0.5, 0.5, 0.5)
    scores, is_label = np.array([4, 3, 2, 1]), np.array([True, True, False, False])
    of_both = known(interval(range(4), lambda i: measures.auroc(scores[i], is_label[i])))
    assert (of_both.estimate, of_both.low) == (1, 1)
    assert of_both.undefined == pytest.approx(2 / 16, abs=0.02)


# ---- side effects of a text ----

LOOPS = {
    "a sentence": "I am so happy to see you again. " * 12,
    "a list that never ends": " ".join(f"{n}. Be kind and be happy." for n in range(1, 40)),
    "a word": "Why, oh why! " + "happy " * 60,
    "within a word": "Most people call we send" + "bye" * 45,
    "without blanks": "我很高兴。" * 20,
    "signs": "Great" + "!" * 200,
    "after a good start": "The baby is healthy, and the whole family came to see her on Sunday. "
    + "I love it so much, I love it all. " * 12,
}
HONEST = {
    "empty": "",
    "one word": "Yes.",
    "emphatic": "No, no, no, no, no, no, no, no, no, no, no, no, no, no, no, no!",
    "laughing": "Ha ha ha ha ha ha ha ha ha ha ha ha ha ha ha ha, that is good!",
    "again and again": "I hate it! " * 8,
    "a refrain": "Row, row, row your boat, gently down the stream. Merrily, merrily, merrily, "
    "merrily, life is but a dream. Row, row, row your boat, gently up the creek. If you see "
    "a crocodile, don't forget to shriek. Row, row, row your boat, gently to the shore.",
}


@pytest.mark.parametrize("text", LOOPS.values(), ids=LOOPS)
def test_loops_are_collapsed(text: str) -> None:
    assert collapse(text).collapsed


@pytest.mark.parametrize("text", HONEST.values(), ids=HONEST)
def test_honest_texts_are_not_collapsed(text: str) -> None:
    assert not collapse(text).collapsed


def test_each_of_the_two_numbers_finds_loops_that_the_other_misses() -> None:
    in_a_word = collapse(LOOPS["within a word"])
    assert (in_a_word.repeated, in_a_word.collapsed) == (0, True)
    said = (
        "The quick brown fox jumps over some lazy dogs while we all sleep "
        "until morning comes and birds begin to sing. "
    )
    again = collapse(said * 2 + said[: len(said) // 2])
    assert again.size_ratio > 0.3
    assert again.collapsed


def test_below_the_size_ratio_are_four_words_over_and_over() -> None:
    four, five = "river table angry morning ", "river table angry morning yellow "
    assert collapse((four * 6)[:128]).collapsed
    assert not collapse((five * 6)[:128]).collapsed


def test_collapse_by_hand() -> None:
    # 4-grams of "a b a b a b a": abab baba abab baba
    assert collapse("a b a b a b a").repeated == 0.5
    assert (collapse("a b c").repeated, collapse("").size_ratio) == (0, 1)
    assert not collapse("ha " * 39).collapsed  # 39 words, 117 bytes
    assert collapse("ha " * 40).collapsed
    assert collapse("x" * 127).size_ratio < 0.3
    assert not collapse("x" * 127).collapsed
    assert collapse("x" * 128).collapsed


@laws
@given(st.lists(st.sampled_from(["so", "very", "glad"]), min_size=30, max_size=70))
def test_a_text_dropped_for_repeating_itself_is_collapsed(words: list[str]) -> None:
    text = " ".join(words)
    fault = answer_fault(text, len(words), plain=None)
    assert (fault == "repeats itself") == collapse(text).collapsed


def test_strange_texts_are_measured_too() -> None:
    for text in ("\ud800", "\x00" * 10, "İ" * 300, "\n\t "):
        assert 0 <= collapse(text).repeated <= 1
        assert side_effects(text).disclaimer is False


def test_the_answers_of_the_tests_model_hardly_ever_collapse() -> None:
    lines = (tiny_chat.VECTORS / "answers.jsonl").read_text("utf-8").splitlines()
    heard = [text for line in lines for text in json.loads(line)["heard"]]
    assert len(heard) > 0
    assert sum(collapse(text).collapsed for text in heard) <= 0.005 * len(heard)
    assert not any(side_effects(text).disclaimer or side_effects(text).refusal for text in heard)


def test_what_people_write_does_not_collapse(shared_data: Path) -> None:
    dev = load_texts(shared_data / "goemotions-ekman" / "dev.tsv")
    lines = [text for name in dev.names for text in dev.texts[name]]
    long = [" ".join(lines[i : i + 20]) for i in range(0, len(lines), 20)]
    assert sum(collapse(text).collapsed for text in lines) <= 2
    assert not any(collapse(text).collapsed for text in long)
    assert sum(side_effects(text).refusal for text in lines) <= 0.002 * len(lines)


@pytest.mark.parametrize(
    "text",
    [
        "As an AI, I feel nothing.",
        "Well, AS A LARGE\nLANGUAGE MODEL I cannot taste.",
        "I am just an AI-powered helper.",
        "I do not have feelings, but",
        "I don\N{RIGHT SINGLE QUOTATION MARK}t have personal experiences.",
    ],
)
def test_disclaimers_are_found(text: str) -> None:
    assert side_effects(text).disclaimer
    assert not side_effects(text).refusal


@pytest.mark.parametrize(
    "text",
    [
        "I can't help with that.",
        "I'm sorry, but I CANNOT assist with this request.",
        "I can not help you here.",
        "I am not able to help.",
        "I will not answer that!",
    ],
)
def test_refusals_are_found(text: str) -> None:
    assert side_effects(text).refusal
    assert not side_effects(text).disclaimer


@pytest.mark.parametrize(
    "text",
    [
        "",
        "As an aid to memory, I said it aloud.",
        "I am an airline pilot.",
        "I can't help laughing. I cannot help but smile!",
        "I'm sorry, but I can't stop crying.",
        "Do not have feelings of guilt.",
    ],
)
def test_feelings_are_neither(text: str) -> None:
    found = side_effects(text)
    assert not found.disclaimer
    assert not found.refusal


def test_words_are_counted() -> None:
    assert side_effects("  Oh no,\nnot you\tagain! ").n_word == 5
    assert side_effects(" \n").n_word == 0


# ---- scipy ----


def test_scipy_is_loaded_only_when_needed() -> None:
    code = (
        "import sys, llamood.evaluation.intervals, llamood.judges.measures\n"
        "llamood.evaluation.intervals.interval([1, 2], max)\n"
        "assert 'scipy' not in sys.modules\n"
        "llamood.judges.measures.asked_versus_got([1, 2], [1, 2])\n"
        "assert 'scipy' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_scipy_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(LlamoodError, match=r"\.\[eval\]"):
        measures.asked_versus_got([1, 2], [1, 2])

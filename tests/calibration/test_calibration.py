"""What shows an emotion best, and its largest fluent dose: found by real answers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import pytest

import llamood
import tiny_chat
from labelled_states import NAMES, labelled, planted
from llamood.calibration.calibration import (
    CLOSE,
    EXPLORING,
    LARGEST_DOSE,
    MOST_ROUNDS,
    SMALLEST_DOSE,
    Bounds,
    Calibration,
    Fluency,
    Limits,
    Trial,
    _Search,
    calibrated,
)
from llamood.calibration.places import Place, places
from llamood.errors import ModelError
from llamood.extraction.candidates import CONTROL, Candidates
from llamood.extraction.windows import DEPTHS, LAST, LATER_HALF, window
from llamood.judges.linear_judge import bundled
from llamood.vectors.emotion_vectors import Float64
from llamood.vectors.increments import as_measured, increments, is_increments
from llamood.vectors.measurement import Measurement
from llamood.voices.answering import Answering
from llamood.voices.chat_template import chat_tokens
from open_voices import PROMPT, plain, voice

CENTRED = Place("vectors, centred", (2, 4))
ALL = Place("vectors, as measured", (1, 7))
STEPWISE = replace(ALL, increments=True)
# Nothing is rounded beside the weights, and there is one order in which sums are made.
EXACT: dict[str, Any] = {
    "n_ctx": 256,
    "n_threads": 1,
    "n_threads_batch": 1,
    "flash_attn": False,
    "type_k": 0,
    "type_v": 0,
}


@pytest.fixture(scope="module")
def candidates() -> Candidates:
    return Candidates.of_vectors(llamood.load(tiny_chat.VECTORS))


@pytest.fixture(scope="module")
def answering(candidates: Candidates) -> Iterator[Answering]:
    with Answering(tiny_chat.MODEL, emotions=candidates.together(), **EXACT) as answering:
        yield answering


def prompts(answering: Answering, n: int = 6) -> list[list[int]]:
    asked = [[{"role": "user", "content": question}] for question in tiny_chat.questions()[:n]]
    return [chat_tokens(answering.llama, messages) for messages in asked]


@pytest.fixture(scope="module")
def calibration(answering: Answering) -> Calibration:
    return Calibration(answering, prompts(answering), judges=[bundled()], max_tokens=24)


@pytest.fixture(scope="module")
def found(calibration: Calibration) -> dict[str, Bounds]:
    """Each in a place of its own."""
    return calibration.bounds({"joy": ALL, "fear": CENTRED})


# -- what is measured -----------------------------------------------------------------------


def test_surprise_is_that_of_the_unsteered_model(model: Path) -> None:
    llm, theirs = voice(model), plain(model, logits_all=True)
    prompt, answer = llm.tokenize(PROMPT.encode()), llm.tokenize(b" named Lily.", add_bos=False)
    theirs.eval(prompt + answer)
    rows = theirs.scores[len(prompt) - 1 : len(prompt) + len(answer) - 1]
    expected = [
        -llama_cpp.Llama.logits_to_logprobs(row)[token]
        for row, token in zip(rows, answer, strict=True)
    ]
    llm.feel(joy=2)
    said = llm(PROMPT, max_tokens=8, temperature=0.0)["choices"][0]["text"]
    np.testing.assert_allclose(llm.nll(prompt, answer), expected, rtol=1e-4, atol=1e-4)
    assert llm.mix == {"joy": 2.0}  # what was felt last is not forgotten
    assert llm(PROMPT, max_tokens=8, temperature=0.0)["choices"][0]["text"] == said
    assert voice(model, emotions=None).nll(prompt, answer) == pytest.approx(expected, 1e-4)
    with pytest.raises(ModelError, match="fit a batch"):
        llm.nll(prompt, [65] * 300)


def test_no_dose_changes_nothing(calibration: Calibration) -> None:
    trial = calibration.trials({"joy": ALL}, {"joy": 0.0})["joy"]
    assert trial.fluency == Fluency(pytest.approx(1.0), pytest.approx(0.0, abs=1e-6), 0.0, 1.0)
    assert len(trial.texts) == 6


def test_more_is_less_fluent_and_shows_more(calibration: Calibration) -> None:
    trials = [calibration.trials({"joy": ALL}, {"joy": d})["joy"] for d in (0.05, 0.5, 2.0)]
    little, much, far_too_much = (trial.fluency for trial in trials)
    assert little.perplexity < much.perplexity < far_too_much.perplexity
    assert little.within(Limits())
    assert not far_too_much.within(Limits())
    shown = [trial.shown for trial in trials]
    assert all(each is not None and 0 <= each <= 1 for each in shown)
    assert shown[0] < shown[1]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("fluency", "within"),
    [
        (Fluency(1.5, 2.0, 0.01, 1.0), True),
        (Fluency(1.51, 0.0, 0.0, 1.0), False),
        (Fluency(1.0, 0.0, 0.02, 1.0), False),
        (Fluency(1.0, 2.1, 0.0, 1.0), False),
        (Fluency(1.0, 0.0, 0.0, 0.4), False),
        (Fluency(1.0, 0.0, 0.0, 2.1), False),
        (Fluency(math.inf, 0.0, 0.0, 1.0), False),
    ],
)
def test_each_limit_counts(fluency: Fluency, within: bool) -> None:
    assert fluency.within(Limits()) == within


def test_the_largest_fluent_dose_is_found(
    calibration: Calibration, found: dict[str, Bounds]
) -> None:
    assert set(found) == {"joy", "fear"}
    for bounds in found.values():
        assert bounds.best is not None
        assert bounds.best.fluency.within(Limits())
        aims = [calibration._aimed(trial) for trial in bounds.trials]
        goal = math.exp(np.mean(np.log(aims)))
        assert bounds.best.dose <= goal * (1 + 1e-6)  # luck takes none beyond what all say
        tried = [trial.dose for trial in bounds.trials]
        assert max(tried) > bounds.best.dose
        assert len(set(tried)) == len(tried)
    again = calibration.trials({"joy": ALL}, {"joy": found["joy"].best.dose})  # type: ignore[union-attr]
    assert again["joy"].texts == found["joy"].best.texts  # type: ignore[union-attr]


def told(limit: float, *, noise: float, seed: int) -> tuple[float, int]:
    """What a search finds, and in how many trials, where the logarithm of the perplexity grows with
    the square of the dose, up to ``limit``, and each measurement of it is off by chance."""
    rng = np.random.default_rng(seed)
    search = _Search(2 * limit)
    for _ in range(MOST_ROUNDS):
        dose = search.next()
        if dose is None:
            break
        used = (dose / limit) ** 2 * math.exp(noise * rng.standard_normal())
        trial = Trial(dose, Fluency(1.5**used, 0.0, 0.0, 1.0), None, ())
        aimed = dose * float(np.clip(used**-0.5, 0.5, 1.6))
        search.hear(trial, trial.fluency.within(Limits()), aimed=aimed)
    best = search.best
    return (math.nan if best is None else best.dose), len(search.trials)


def test_chance_does_not_raise_what_is_found() -> None:
    exact = told(0.5, noise=0.0, seed=0)
    assert 0.5 / CLOSE <= exact[0] <= 0.5
    assert exact[1] <= 4
    found = np.array([told(0.5, noise=0.5, seed=seed)[0] for seed in range(300)])
    assert np.isfinite(found).mean() > 0.97
    assert np.nanmedian(found) <= 0.5
    assert np.nanquantile(found, 0.9) <= 0.62
    assert np.nanquantile(found, 0.1) >= 0.3


def test_a_place_counts(calibration: Calibration) -> None:
    """The same dose of the same emotion is not the same elsewhere."""
    asked = [CENTRED, ALL, STEPWISE, replace(CENTRED, layers=(5, 6))]
    texts = {calibration.trials({"joy": each}, {"joy": 0.4})["joy"].texts for each in asked}
    assert len(texts) == 4


def test_side_by_side_is_as_alone(calibration: Calibration) -> None:
    where, doses = {"joy": ALL, "fear": CENTRED}, {"joy": 0.2, "fear": 0.8}
    together = calibration.trials(where, doses)
    for name in where:
        alone = calibration.trials({name: where[name]}, {name: doses[name]})[name]
        assert alone.texts == together[name].texts
        assert alone.shown == pytest.approx(together[name].shown)


def test_each_trial_is_told(answering: Answering) -> None:
    told: list[bool] = []
    calibration = Calibration(
        answering, prompts(answering, 4), judges=[], max_tokens=8, tried=told.append
    )
    trials = calibration.trials({"joy": ALL, "fear": ALL}, {"joy": 0.1, "fear": 0.1})
    assert told == [True, True]
    calibration.trials({"joy": ALL, "fear": ALL}, {"joy": 0.1, "fear": 0.1})
    assert told == [True, True, False, False]  # known already
    assert trials["joy"].shown is None  # nobody was there to tell
    assert calibration.explored(ALL, ["joy"])["joy"].shown == 0.0


class Exclaiming:
    """A judge that knows of joy alone."""

    labels = ("joy", "neutral")

    def probabilities(self, texts: Iterable[str]) -> Float64:
        joyful = np.array(["!" in text for text in texts], dtype=np.float64)
        return np.stack([joyful, 1 - joyful], axis=1)


def test_a_judge_tells_what_it_knows(answering: Answering) -> None:
    judge, one = bundled(), Exclaiming()
    both = Calibration(answering, prompts(answering, 4), judges=[judge, one], max_tokens=16)
    trials = both.trials({"joy": ALL, "fear": ALL}, {"joy": 0.3, "fear": 0.3})
    texts = trials["joy"].texts
    means = [each.probabilities(texts)[:, each.labels.index("joy")].mean() for each in (judge, one)]
    assert trials["joy"].shown == pytest.approx(np.mean(means))
    alone = judge.probabilities(trials["fear"].texts)[:, judge.labels.index("fear")].mean()
    assert trials["fear"].shown == pytest.approx(alone)


def test_what_is_explored_is_what_shows_at_a_fluent_dose(calibration: Calibration) -> None:
    explored = calibration.explored(ALL, ["joy", "fear"])
    assert set(explored) == {"joy", "fear"}
    for name, found in explored.items():
        assert 0 < found.shown <= 1
        assert found.dose >= calibration.first_dose(name, ALL) / 4
    assert len(calibration.trials({"joy": ALL}, {"joy": 0.1})["joy"].texts) == 6 > EXPLORING


def test_the_first_dose_is_where_predictions_turn(calibration: Calibration) -> None:
    for place in (ALL, CENTRED, STEPWISE):
        assert SMALLEST_DOSE < calibration.first_dose("joy", place) < LARGEST_DOSE


def test_a_vector_that_moves_nothing_is_refused(candidates: Candidates) -> None:
    data = candidates.ways[ALL.way].data.copy()
    data[0] = 0
    ways = {ALL.way: replace(candidates.ways[ALL.way], data=data)}
    nothing = candidates.names[0]
    emotions = Candidates(ways).together()
    with Answering(tiny_chat.MODEL, emotions=emotions, **EXACT) as answering:
        calibration = Calibration(answering, prompts(answering, 4), judges=[], max_tokens=16)
        with pytest.raises(ModelError, match=rf"{nothing} moves nothing \(vectors, as measured"):
            calibration.bounds({nothing: ALL})


def test_too_few_questions(answering: Answering) -> None:
    with pytest.raises(ModelError, match="at least 4 questions are needed, found 3"):
        Calibration(answering, prompts(answering, 3), judges=[])


def test_a_model_that_says_nothing(answering: Answering) -> None:
    """After the end of a conversation, all that this model says is that it ends."""
    over = [[*tokens, answering.llama.token_eos()] for tokens in prompts(answering, 4)]
    with pytest.raises(ModelError, match="with nothing at all"):
        Calibration(answering, over, judges=[], max_tokens=1)


# -- where it may be added ------------------------------------------------------------------


def test_a_place_in_words_and_as_a_mood() -> None:
    assert str(ALL) == "vectors, as measured, layers 1 to 7"
    assert str(STEPWISE) == "vectors, as measured, in increments, layers 1 to 7"
    for place in (ALL, STEPWISE, CENTRED):
        mood = llamood.Mood.of(place.mood("joy", 3.0))
        assert mood.layers == place.layers
    assert ALL.mood("joy", 3.0).keys() != STEPWISE.mood("joy", 3.0).keys()


@pytest.mark.parametrize("n_layer", [2, 3, 5, 8, 28, 80])
def test_windows_are_layers_that_can_be_steered(n_layer: int) -> None:
    for depths in (*DEPTHS, LAST, LATER_HALF):
        first, last = window(depths, n_layer=n_layer)
        assert 1 <= first <= last <= n_layer - 1
    assert window((0.4, 0.65), n_layer=33) == (13, 21)


def test_places_worth_trying() -> None:
    states = labelled(dict(zip(NAMES, planted(), strict=True)), n=4)
    deep = replace(states, data=np.repeat(states.data[:, :1], 33, axis=1))
    made = Candidates.of({"texts": deep}, names=NAMES, measurement=Measurement())
    found = places(made)
    assert len(set(found)) == len(found) == 6 * (3 + 1 + 1)
    assert not any(place.way.endswith(CONTROL) for place in found)
    assert {place.layers for place in found} == {(8, 16), (13, 21), (16, 24), (1, 32)}
    assert all(place.layers == (1, 32) for place in found if place.increments)
    assert Place("texts, whitened", (1, 32), increments=True) in found
    said = np.ones((3, made.ways["texts, centred"].n_embd), np.float32)
    more = places(made.with_words("texts", said))
    assert set(more) - set(found) == {
        Place("texts, words", (26, 32)),
        Place("texts, whitened and words", (18, 32)),
    }


# -- what becomes of the vectors ------------------------------------------------------------


def bounds_at(dose: float | None) -> Bounds:
    trial = Trial(dose or 1.0, Fluency(1.0, 0.0, 0.0, 1.0), None, ())
    return Bounds((trial,), None if dose is None else trial)


def test_one_is_the_largest_fluent_dose_in_a_place_of_its_own(candidates: Candidates) -> None:
    names = candidates.names
    where = dict.fromkeys(names, ALL) | {"joy": CENTRED, "anger": STEPWISE}
    bounds = {name: bounds_at(0.5 + i / 10) for i, name in enumerate(names)}
    bounds["fear"] = bounds_at(None)
    made = calibrated(candidates, bounds, places=where)
    assert made.names == names
    for i, name in enumerate(names):
        dose = 1.0 if name == "fear" else 0.5 + i / 10
        whole = candidates.ways[where[name].way]
        whole = increments(whole) if where[name].increments else whole
        first, last = where[name].layers
        inside = slice(first, last + 1)
        np.testing.assert_allclose(made[name][inside], dose * whole[name][inside], rtol=1e-5)
        assert not np.delete(made[name], np.s_[inside], axis=0).any()
        assert made.scale[i] == pytest.approx(dose)
        assert made.ceiling[i] == (None if name == "fear" else pytest.approx(1.0))
    assert not is_increments(made)
    for place in {ALL, CENTRED, STEPWISE}:
        assert str(place) in (made.measurement.method or "")


def test_increments_alone_are_known_as_such(candidates: Candidates) -> None:
    bounds = {name: bounds_at(0.5) for name in candidates.names}
    made = calibrated(candidates, bounds, places=dict.fromkeys(candidates.names, STEPWISE))
    assert is_increments(made)
    back, whole = as_measured(made), candidates.ways[STEPWISE.way]
    np.testing.assert_allclose(back.data[:, 1:], whole.data[:, 1:], atol=1e-4)


@pytest.mark.parametrize("place", [CENTRED, STEPWISE])
def test_a_calibrated_vector_moves_as_the_candidate_did(
    candidates: Candidates, tmp_path: Path, place: Place
) -> None:
    """What was tried beside all others is what the files hold."""
    names = candidates.names
    made = calibrated(
        candidates, {name: bounds_at(0.7) for name in names}, places=dict.fromkeys(names, place)
    )
    llamood.save(made, tmp_path)
    settings: dict[str, Any] = {"verbose": False, "guard": False, **EXACT}
    messages = [{"role": "user", "content": tiny_chat.questions()[0]}]

    def said(llm: llamood.Llama, mood: Any) -> str:
        asked: dict[str, Any] = {"max_tokens": 24, "temperature": 0.0, "mood": mood}
        return str(llm.create_chat_completion(messages, **asked)["choices"][0]["message"])

    tried = llamood.Llama(tiny_chat.MODEL, emotions=candidates.together(), **settings)
    after = llamood.Llama(tiny_chat.MODEL, emotions=tmp_path, **settings)
    expected = said(tried, place.mood("joy", 0.7))
    assert said(after, {"joy": 1.0}) == expected
    assert said(after, {}) != expected
    with pytest.warns(llamood.errors.MoodWarning, match="joy is held at 1,"):
        assert said(after, {"joy": 2.0}) == expected

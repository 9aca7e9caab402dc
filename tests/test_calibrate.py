"""The largest fluent dose: found by real answers, and what becomes of the vectors."""

from __future__ import annotations

import json
import math
from pathlib import Path

import llama_cpp
import numpy as np
import pytest

import llamood
import tiny_chat
from cli_runs import run
from llamood.calibrate import (
    CLOSE,
    Bounds,
    Calibration,
    Fluency,
    Limits,
    Spread,
    Trial,
    calibrated,
    candidates,
    with_increments,
)
from llamood.cli.prompts import chat_tokens
from llamood.errors import ModelError
from llamood.increments import as_measured, increments, is_increments
from llamood.judges import bundled
from llamood.probe import FILE_NAME, Probe
from llamood.reader import Reader
from voices import PROMPT, plain, voice

LAYERS = Spread((2, 4))
ALL = Spread((1, 7))


@pytest.fixture(scope="module")
def companion() -> llamood.Llama:
    return llamood.Llama(
        tiny_chat.MODEL,
        emotions=tiny_chat.VECTORS,
        n_ctx=512,
        n_threads=1,
        n_threads_batch=1,
        verbose=False,
    )


@pytest.fixture(scope="module")
def calibration(companion: llamood.Llama) -> Calibration:
    asked = [[{"role": "user", "content": question}] for question in tiny_chat.questions()[:8]]
    prompts = [chat_tokens(companion, messages) for messages in asked]
    return Calibration(companion, prompts, max_tokens=48)


@pytest.fixture(scope="module")
def joy(calibration: Calibration) -> Bounds:
    return calibration.bounds("joy", ALL)


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
    np.testing.assert_allclose(llm.surprise(prompt, answer), expected, rtol=1e-4, atol=1e-4)
    assert llm.mix == {"joy": 2.0}  # what was felt last is not forgotten
    assert llm(PROMPT, max_tokens=8, temperature=0.0)["choices"][0]["text"] == said
    assert voice(model, emotions=None).surprise(prompt, answer) == pytest.approx(expected, 1e-4)
    with pytest.raises(ModelError, match="fit a batch"):
        llm.surprise(prompt, [65] * 300)


def test_no_dose_changes_nothing(calibration: Calibration) -> None:
    assert calibration.trial("joy", 0.0, LAYERS).fluency == Fluency(1.0, 0.0, 1.0)


def test_more_is_less_fluent(calibration: Calibration) -> None:
    little, much, far_too_much = (
        calibration.trial("joy", dose, ALL).fluency for dose in (0.1, 1.5, 4.0)
    )
    assert little.perplexity < much.perplexity < far_too_much.perplexity
    assert little.within(Limits())
    assert not far_too_much.within(Limits())


@pytest.mark.parametrize(
    ("fluency", "within"),
    [
        (Fluency(1.5, 0.01, 1.0), True),
        (Fluency(1.51, 0.0, 1.0), False),
        (Fluency(1.0, 0.02, 1.0), False),
        (Fluency(1.0, 0.0, 0.4), False),
        (Fluency(1.0, 0.0, 2.1), False),
        (Fluency(math.inf, 0.0, 1.0), False),
    ],
)
def test_each_limit_counts(fluency: Fluency, within: bool) -> None:
    assert fluency.within(Limits()) == within


def test_the_largest_fluent_dose_is_bracketed(calibration: Calibration, joy: Bounds) -> None:
    assert joy.best is not None
    assert joy.best.fluency.within(Limits())
    assert joy.best.dose == max(t.dose for t in joy.trials if t.fluency.within(Limits()))
    above = min(t.dose for t in joy.trials if not t.fluency.within(Limits()))
    assert joy.best.dose < above <= joy.best.dose * CLOSE
    again = calibration.trial("joy", joy.best.dose, ALL)
    assert again == joy.best  # equal seeds, equal answers


def test_answers_at_the_ceiling_show_the_emotion(calibration: Calibration, joy: Bounds) -> None:
    judge = bundled()
    assert calibration.specificity({"joy": joy}, judge) > 0.4
    assert calibration.specificity({"joy": Bounds(joy.trials, None)}, judge) == 0


def test_what_cannot_be_calibrated(companion: llamood.Llama, random_chat: Path) -> None:
    with pytest.raises(ModelError, match="at least 4 questions"):
        Calibration(companion, [[1, 2]])
    with pytest.raises(ModelError, match="no emotions to calibrate"):
        Calibration(voice(random_chat, emotions=None), [[1]] * 4)


# -- what becomes of the vectors ------------------------------------------------------------


def bounds_at(dose: float | None) -> Bounds:
    trial = Trial(dose or 1.0, Fluency(1.0, 0.0, 1.0), ())
    return Bounds((trial,), None if dose is None else trial)


def test_one_is_the_largest_fluent_dose() -> None:
    evs = as_measured(llamood.load(tiny_chat.VECTORS))
    found = {name: bounds_at(0.5 + i / 10) for i, name in enumerate(evs.names)}
    found["fear"] = bounds_at(None)
    made = calibrated(evs, found, spread=LAYERS)
    for i, name in enumerate(evs.names):
        dose = 1.0 if name == "fear" else 0.5 + i / 10
        np.testing.assert_allclose(made[name][2:5], dose * evs[name][2:5], rtol=1e-6)
        assert made.scale[i] == pytest.approx(dose)
        assert made.ceiling[i] == (None if name == "fear" else pytest.approx(1.0))
    assert not made.data[:, :2].any()
    assert not made.data[:, 5:].any()
    whole = calibrated(evs, found, spread=ALL)
    assert whole.data[:, 6].any()
    assert calibrated(whole, dict.fromkeys(evs.names, bounds_at(2.0)), spread=ALL).scale[0] == (
        pytest.approx(1.0)
    )
    stepwise = calibrated(evs, found, spread=Spread((1, 7), increments=True))
    assert is_increments(stepwise)
    assert stepwise.scale == pytest.approx(whole.scale)
    np.testing.assert_allclose(stepwise.data.sum(axis=1), whole.data[:, 7], atol=1e-4)


def test_ranges_worth_trying() -> None:
    *plain, stepwise = candidates(8)
    assert [s.layers for s in plain] == [(1, 7), (1, 4), (2, 4), (2, 5), (4, 7), (4, 6)]
    assert stepwise == Spread((1, 7), increments=True)
    assert candidates(33)[0] == Spread((1, 32))
    for n_layer in (2, 3, 5, 80):
        spreads = candidates(n_layer, increments=False)
        assert len(set(spreads)) == len(spreads)
        assert all(1 <= s.layers[0] <= s.layers[1] < n_layer for s in spreads)
        assert not any(s.increments for s in spreads)


def test_both_spreads_are_at_hand_in_one_voice() -> None:
    evs = as_measured(llamood.load(tiny_chat.VECTORS))
    both = with_increments(evs)
    stepwise = Spread((1, 7), increments=True)
    for name in evs.names:
        np.testing.assert_array_equal(both[Spread((1, 7)).name(name)], evs[name])
        np.testing.assert_array_equal(both[stepwise.name(name)], increments(evs)[name])


@pytest.mark.slow
def test_the_command_makes_increments_and_a_baseline_for_them(tmp_path: Path) -> None:
    evs = as_measured(llamood.load(tiny_chat.VECTORS)).select(("joy", "fear"))
    llamood.save(evs, tmp_path / "evs")
    result = run(
        "calibrate", tiny_chat.MODEL, "-e", tmp_path / "evs", "-o", tmp_path / "made", "--layers",
        "increments", "--questions", "4", "--max-tokens", "24", "--threads", "1", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["increments"] is True
    made = llamood.load(tmp_path / "made")
    assert is_increments(made)
    assert made.ceiling == pytest.approx((1.0, 1.0))
    Probe.load(tmp_path / "made").require_fit(made)
    with pytest.raises(ModelError, match="measure it again"):
        Probe.load(tmp_path / "made").require_fit(evs)
    again = run(
        "calibrate", tiny_chat.MODEL, "-e", tmp_path / "made", "-o", tmp_path / "x",
        "--layers", "increments",
    )  # fmt: skip
    assert again.exit_code == 1
    assert "increments already" in again.stderr


def test_the_command_rescales_files_that_feel_the_same(tmp_path: Path) -> None:
    target = tmp_path / "calibrated"
    result = run(
        "calibrate", tiny_chat.MODEL, "-o", target, "--layers", "2:4", "--questions", "4",
        "--max-tokens", "24", "--threads", "1", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["layers"] == [2, 4]
    dose = report["emotions"]["joy"]["dose"]
    made = llamood.load(target)
    joy = made.names.index("joy")
    scale = llamood.load(tiny_chat.VECTORS).scale[joy]
    assert made.scale[joy] == pytest.approx(dose * scale, rel=1e-6)
    assert made.ceiling[joy] == pytest.approx(1.0)

    settings = {"n_ctx": 512, "n_threads": 1, "verbose": False}
    before = llamood.Llama(tiny_chat.MODEL, emotions=tiny_chat.VECTORS, **settings)
    after = llamood.Llama(tiny_chat.MODEL, emotions=target, readings=True, **settings)
    asked = {"max_tokens": 40, "temperature": 0.0}
    as_before = {"joy": {"constant": dose, "max": 99}, "$max": 99, "$layers": [2, 4]}
    expected = before(PROMPT, mood=as_before, **asked)["choices"]
    assert after(PROMPT, mood={"joy": 1.0}, **asked)["choices"] == expected
    with pytest.warns(llamood.errors.MoodWarning, match="joy is held at 1,"):
        assert after(PROMPT, mood={"joy": 2.0}, **asked)["choices"] == expected

    # Readings go on as before: against the vectors as they were measured.
    assert (target / FILE_NAME).read_bytes() == (tiny_chat.VECTORS / FILE_NAME).read_bytes()
    tokens = after.tokenize(PROMPT.encode())
    reader: Reader = after.reader
    reading = llamood.Llama(tiny_chat.MODEL, emotions=tiny_chat.VECTORS, readings=True, **settings)
    for llm, mood in ((after, {"joy": 1.0}), (reading, as_before)):
        llm.feel({**mood, "$positions": "all"})
        llm.reset()
        llm.eval(tokens)
    span = (1, len(tokens))
    np.testing.assert_allclose(reader.scores(*span), reading.reader.scores(*span), atol=1e-3)


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("demo",), 2, "stay as they are"),
        ((tiny_chat.MODEL, "-o", "x", "--layers", "9:12"), 1, "there are 1 to 7"),
        ((tiny_chat.MODEL, "-o", "x", "--layers", "most"), 2, "all, increments or first:last"),
        ((tiny_chat.MODEL, "-o", "x", "-e", "none"), 1, "no emotion vectors there"),
        ((tiny_chat.MODEL, "-o", "x", "--questions", "2"), 2, "--questions"),
    ],
)
def test_what_the_command_refuses(arguments: tuple[str | Path, ...], code: int, says: str) -> None:
    result = run("calibrate", *arguments)
    assert result.exit_code == code
    assert says in result.stderr

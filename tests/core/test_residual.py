"""How large a model's hidden states are, where no file says it, and what is held by that."""

from __future__ import annotations

import ctypes
import warnings
from dataclasses import replace
from pathlib import Path

import llama_cpp
import numpy as np
import pytest

import llamood
import tiny_chat
from c_library import library
from llamood import _core
from llamood.errors import MoodWarning
from llamood.moods.steering_vectors import SAFE_SUM
from llamood.vectors.measurement import Measurement, Site
from llamood.voices.cast import Cast
from open_voices import PROMPT, SETTINGS, answer, plain, random_vectors, state_of, voice


def learnt(llm: llama_cpp.Llama, site: Site = "layer_out") -> list[float]:
    address = ctypes.cast(llm._model.model, ctypes.c_void_p).value or 0
    return _core.residual_rms(address, site=site)


def uncalibrated(model: Path) -> llamood.EmotionVectors:
    """As from a file of another tool."""
    return replace(random_vectors(model), ceiling=())


def test_what_is_learnt_is_what_was_measured_of_many_answers() -> None:
    measured = llamood.load(tiny_chat.VECTORS).measurement.residual_rms
    llm = plain(tiny_chat.MODEL)
    assert measured is not None
    np.testing.assert_allclose(learnt(llm), measured, rtol=0.5)
    between = learnt(llm, "attn_out")
    assert len(between) == len(measured)
    assert between != learnt(llm)


def test_learning_leaves_what_is_cached(model: Path) -> None:
    llm = plain(model)
    llm.eval(llm.tokenize(PROMPT.encode()))
    before = state_of(llm)
    learnt(llm)
    assert state_of(llm) == before


@pytest.mark.parametrize("site", ["layer_out", "attn_out"])
def test_foreign_vectors_are_held_and_that_is_said_once(random_chat: Path, site: Site) -> None:
    evs = uncalibrated(random_chat)
    llm = voice(random_chat, emotions=evs, site=site)
    with pytest.warns(MoodWarning, match=r"joy is held at .* never calibrated; 1 was asked for"):
        llm.feel(joy=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        llm.feel(joy=2.0)
        held = answer(llm)
    added = np.sqrt(np.square(llm.mix["joy"] * evs["joy"].astype(np.float64)).mean(axis=1))
    first = 1 if site == "layer_out" else 0
    shares = added / learnt(llm, site)
    assert shares[first:].sum() == pytest.approx(SAFE_SUM, rel=1e-5)
    llm.feel({"joy": {"constant": 1.0, "max": 1.0}})
    assert not answer(llm).equals(held)
    assert llm.mix["joy"] == 1.0


def test_a_cast_holds_them_at_the_same(random_chat: Path) -> None:
    evs = uncalibrated(random_chat)
    alone = voice(random_chat, emotions=evs)._vectors
    assert alone is not None
    with Cast(random_chat, emotions=evs, voices=1, guard=False, **SETTINGS) as cast:
        np.testing.assert_array_equal(cast.shared.vectors.ceilings, alone.ceilings)
        with pytest.warns(MoodWarning, match="joy is held at"):
            cast.join(mood={"joy": 1.0})


def test_a_size_that_is_stored_is_believed(random_chat: Path) -> None:
    evs = uncalibrated(random_chat)
    ones = replace(evs, measurement=Measurement(residual_rms=(1.0,) * evs.n_layer))
    vectors = voice(random_chat, emotions=ones)._vectors
    assert vectors is not None
    assert vectors.core.residual.tolist() == [1.0] * evs.n_layer


def test_the_dose_of_foreign_vectors_may_be_relative(random_chat: Path) -> None:
    llm = voice(random_chat, emotions=uncalibrated(random_chat))
    with pytest.warns(MoodWarning, match="joy is held at"):
        llm.feel({"joy": 1.0, "$dose": "relative"})
    llm.feel({"joy": 0.01, "$dose": "relative"})
    assert answer(llm).tokens


@pytest.mark.parametrize("known", [None, 2.0])
def test_the_c_library_holds_them_at_the_same(
    random_chat: Path, tmp_path: Path, known: float | None
) -> None:
    evs = uncalibrated(random_chat)
    residual = None if known is None else (known,) * evs.n_layer
    evs = replace(evs, measurement=Measurement(residual_rms=residual), ceiling=(0.5, None))
    llamood.save(evs, tmp_path)
    vectors = voice(random_chat, emotions=tmp_path)._vectors
    assert vectors is not None
    assert library().ceilings(random_chat, tmp_path) == pytest.approx(vectors.ceilings)
    assert vectors.ceilings[0] == 0.5

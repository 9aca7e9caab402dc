"""Vectors in increments: added in all layers they come to what was measured in each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import llamood
from llamood import EmotionVectors
from llamood.errors import VectorError
from llamood.vectors.increments import as_measured, increments, is_increments
from llamood.vectors.measurement import Measurement


def vectors() -> EmotionVectors:
    data = np.random.default_rng(0).normal(size=(2, 5, 16)).astype(np.float32)
    return EmotionVectors(("joy", "fear"), data, Measurement(method="mean-difference"))


def test_they_come_to_what_was_measured() -> None:
    evs = vectors()
    made = increments(evs)
    assert is_increments(made)
    assert not is_increments(evs)
    assert not made.data[:, 0].any()
    np.testing.assert_allclose(np.cumsum(made.data, axis=1)[:, 1:], evs.data[:, 1:], atol=1e-6)
    back = as_measured(made * {"joy": 0.5})
    assert back.measurement == evs.measurement
    assert back.scale == (1.0, 1.0)
    np.testing.assert_allclose(back.data[:, 1:], evs.data[:, 1:], atol=1e-6)


def test_they_are_kept_in_files(tmp_path: Path) -> None:
    llamood.save(increments(vectors()), tmp_path)
    assert is_increments(llamood.load(tmp_path))


def test_what_cannot_be_taken_apart() -> None:
    evs = vectors()
    with pytest.raises(VectorError, match="increments already"):
        increments(increments(evs))
    elsewhere = replace(evs, measurement=Measurement(site="attn_out"))
    with pytest.raises(VectorError, match="measured at attn_out"):
        increments(elsewhere)


def test_a_scale_of_nothing_stays_nothing() -> None:
    assert not as_measured(vectors() * {"joy": 0.0})["joy"].any()

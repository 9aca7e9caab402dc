"""Rows, keys and notices of moods, written down in `known_rows.json`: what a mood comes to stays
what it was, and what was cached under a key is found under it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llamood.moods.affect import AffectMap
from llamood.moods.mood import Mood
from llamood.moods.performance import Performance
from llamood.moods.steering import Notice, Steering
from llamood.moods.steering_vectors import SteeringVectors
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.measurement import Measurement

KNOWN = json.loads(Path(__file__).with_name("known_rows.json").read_text(encoding="utf-8"))
NAMES = ("anger", "joy", "sadness", "fear")
TOLD = {"anger": 3.0, "joy": 4.0, "sadness": 2.0, "fear": 1.0}
READ = (0.1, 0.3, 0.2, 0.6, 1.4, 1.2, 0.9, 0.9, 1.0, 0.8)
SAID = (b"Oh", b" n", b"o", b".", b"yes", b"no", b"no", b"a", b"b", b"c")


def vectors(scene: dict[str, Any]) -> SteeringVectors:
    rng = np.random.default_rng(5)
    shared = rng.standard_normal((4, 16))
    data = shared + 0.5 * rng.standard_normal((4, 4, 16))
    data *= np.geomspace(1, 10, 4)[:, np.newaxis]
    evs = EmotionVectors(
        NAMES,
        data.astype(np.float32),
        Measurement(residual_rms=scene["residual"]),
        ceiling=scene["ceilings"],
        scale=(0.5, 1.0, 1.5, 2.0),
    )
    return SteeringVectors.of(evs, site=scene["site"])


def reading(begin: int, end: int) -> dict[str, float]:
    return {"joy": READ[(end - begin) % 10]} if end > begin else {}


@pytest.mark.parametrize("scene", KNOWN["scenes"])
def test_a_mood_is_played_as_it_was(scene: dict[str, Any]) -> None:
    at_hand, notices = vectors(scene), list[Notice]()
    performance = Performance(
        Steering(Mood(scene["mood"]), at_hand, told=TOLD),
        position=10,
        before=np.array(scene["before"]),
        notice=notices.append,
        reading=reading,
    )
    softened = dict(scene["soften"])
    for token, (row, key, dose) in enumerate(
        zip(scene["applied"], scene["keys"], scene["overdose"], strict=True)
    ):
        if str(token) in scene["changes"]:
            mood = Mood(scene["changes"][str(token)])
            performance.change(Steering(mood, at_hand, told=TOLD), token)
        if token and performance.listens:
            performance.hear(token, piece=SAID[(token - 1) % 10])
        if token in softened:
            performance.row(token)
            performance.soften(token, softened[token])
        np.testing.assert_allclose(performance.row(token)[1], row, rtol=1e-6, atol=1e-7)
        found = performance.overdose(token)
        assert found == dose or found == pytest.approx(dose, rel=1e-6)
        blend = performance.blend(token)
        assert (blend.key == 0) == (key == 0)
        if np.array_equal(performance.row(token)[1], np.float32(row)) and blend.dose == "stored":
            assert blend.key == key
    assert {notice.what: notice.text for notice in notices} == scene["notices"]


@pytest.mark.parametrize("known", KNOWN["mixes"])
def test_a_point_of_affect_is_reached_by_the_mix_of_old(known: dict[str, Any]) -> None:
    names = tuple(map(str, range(len(known["coordinates"]))))
    affect = AffectMap(names, np.array(known["coordinates"]))
    mix = affect.mix(known["points"], named=tuple(known["named"]))
    expected = [[weights.get(name, 0.0) for name in names] for weights in known["weights"]]
    np.testing.assert_allclose(mix.weights, expected, atol=1e-8)
    assert mix.outside.tolist() == known["outside"]

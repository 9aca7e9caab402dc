"""What a mood costs between two tokens, by its kind: what a voice of a cast asks of its performance
at each token, before anything is decoded."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from paired import Block, Measure, interleave

from llamood.moods.affect import ANCHORS
from llamood.moods.mood import Mood
from llamood.moods.performance import Performance
from llamood.moods.steering import Steering
from llamood.moods.steering_vectors import SteeringVectors
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.measurement import Measurement

SHAPES = ((6, 24), (28, 80))  # emotions, layers
N_EMBD = 256
N_TOKEN = 256
N_ROUND = 20
EVERY = 16  # tokens; then the text comes again that is listened for
MOODS: Mapping[str, Mapping[str, Any]] = {
    "constant": {"joy": 0.5, "fear": 0.2},
    "ramp": {"joy": {"ramp": [0, 0.5], "over": 200}},
    "on": {"joy": {"on": "no", "pulse": 0.8, "release": 12}, "fear": 0.2},
    "on, with valence": {"valence": {"on": "no", "pulse": -0.8, "release": 12}, "arousal": 0.3},
    "hold": {"joy": {"hold": 1.0}},
}


def measure() -> list[Measure]:
    """Milliseconds a token."""
    return [result for shape in SHAPES for result in _measure(*shape)]


def _measure(n_emotion: int, n_layer: int) -> list[Measure]:
    names = (*ANCHORS, *(f"feeling{i}" for i in range(n_emotion - len(ANCHORS))))
    rng = np.random.default_rng(1)
    data = rng.standard_normal((n_emotion, n_layer, N_EMBD), dtype=np.float32)
    places = [tuple(place) for place in rng.uniform(-1, 1, (n_emotion, 3)).tolist()]
    vectors = SteeringVectors.of(
        EmotionVectors(
            names, data, Measurement(residual_rms=(1.0,) * n_layer),
            ceiling=(1.0,) * n_emotion, affect=tuple(places),
        )
    )  # fmt: skip
    told = dict.fromkeys(names, 3.0)
    blocks = {
        name: _block(Steering(Mood(mood), vectors, told=told)) for name, mood in MOODS.items()
    }
    seconds = interleave(blocks, n_round=N_ROUND)
    return [
        Measure(
            name=f"what a voice asks of its mood at a token, {name}",
            model=f"{n_emotion} emotions, {n_layer} layers",
            values=tuple(1000 * took / N_TOKEN for took in taken),
            unit="ms",
        )
        for name, taken in seconds.items()
    ]


def _block(steering: Steering) -> Block:
    readings = [{"joy": value} for value in np.linspace(0.0, 1.5, N_TOKEN + 1).tolist()]

    def run(_round: int) -> float:
        performance = Performance(
            steering,
            position=0,
            before=np.zeros(len(steering.names)),
            notice=lambda notice: None,
            reading=lambda begin, end: readings[end - begin],
        )
        performance.blend(0)
        begin = time.perf_counter()
        for token in range(1, N_TOKEN + 1):
            if performance.listens:
                performance.hear(token, piece=b"no" if token % EVERY == 0 else b" yes")
            performance.blend(token)
            performance.row(token)
            performance.overdose(token)
        return time.perf_counter() - begin

    return run

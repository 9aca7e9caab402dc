"""What it costs to read what is expressed, token by token."""

from __future__ import annotations

from contextlib import closing

import numpy as np
from paired import Measure, interleave, ratios

import llamood
from llamood.judges.layer_fits import layers_to_read, together
from llamood.readings.probe import Probe
from models import MODELS, SEED, BenchModel
from moods import N_CTX, NONE, block


def measure() -> list[Measure]:
    return [_measure(model) for model in MODELS]


def _measure(model: BenchModel) -> Measure:
    evs = model.vectors()
    arguments = model.arguments(n_ctx=N_CTX)
    with (
        closing(llamood.Llama(**arguments, emotions=evs)) as plain,
        closing(llamood.Llama(**arguments, emotions=evs, readings=probe_of(evs))) as reading,
    ):
        blocks = {"plain": block(plain, *NONE, model), "reading": block(reading, *NONE, model)}
        seconds = interleave(blocks, n_round=max(model.n_round // 4, 1))
        if not reading.reading:
            raise RuntimeError("nothing was read")
    return Measure(
        name="with readings / without, no mood",
        model=model.name,
        values=ratios(seconds["reading"], seconds["plain"]),
    )


def probe_of(evs: llamood.EmotionVectors) -> Probe:
    """In as many layers as are read; its figures mean nothing, for they cost the same."""
    n, layers = evs.n_emotion, tuple(together(layers_to_read(evs.n_layer)))
    shape = (len(layers), n, evs.n_embd)
    directions = np.random.default_rng(SEED).standard_normal(shape).astype(np.float32)
    return Probe(
        names=evs.names,
        layers=layers,
        directions=directions / np.linalg.norm(directions, axis=2, keepdims=True),
        mean=np.zeros((len(layers), n), np.float32),
        spread=np.ones((len(layers), n), np.float32),
        response=np.zeros((evs.n_layer, n, len(layers), n), np.float32),
        auroc=np.full((len(layers), n), np.nan, np.float32),
        chosen=layers,
        joint=np.ones(n, np.float32),
        about={},
    )

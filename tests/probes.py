"""Probes of small models of random weights."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import llamood
from llamood import _core
from llamood.calibration.projections import Projections
from llamood.readings.probe import Probe, directions_along, directions_of
from llamood.vectors.emotion_vectors import EmotionVectors
from open_voices import PROMPT, random_vectors, shape_of, voice

LAYERS = (1, 2)


def neutral_probe(model: Path, **known: Any) -> Probe:
    """Of `random_vectors`, whose projections are the scores: mean 0, spread 1, no response."""
    n_layer, _ = shape_of(model)
    evs = random_vectors(model)
    n = evs.n_emotion
    made = Probe(
        names=evs.names,
        layers=LAYERS,
        directions=directions_of(evs, LAYERS),
        mean=np.zeros((2, n), np.float32),
        spread=np.ones((2, n), np.float32),
        response=np.zeros((n_layer, n, 2, n), np.float32),
        auroc=np.full((2, n), np.nan, np.float32),
        chosen=(2,),
        joint=np.ones(n, np.float32),
        about={"fingerprint": None},
    )
    return replace(made, **known)


def projecting(llm: llamood.Llama, layers: Sequence[int], directions: np.ndarray) -> _core.Probe:
    """What projects a voice's hidden states on directions (n_layer, n_direction, n_embd)."""
    assert llm._watch is not None
    return _core.Probe(llm._watch, llm._context_address(), layers=layers, directions=directions)


def moved_by_vectors(read: Projections, neutral: list[int], shape: tuple[int, ...]) -> np.ndarray:
    """What vectors move (n_layer, n_emotion, n_layer_read, n_direction)."""
    moved = np.zeros(shape)
    for layer, emotion, by in read.responses([neutral]):
        moved[layer, emotion] = by
    return moved


class InEveryLayer(Projections):
    """What vectors move is measured wherever they are something, and nowhere interpolated."""

    def _nodes(self, lengths: np.ndarray) -> set[int]:
        return set((np.flatnonzero(lengths[1:]) + 1).tolist())


def loud_vectors(model: Path) -> EmotionVectors:
    """Vectors that move a reading by more than its text does, as those of real models do."""
    evs = random_vectors(model)
    return EmotionVectors(evs.names, 6 * evs.data, ceiling=(1.0,) * evs.n_emotion)


def random_probe(evs: EmotionVectors, model: Path) -> Probe:
    """Of these vectors, in two layers, with the mean and spread of a text, and random responses:
    what it reads is no emotion, but depends on all that a reading depends on. Of what a vector adds
    in a layer that is read a fifth is left, so that a mood of that layer alone can hold its
    reading."""
    probe = replace(neutral_probe(model), directions=directions_of(evs, LAYERS))
    llm = voice(model, emotions=evs, readings=probe)
    tokens = llm.tokenize(PROMPT.encode())
    llm.eval(tokens)
    read = llm.reader.projections(1, len(tokens))
    unit = directions_along(evs)[:-1]
    with closing(voice(model, emotions=evs)) as other:
        along = projecting(other, range(len(unit)), unit)
        other.eval(tokens)
        quantiles = np.quantile(along.read(1, len(tokens) - 1), [0.16, 0.5, 0.84], axis=0)
        along.close()
    low, middle, high = np.pad(quantiles, [(0, 0), (0, 1), (0, 0)]).astype(np.float32)
    llm.close()
    mean, spread = (np.float32([row[0]] * 2) for row in (read.mean(axis=0), read.std(axis=0)))
    response = np.random.default_rng(4).standard_normal(probe.response.shape)
    for at, layer in enumerate(LAYERS):
        added = np.einsum("we,re->wr", evs.data[:, layer], probe.directions[at])
        response[layer, :, at] = 0.8 * added
    joint = np.array([0.6, 0.8], np.float32)
    return replace(
        probe,
        mean=mean,
        spread=spread,
        response=response.astype(np.float32),
        chosen=LAYERS,
        joint=joint,
        vector_median=middle,
        vector_spread=(high - low) / 2,
    )


def doubtful(probe: Probe, area: float | None) -> Probe:
    """Said to tell emotions apart with that area under the ROC curve."""
    return replace(probe, about={**probe.about, "quality": {"macro_auroc": area, "n": 9}})

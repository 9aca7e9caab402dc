"""What tells emotions in the mean hidden state of a text, as probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from llamood.errors import ModelError
from llamood.extraction.states import States
from llamood.extraction.texts import NEUTRAL
from llamood.judges.layer_fits import fit_layers
from llamood.readings.probe import TRUSTED, Probe
from llamood.vectors.emotion_vectors import Float32, Float64

SHARPNESSES = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0)
OFFSETS = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)


class Odds(NamedTuple):
    """From z-scores to probabilities: an emotion has ``exp(sharpness * z)``, neutral
    ``exp(offset)``, of the sum of all."""

    sharpness: float
    offset: float

    @classmethod
    def of(cls, scores: Float64, truth: Sequence[str], *, names: Sequence[str]) -> Odds:
        """Those of `SHARPNESSES` and `OFFSETS` under which the labels ``truth`` of scores
        (n, n_emotion) are likeliest; every label counts alike, however many it has."""
        labels = (*names, NEUTRAL)
        columns = np.array([labels.index(label) for label in truth])
        counts = np.bincount(columns, minlength=len(labels))[columns]

        def likelihood(odds: Odds) -> float:
            found = odds.log_probabilities(scores)[np.arange(len(columns)), columns]
            return float((found / counts).sum())

        every = [cls(sharpness, offset) for sharpness in SHARPNESSES for offset in OFFSETS]
        return max(every, key=likelihood)

    def log_probabilities(self, scores: Float64) -> Float64:
        """(n, n_emotion + 1), neutral last."""
        neutral = np.full((len(scores), 1), self.offset)
        logits = np.concatenate([self.sharpness * scores, neutral], axis=1)
        logits -= logits.max(axis=1, keepdims=True)
        found: Float64 = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        return found


@dataclass(frozen=True, eq=False)
class Filter:
    """Directions for each of n_emotion ``names`` in ``layers``, whose z-scores are averaged.

    ``directions``: float32 (n_layer_read, n_emotion, n_embd), of unit length. ``mean`` and
    ``spread``: (n_layer_read, n_emotion), of projections of what has none of these emotions;
    ``joint``: (n_emotion,), the spread of the averages of their z-scores. ``area``: the mean area
    under the ROC curve, 0 to 1, where it is known.
    """

    names: tuple[str, ...]
    layers: tuple[int, ...]
    directions: Float32
    mean: Float64
    spread: Float64
    joint: Float64
    odds: Odds
    area: float | None = None

    @classmethod
    def of(cls, states: States, names: Sequence[str]) -> Filter:
        """Fitted to labelled states, in the layers that tell best. Raises `ModelError` where
        emotions cannot be told apart."""
        _, fit = fit_layers(states, names)
        layers = tuple(layer.layer for layer in fit.layers)
        neutral = states.of(NEUTRAL)[:, layers].astype(np.float64)
        still = np.einsum("nle,lke->nlk", neutral, fit.directions)
        scores, truth = fit.told
        return cls(
            names=fit.names,
            layers=layers,
            directions=fit.directions,
            mean=still.mean(axis=0),
            spread=still.std(axis=0),
            joint=fit.joint,
            odds=Odds.of(scores, truth, names=fit.names),
            area=fit.quality.macro,
        )

    @classmethod
    def of_probe(cls, probe: Probe) -> Filter:
        """What a baseline reads with. Raises `ModelError` for one that knows no odds."""
        odds = probe.about.get("odds")
        if odds is None:
            raise ModelError(
                "the baseline does not tell how its readings become probabilities: measure it "
                "again (llamood read --measure)"
            )
        at = list(probe.places)
        return cls(
            names=probe.names,
            layers=probe.chosen,
            directions=probe.directions[at],
            mean=probe.mean[at].astype(np.float64),
            spread=probe.spread[at].astype(np.float64),
            joint=probe.joint.astype(np.float64),
            odds=Odds(*odds),
            area=(probe.about.get("quality") or {}).get("macro_auroc"),
        )

    @property
    def is_trusted(self) -> bool:
        """Whether it tells emotions apart well enough to go by it."""
        return self.area is None or self.area >= TRUSTED

    def scores(self, rows: npt.ArrayLike) -> Float64:
        """Z-scores (n, n_emotion) of mean hidden states (n, n_layer_read, n_embd)."""
        found = np.einsum("nle,lke->nlk", np.asarray(rows, np.float64), self.directions)
        scores: Float64 = ((found - self.mean) / self.spread).mean(axis=1) / self.joint
        return scores

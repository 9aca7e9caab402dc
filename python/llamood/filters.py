"""What tells emotions in the mean hidden state of a text, as probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .errors import ModelError
from .layer_fits import LayerFit, best_of, layers_to_read
from .probe import TRUSTED, Probe
from .states import States
from .texts import NEUTRAL
from .vectors import Float32, Float64

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
    """A direction for each of n_emotion ``names`` in one layer.

    ``directions``: float32 (n_emotion, n_embd), of unit length. ``mean`` and ``spread``:
    (n_emotion,), of projections of what has none of these emotions. ``area``: the mean area under
    the ROC curve, 0 to 1, where it is known.
    """

    names: tuple[str, ...]
    layer: int
    directions: Float32
    mean: Float64
    spread: Float64
    odds: Odds
    area: float | None = None

    @classmethod
    def of(cls, states: States, names: Sequence[str]) -> Filter:
        """Fitted to labelled states, in the layer that tells best. Raises `ModelError` where
        emotions cannot be told apart."""
        fit = best_of([LayerFit.of(states, at, names) for at in layers_to_read(states.n_layer)])
        scores = (fit.told - fit.mean) / fit.spread
        return cls(
            names=fit.names,
            layer=fit.layer,
            directions=fit.directions,
            mean=fit.mean,
            spread=fit.spread,
            odds=Odds.of(scores, fit.truth, names=fit.names),
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
        at = probe.place(probe.layer)
        return cls(
            names=probe.names,
            layer=probe.layer,
            directions=probe.directions[at],
            mean=probe.mean[at].astype(np.float64),
            spread=probe.spread[at].astype(np.float64),
            odds=Odds(*odds),
            area=(probe.about.get("quality") or {}).get("macro_auroc"),
        )

    @property
    def is_trusted(self) -> bool:
        """Whether it tells emotions apart well enough to go by it."""
        return self.area is None or self.area >= TRUSTED

    def scores(self, rows: npt.ArrayLike) -> Float64:
        """Z-scores (n, n_emotion) of mean hidden states (n, n_embd)."""
        scores: Float64 = np.asarray(rows, np.float64) @ self.directions.T
        return (scores - self.mean) / self.spread

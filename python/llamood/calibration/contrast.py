"""What tells a feeling that is new from all else, in the hidden states of labelled texts.

All other texts, whatever they express, are one class beside it: the discriminant of the two looks
away from where the others differ among themselves (how emotional they are, above all), as that is
in their covariance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from llamood.extraction.candidates import Candidates
from llamood.extraction.directions import SHRINKAGE, directions
from llamood.extraction.discriminant import Discriminant
from llamood.extraction.states import States
from llamood.extraction.texts import NEUTRAL
from llamood.judges.filters import Filter, Odds
from llamood.judges.layer_fits import layers_to_read
from llamood.judges.measures import auroc
from llamood.vectors.emotion_vectors import EmotionVectors, Float32, Float64
from llamood.vectors.measurement import Measurement

FOLDS = 5
WAY = "texts, whitened"


@dataclass(frozen=True, eq=False)
class Fit:
    """One layer. ``direction``: float32 (n_embd,), of unit length, fitted to all texts. ``scores``:
    float64 (n_text,), of each text by a direction that was fitted without it: 0 as the others on
    average, 1 as far above as they spread. ``is_own``: bool (n_text,). ``auroc``: how surely the
    scores tell the feeling, 0 to 1."""

    direction: Float32
    scores: Float64
    is_own: npt.NDArray[np.bool_]
    auroc: float


class Contrast:
    """``own``: float32 (n, n_layer, n_embd), the states of the texts that express ``name``, `FOLDS`
    at least. ``others``: (n, n_layer, n_embd), of all others."""

    def __init__(self, name: str, own: Float32, others: Float32) -> None:
        self.name = name
        self.labels = (name,) * len(own) + (NEUTRAL,) * len(others)
        self.others = others
        self.data = np.concatenate([own, others])
        self._is_own = np.array(self.labels) == name
        counts = np.where(self._is_own, np.cumsum(self._is_own), np.cumsum(~self._is_own))
        self._fold = (counts - 1) % FOLDS
        self._fits: dict[int, Fit] = {}

    @property
    def n_layer(self) -> int:
        return int(self.data.shape[1])

    @property
    def n_own(self) -> int:
        return int(self._is_own.sum())

    def candidates(self, measurement: Measurement) -> Candidates:
        """The vector, in the one way that is tried. ``measurement``: of the vectors beside it."""
        states = States(self.labels, self.data)
        data = directions(states, "whitened", names=(self.name,))
        evs = EmotionVectors((self.name,), data, replace(measurement, method=WAY))
        return Candidates({WAY: evs})

    def filter(self) -> Filter:
        """What tells it, in the layer that tells best, from anything else, both as likely
        beforehand."""
        fits = {layer: self.fit(layer) for layer in layers_to_read(self.n_layer)}
        layer = max(fits, key=lambda each: fits[each].auroc)
        fit = fits[layer]
        others = self.others[:, layer].astype(np.float64) @ fit.direction
        own, rest = fit.scores[fit.is_own], fit.scores[~fit.is_own]
        sharpness = (own.mean() - rest.mean()) / ((own.var() + rest.var()) / 2)
        return Filter(
            names=(self.name,),
            layers=(layer,),
            directions=fit.direction[np.newaxis, np.newaxis],
            mean=others.mean().reshape(1, 1),
            spread=others.std().reshape(1, 1),
            joint=np.ones(1),
            odds=Odds(sharpness, sharpness * (own.mean() + rest.mean()) / 2),
            area=fit.auroc,
        )

    def fit(self, layer: int) -> Fit:
        """Raises `ModelError` where nothing tells the feeling from the others."""
        if layer not in self._fits:
            self._fits[layer] = self._fit(layer)
        return self._fits[layer]

    def area(self, layers: Sequence[int]) -> float:
        """How surely the mean of the scores in several layers tells the feeling, 0 to 1."""
        scores = np.mean([self.fit(layer).scores for layer in layers], axis=0)
        area = auroc(scores, self._is_own)
        assert area is not None
        return area

    def _fit(self, layer: int) -> Fit:
        rows = self.data[:, layer]
        labels = np.array(self.labels)
        scores = np.zeros(len(rows))
        for fold in range(FOLDS):
            is_told = self._fold == fold
            found = self._direction(rows[~is_told], labels[~is_told])
            others = rows[~is_told & ~self._is_own].astype(np.float64) @ found
            told = rows[is_told].astype(np.float64) @ found
            scores[is_told] = (told - others.mean()) / others.std()
        area = auroc(scores, self._is_own)
        assert area is not None
        return Fit(self._direction(rows, labels), scores, self._is_own, area)

    def _direction(self, rows: Float32, labels: npt.NDArray[np.str_]) -> Float32:
        discriminant = Discriminant(rows, labels.tolist(), names=(self.name,))
        found: Float32 = discriminant.directions(SHRINKAGE)[0]
        return found

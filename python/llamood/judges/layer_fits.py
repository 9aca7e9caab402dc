"""In which layers labelled hidden states tell emotions best, and how well.

The texts have three parts by turns. Directions are fitted to the first (`Discriminant`); the second
chooses how they are shrunk and which layers are left out; the third, which chose nothing, tells how
well those read. Then the directions are fitted once more, to all texts.

Layers that lie apart err differently, so the mean of their z-scores reads better than any one of
them (docs/method.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from llamood.errors import ModelError
from llamood.extraction.discriminant import SHRINKAGES, Discriminant
from llamood.extraction.states import States
from llamood.extraction.texts import NEUTRAL
from llamood.judges.measures import MacroAuroc, macro_auroc
from llamood.vectors.emotion_vectors import Float32, Float64

_T = TypeVar("_T")
PARTS = 7  # of the texts of a label in turn: five are fitted, one chooses, one tells
CHOOSING, TELLING = 5, 6
N_LAYER = 9  # layers that can be read, at most, evenly from the first to the last of these depths
DEPTHS = (0.15, 0.8)
LEAST_TEXTS = 14  # of each label: two turns
TOGETHER = 4  # layers whose z-scores are averaged
WORSE = 0.03  # area under the ROC curve


@dataclass(frozen=True, eq=False)
class LayerFit:
    """Of one layer. ``directions``: float32 (n_emotion, n_embd), of unit length, fitted to all
    texts. ``projections``: (n_text, n_emotion), of all texts on directions that were fitted to the
    first part alone. ``mean`` and ``spread``: (n_emotion,), of the neutral ones of that part."""

    layer: int
    shrinkage: float
    directions: Float32
    projections: Float64
    mean: Float64
    spread: Float64

    @classmethod
    def of(cls, states: States, layer: int, names: Sequence[str]) -> LayerFit:
        """Raises `ModelError` where emotions cannot be told apart."""
        part = parts(states.labels)
        labels = np.array(states.labels)
        rows = states.data[:, layer]
        is_fitted, chooses = part < CHOOSING, part == CHOOSING
        is_still = is_fitted & (labels == NEUTRAL)
        discriminant = Discriminant(rows[is_fitted], labels[is_fitted].tolist(), names=names)
        tried: list[tuple[float, float, Float64]] = []
        for shrinkage in SHRINKAGES:
            found = rows.astype(np.float64) @ discriminant.directions(shrinkage).T
            area = _area(found[chooses], labels[chooses], names).macro
            tried.append((area or 0.0, shrinkage, found))
        _, shrinkage, projections = max(tried, key=lambda each: each[0])
        return cls(
            layer=layer,
            shrinkage=shrinkage,
            directions=Discriminant(rows, states.labels, names=names).directions(shrinkage),
            projections=projections,
            mean=projections[is_still].mean(axis=0),
            spread=projections[is_still].std(axis=0),
        )

    @property
    def scores(self) -> Float64:
        """(n_text, n_emotion), against those neutral texts."""
        return (self.projections - self.mean) / self.spread


@dataclass(frozen=True, eq=False)
class Fit:
    """Of several layers that are read together, by n_emotion ``names``. ``joint``: (n_emotion,),
    the spread in neutral text of the mean of their z-scores, 1 of one layer alone. ``labels``: of
    the texts."""

    names: tuple[str, ...]
    layers: tuple[LayerFit, ...]
    joint: Float64
    labels: tuple[str, ...]

    @classmethod
    def of(cls, layers: Sequence[LayerFit], labels: Sequence[str], names: Sequence[str]) -> Fit:
        is_still = (parts(labels) < CHOOSING) & (np.array(labels) == NEUTRAL)
        mean = np.mean([layer.scores[is_still] for layer in layers], axis=0)
        return cls(tuple(names), tuple(layers), mean.std(axis=0), tuple(labels))

    @property
    def directions(self) -> Float32:
        """Float32 (n_layer_read, n_emotion, n_embd)."""
        return np.stack([layer.directions for layer in self.layers])

    @property
    def chose(self) -> MacroAuroc:
        """How well it tells the texts that choose."""
        return self._area(CHOOSING)

    @property
    def quality(self) -> MacroAuroc:
        """How well it tells those that chose nothing."""
        return self._area(TELLING)

    @property
    def told(self) -> tuple[Float64, tuple[str, ...]]:
        """Of the texts that chose nothing, the scores (n, n_emotion), and the labels."""
        return self._part(TELLING)

    @property
    def projected(self) -> Float64:
        """Of the same texts the projections, (n, n_layer_read, n_emotion)."""
        inside = parts(self.labels) == TELLING
        return np.stack([layer.projections[inside] for layer in self.layers], axis=1)

    def _area(self, part: int) -> MacroAuroc:
        scores, labels = self._part(part)
        return _area(scores, np.array(labels), self.names)

    def _part(self, number: int) -> tuple[Float64, tuple[str, ...]]:
        inside = parts(self.labels) == number
        scores = np.mean([layer.scores[inside] for layer in self.layers], axis=0) / self.joint
        return scores, tuple(np.array(self.labels)[inside].tolist())


def fit_layers(states: States, names: Sequence[str]) -> tuple[tuple[LayerFit, ...], Fit]:
    """Every layer that can be read, and those that are read together: `TOGETHER` that lie apart,
    without such as are worse by `WORSE` than the best of them. Raises `ModelError` for too few
    texts, and where emotions cannot be told apart."""
    require_enough(states.labels, names)
    fitted = [LayerFit.of(states, layer, names) for layer in layers_to_read(states.n_layer)]
    apart = together(fitted)
    areas = [Fit.of([layer], states.labels, names).chose.macro or 0.0 for layer in apart]
    good = [layer for layer, area in zip(apart, areas, strict=True) if area >= max(areas) - WORSE]
    return tuple(fitted), Fit.of(good, states.labels, names)


def require_enough(labels: Sequence[str], names: Sequence[str]) -> None:
    """Raise `ModelError` unless each emotion, and neutral, has `LEAST_TEXTS`."""
    counts = Counter(labels)
    few = [f"{counts[name]} of {name}" for name in (*names, NEUTRAL) if counts[name] < LEAST_TEXTS]
    if few:
        raise ModelError(
            f"to be read, each emotion takes at least {LEAST_TEXTS} texts, and so does {NEUTRAL}; "
            f"found {', '.join(few)}"
        )


def layers_to_read(n_layer: int) -> tuple[int, ...]:
    """Those that are measured, rising; not the first and the last."""
    first, last = (round(depth * (n_layer - 1)) for depth in DEPTHS)
    spaced = np.linspace(max(first, 1), max(min(last, n_layer - 2), 1), N_LAYER)
    return tuple(sorted({round(layer) for layer in spaced.tolist()}))


def together(of: Sequence[_T]) -> Sequence[_T]:
    """Of what is in the order of layers those parts that lie apart, `TOGETHER` where there are as
    many."""
    return of[1 :: max(len(of) // TOGETHER, 1)] if len(of) > 1 else of


def parts(labels: Sequence[str]) -> npt.NDArray[np.intp]:
    """Of each text the number of its part, 0 to `PARTS` - 1: the texts of a label take turns."""
    seen: Counter[str] = Counter()
    found = []
    for label in labels:
        found.append(seen[label] % PARTS)
        seen[label] += 1
    return np.array(found, dtype=np.intp)


def _area(scores: Float64, labels: npt.NDArray[np.str_], names: Sequence[str]) -> MacroAuroc:
    return macro_auroc(scores, labels.tolist(), labels=names)

"""In which layer labelled hidden states tell emotions best, and how well.

The texts have three parts by turns. Directions are fitted to the first (`Discriminant`); the second
chooses how they are shrunk and which layer is read; the third, which chose nothing, tells how well
that layer reads. Then the directions are fitted once more, to all texts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .discriminant import SHRINKAGES, Discriminant
from .errors import ModelError
from .measures import MacroAuroc, macro_auroc
from .states import States
from .texts import NEUTRAL
from .vectors import Float32, Float64

PARTS = 7  # of the texts of a label in turn: five are fitted, one chooses, one tells
CHOOSING, TELLING = 5, 6
N_LAYER = 9  # layers that can be read, at most, evenly from the first to the last of these depths
DEPTHS = (0.15, 0.8)
LEAST_TEXTS = 14  # of each label: two turns
ALIKE = 0.005  # of areas under the ROC curve: layers that read as well as each other


@dataclass(frozen=True, eq=False)
class LayerFit:
    """Of one layer, by n_emotion ``names``.

    ``directions``: float32 (n_emotion, n_embd), of unit length, fitted to all texts. ``mean`` and
    ``spread``: (n_emotion,), of what neutral texts are projected to. ``areas``: (n_emotion,), under
    the ROC curve, of the texts that choose; ``told``: (n, n_emotion), the projections of those that
    tell, both on directions that were fitted without them; ``truth``: their labels.
    """

    layer: int
    names: tuple[str, ...]
    shrinkage: float
    directions: Float32
    mean: Float64
    spread: Float64
    areas: Float64
    told: Float64
    truth: tuple[str, ...]

    @classmethod
    def of(cls, states: States, layer: int, names: Sequence[str]) -> LayerFit:
        """Raises `ModelError` for too few texts, and where emotions cannot be told apart."""
        require_enough(states.labels, names)
        part = parts(states.labels)
        labels = np.array(states.labels)
        rows = states.data[:, layer]
        fitting, choosing, telling = part < CHOOSING, part == CHOOSING, part == TELLING
        discriminant = Discriminant(rows[fitting], labels[fitting].tolist(), names=names)
        tried: list[tuple[Float64, float, Float32]] = []
        for shrinkage in SHRINKAGES:
            directions = discriminant.directions(shrinkage)
            found = _areas(_projected(rows[choosing], directions), labels[choosing], names).each
            tried.append((np.array([found[name] for name in names]), shrinkage, directions))
        areas, shrinkage, directions = max(tried, key=lambda each: float(each[0].mean()))
        neutral = _projected(rows[fitting & (labels == NEUTRAL)], directions)
        return cls(
            layer=layer,
            names=tuple(names),
            shrinkage=shrinkage,
            directions=Discriminant(rows, states.labels, names=names).directions(shrinkage),
            mean=neutral.mean(axis=0),
            spread=neutral.std(axis=0),
            areas=areas,
            told=_projected(rows[telling], directions),
            truth=tuple(labels[telling].tolist()),
        )

    @property
    def quality(self) -> MacroAuroc:
        """Of the texts that tell."""
        return _areas(self.told, np.array(self.truth), self.names)


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


def best_of(fits: Sequence[LayerFit]) -> LayerFit:
    """That of the layer that reads best; of those that read alike the lowest, above which the least
    is added."""
    means = [float(fit.areas.mean()) for fit in fits]
    return next(fit for fit, mean in zip(fits, means, strict=True) if mean >= max(means) - ALIKE)


def parts(labels: Sequence[str]) -> npt.NDArray[np.intp]:
    """Of each text the number of its part, 0 to `PARTS` - 1: the texts of a label take turns."""
    seen: Counter[str] = Counter()
    found = []
    for label in labels:
        found.append(seen[label] % PARTS)
        seen[label] += 1
    return np.array(found, dtype=np.intp)


def _projected(rows: Float32, directions: Float32) -> Float64:
    projected: Float64 = rows.astype(np.float64) @ directions.T
    return projected


def _areas(scores: Float64, labels: npt.NDArray[np.str_], names: Sequence[str]) -> MacroAuroc:
    return macro_auroc(scores, labels.tolist(), labels=names)

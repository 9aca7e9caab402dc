"""Valence, arousal, dominance: where emotions lie, and which mix of them reaches a point.

A linear map without intercept takes emotion vectors to (valence, arousal, dominance); the
zero vector, neutral, lies at the origin. It is fitted by kernel ridge regression to known
coordinates of the emotions at hand. With them, a point becomes the non-negative mix of few
emotions that comes nearest to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from llamood import _core
from llamood.vectors.emotion_vectors import AXES as AXES
from llamood.vectors.emotion_vectors import Affect, EmotionVectors, Float64
from llamood.vectors.increments import is_increments

Carried = tuple[float | None, float | None, float | None]
Named = tuple[bool, bool, bool]
_Array = TypeVar("_Array", bound=npt.NDArray[Any])

# Pleasure, arousal and dominance of Russell & Mehrabian (1977), each -1..1.
ANCHORS: Mapping[str, Affect] = MappingProxyType(_core.affect_anchors())

# Shuffled names get further than this in about one case of five (five or six emotions).
WEAK = 0.5
# Leaving two out of fewer leaves too little to fit a map to.
FEWEST = 4

_SINGULAR = 1e-9  # share of the largest singular value below which one is zero


@dataclass(frozen=True, eq=False)
class Mix:
    """Mixes of emotions for n points; arrays are read-only.

    ``weights``: float64 (n, n_name), the intensities, >= 0, at most three of a row non-zero.
    ``reached``: float64 (n, 3), where each mix lies. ``outside``: bool (n,), the point was
    missed on the named axes by more than a tenth of its distance from neutral, and
    ``reached`` is its projection.
    """

    weights: Float64
    reached: Float64
    outside: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class AffectMap:
    """Where emotions lie in valence, arousal and dominance.

    ``names``: the emotions that have coordinates. ``coordinates``: float64 (n_name, 3),
    read-only, where intensity 1 of each lies. ``carried``: how well the vectors carry each
    axis, see `fit`; None where that cannot be told. ``left_out``: the emotions without
    coordinates.
    """

    names: tuple[str, ...]
    coordinates: Float64
    carried: Carried = (None, None, None)
    left_out: tuple[str, ...] = ()

    @classmethod
    def fit(cls, emotions: EmotionVectors) -> AffectMap:
        """The map of these vectors, fitted to the coordinates stored with them, else `ANCHORS`.

        Every layer counts alike, however long its vectors are, and so does every dose that they
        were scaled to; of increments it is what they come to. Emotions whose vectors are much
        alike come to lie near each other, whatever their anchors say.

        ``carried``, -1..1 per axis: two emotions are left out, a map fitted to the others says
        how far apart they lie on the axis, and over all pairs that is correlated with how far
        apart they do lie (pairs have no order, so no mean is taken out). The direction of the
        mean vector, "be emotional", is removed first: it is the largest part of every vector
        and tells no two apart. Chance gives 0 on average. (Leaving out one at a time does
        not do: its prediction leans to the mean of the others, which gives -1 to vectors that
        say nothing.) None with fewer than four emotions, and for an axis on which they do not
        differ.

        This is a rough measure. With five or six emotions chance alone spreads by about 0.5,
        and where an axis rests on one emotion, as low arousal does on sadness, little is left
        to learn it from once that one is out.
        """
        known = {
            i: anchor
            for i, name in enumerate(emotions.names)
            if (anchor := emotions.affect[i] or _core.affect_anchor(name)) is not None
        }
        anchors = np.array(list(known.values()), dtype=np.float64).reshape(-1, 3)
        kernel, ridge, coordinates = _core.fit_affect(
            _core.Bank(emotions.data), emotions.scale, is_increments(emotions), list(known), anchors
        )
        return cls(
            tuple(emotions.names[i] for i in known),
            _read_only(coordinates),
            _carried(kernel, anchors, ridge=ridge),
            tuple(name for i, name in enumerate(emotions.names) if i not in known),
        )

    @classmethod
    def of_names(cls, names: Sequence[str]) -> AffectMap:
        """The table `ANCHORS` alone, where there are no vectors."""
        known = {
            name: anchor for name in names if (anchor := _core.affect_anchor(name)) is not None
        }
        anchors = np.array(list(known.values()), dtype=np.float64).reshape(-1, 3)
        left_out = tuple(name for name in names if name not in known)
        return cls(tuple(known), _read_only(anchors), left_out=left_out)

    def mix(self, points: npt.ArrayLike, *, named: Named) -> Mix:
        """The mixes that come nearest to points, finite numbers (n, 3).

        ``named``: the axes that were asked for. The others are free, and so is what ``points``
        says of them: they are kept as near to 0 as the named ones allow.

        Along a ray all is in proportion: for t >= 0, the mix for ``t * point`` has t times the
        weights of the mix for ``point``, and lies at t times its place. So no weight falls as
        t grows, and no coordinate turns back. The place of a point that is outside may be on
        the other side of 0 on one axis, but not on the named ones together
        (``reached @ point >= 0`` over them).

        Raises `MoodError` for a point other than neutral if no emotion has coordinates.
        """
        weights, reached, outside = self.core.mix(np.asarray(points), named)
        return Mix(_read_only(weights), _read_only(reached), _read_only(outside))

    @cached_property
    def core(self) -> _core.AffectMap:
        """What finds the mixes."""
        return _core.AffectMap(self.names, self.coordinates, self.left_out)

    def weak_axes(self) -> tuple[str, ...]:
        """The axes that the vectors carry badly (below 0.5), the weakest first."""
        weak = [
            (value, axis)
            for value, axis in zip(self.carried, AXES, strict=True)
            if value is not None and value < WEAK
        ]
        return tuple(axis for _, axis in sorted(weak))

    def report(self) -> str:
        """How well the vectors carry each axis, in one to three sentences for a person."""
        if all(value is None for value in self.carried):
            return (
                "How well valence, arousal and dominance are carried cannot be told: that takes "
                f"vectors of at least {FEWEST} emotions whose coordinates are known and differ."
            )
        figures = ", ".join(
            f"{axis} not known" if value is None else f"{axis} {value:.2f}"
            for axis, value in zip(AXES, self.carried, strict=True)
        )
        text = (
            f"How well these vectors of {len(self.names)} emotions carry affect "
            f"(1 fully, 0 or less no better than chance): {figures}."
        )
        weak = self.weak_axes()
        if not weak:
            return text
        *others, last = weak
        listed = f"{', '.join(others)} and {last}" if others else last
        verb = "are the weak ones, the weakest first" if others else "is the weak one"
        them = "them" if others else "it"
        return f"{text} {listed.capitalize()} {verb}: what is asked of {them} may hardly show."


def _own(kernel: Float64) -> Float64:
    """The kernel of what is left of each vector without the direction of their mean."""
    with_mean = kernel.mean(axis=1)
    energy = with_mean.mean()
    if energy <= _SINGULAR * np.trace(kernel):
        return kernel
    own: Float64 = kernel - np.outer(with_mean, with_mean) / energy
    return own


def _carried(kernel: Float64, anchors: Float64, *, ridge: float) -> Carried:
    n = len(anchors)
    if n < FEWEST:
        return None, None, None
    own = _own(kernel)
    apart = np.trace(own) > _SINGULAR * np.trace(kernel)
    told = np.zeros((n * (n - 1) // 2, 3))
    true = np.zeros_like(told)
    for row, (i, j) in enumerate(combinations(range(n), 2)):
        true[row] = anchors[i] - anchors[j]
        if apart:
            rest = [k for k in range(n) if k not in (i, j)]
            fitted = own[np.ix_(rest, rest)] + ridge * np.eye(n - 2)
            told[row] = np.linalg.solve(fitted, own[rest, i] - own[rest, j]) @ anchors[rest]
    agreement = (told * true).sum(axis=0)
    lengths = np.linalg.norm(told, axis=0) * np.linalg.norm(true, axis=0)
    valence, arousal, dominance = (
        None if not true[:, axis].any() else float(agreement[axis] / (lengths[axis] or 1.0))
        for axis in range(3)
    )
    return valence, arousal, dominance


def _read_only(array: _Array) -> _Array:
    array.flags.writeable = False
    return array

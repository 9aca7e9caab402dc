"""Valence, arousal, dominance: where emotions lie, and which mix of them reaches a point.

A linear map without intercept takes emotion vectors to (valence, arousal, dominance); the
zero vector, neutral, lies at the origin. It is fitted by kernel ridge regression to known
coordinates of the emotions at hand. With them, a point becomes the non-negative mix of few
emotions that comes nearest to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from llamood.errors import MoodError
from llamood.vectors.emotion_vectors import Affect, EmotionVectors, Float32, Float64
from llamood.vectors.increments import as_measured

Carried = tuple[float | None, float | None, float | None]
Named = tuple[bool, bool, bool]
_Array = TypeVar("_Array", bound=npt.NDArray[Any])

AXES = ("valence", "arousal", "dominance")

# Pleasure, arousal and dominance of Russell & Mehrabian (1977), each -1..1.
ANCHORS: Mapping[str, Affect] = MappingProxyType(
    {
        "joy": (0.76, 0.48, 0.35),
        "anger": (-0.51, 0.59, 0.25),
        "disgust": (-0.60, 0.35, 0.11),
        "fear": (-0.64, 0.60, -0.43),
        "sadness": (-0.63, -0.27, -0.33),
        "surprise": (0.40, 0.67, -0.13),
    }
)

# The ridge, as a share of the mean energy of what is an emotion's own. What tells emotions
# apart as clearly as the average is then read at 10/11 of its size, and a difference with a
# tenth of that energy, which may well be noise, at half.
RIDGE = 0.1
# Shuffled names get further than this in about one case of five (five or six emotions).
WEAK = 0.5
# Leaving two out of fewer leaves too little to fit a map to.
FEWEST = 4

# What an error on an axis that was not named counts, and what total intensity counts, where
# an error on a named axis counts 1. Without the price on intensity, a point a hair outside
# what one emotion spans is bought with large doses that cancel each other.
FREE_AXIS = 0.05
INTENSITY = 0.05
# A point is outside if it is missed by more than this share of its own distance from neutral.
MISSED = 0.1

_MOST = 3  # emotions of a mix
_ROUNDING = 1e-13  # differences below this are none
_SINGULAR = 1e-9  # share of the largest singular value below which one is zero
_BLOCK = 2**18  # points times subsets that are tried at once


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
    _cones: dict[Named, _Cone] = field(default_factory=dict, init=False, repr=False)

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
            if (anchor := emotions.affect[i] or _anchor(name)) is not None
        }
        kernel = _kernel(as_measured(emotions).data[list(known)])
        anchors = np.array(list(known.values()), dtype=np.float64).reshape(-1, 3)
        ridge = _ridge(kernel)
        inverse = np.linalg.pinv(
            kernel + ridge * np.eye(len(kernel)), rcond=_SINGULAR, hermitian=True
        )
        return cls(
            tuple(emotions.names[i] for i in known),
            _read_only(kernel @ inverse @ anchors),
            _carried(kernel, anchors, ridge=ridge),
            tuple(name for i, name in enumerate(emotions.names) if i not in known),
        )

    @classmethod
    def of_names(cls, names: Sequence[str]) -> AffectMap:
        """The table `ANCHORS` alone, where there are no vectors."""
        known = {name: anchor for name in names if (anchor := _anchor(name)) is not None}
        anchors = np.array(list(known.values()), dtype=np.float64).reshape(-1, 3)
        left_out = tuple(name for name in names if name not in known)
        return cls(tuple(known), _read_only(anchors), left_out=left_out)

    def mix(self, points: npt.ArrayLike, *, named: Named) -> Mix:
        """The mixes that come nearest to points, finite numbers (n, 3).

        ``named``: the axes that were asked for. The others are free, and so is what ``points``
        says of them: they are kept as near to 0 as the named ones allow.

        Minimised is the squared distance from the point, with the axes that are free and the
        total intensity as further coordinates to be kept near 0, each counting little (0.05).
        That is the projection of the point onto the cone of all mixes, which is unique and
        moves no further than the point does; so weights are continuous too. (Of emotions that
        lie at one place, the first is used.) Every mix has a price and the point has none, so
        it lies outside the cone, and its projection on a face, which three emotions span.

        Along a ray all is in proportion: for t >= 0, the mix for ``t * point`` has t times the
        weights of the mix for ``point``, and lies at t times its place. So no weight falls as
        t grows, and no coordinate turns back. The place of a point that is outside may be on
        the other side of 0 on one axis, but not on the named ones together
        (``reached @ point >= 0`` over them).

        Raises `MoodError` for a point other than neutral if no emotion has coordinates.
        """
        asked = np.where(named, np.asarray(points, dtype=np.float64), 0.0)
        size = np.abs(asked).max(axis=1, keepdims=True)
        if size.any() and not self.names:
            raise self._nothing_to_mix(AXES[int(asked.any(axis=0).argmax())])
        # Points of one ray share a solution, so that rounding cannot tell them apart.
        rays, ray_of = np.unique(
            np.round(asked / np.where(size == 0, 1.0, size), 12), axis=0, return_inverse=True
        )
        weights = self._cone(named).nearest(rays)
        reached = weights @ self.coordinates
        missed = np.linalg.norm(np.where(named, reached - rays, 0.0), axis=1)
        outside = missed > MISSED * np.linalg.norm(rays, axis=1)
        ray_of = ray_of.reshape(-1)
        return Mix(
            _read_only(weights[ray_of] * size),
            _read_only(reached[ray_of] * size),
            _read_only(outside[ray_of]),
        )

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

    def _cone(self, named: Named) -> _Cone:
        """What of a mix depends on no point; found once for every choice of axes."""
        if named not in self._cones:
            counts = np.where(named, 1.0, FREE_AXIS)
            price = np.full((len(self.names), 1), INTENSITY)
            self._cones[named] = _Cone.of(np.hstack([self.coordinates * counts, price]))
        return self._cones[named]

    def _nothing_to_mix(self, axis: str) -> MoodError:
        found = (
            f"none of the emotions at hand ({', '.join(self.left_out)}) has coordinates of affect"
            if self.left_out
            else "there are no emotions at hand"
        )
        return MoodError(
            axis, f"{found}, expected at least one; store affect with the vectors, or name emotions"
        )


@dataclass(frozen=True, eq=False)
class _Cone:
    """All non-negative mixes of generators, float64 (n, 4), each with a positive last entry.

    ``subsets``: (n_subset, 3), none, one, two or three generators, smaller sets first, n where
    a place is free. ``solvers``: (n_subset * 3, 4), the pseudo-inverses of the subsets.
    """

    generators: Float64
    subsets: npt.NDArray[np.intp]
    solvers: Float64

    @classmethod
    def of(cls, generators: Float64) -> _Cone:
        n = len(generators)
        subsets = np.array(
            [
                (*chosen, *(n,) * (_MOST - few))
                for few in range(_MOST + 1)
                for chosen in combinations(range(n), few)
            ],
            dtype=np.intp,
        )
        padded = np.vstack([generators, np.zeros((1, 4))])
        solvers = np.linalg.pinv(padded[subsets].transpose(0, 2, 1), rcond=_SINGULAR)
        return cls(generators, subsets, solvers.reshape(-1, 4))

    def nearest(self, points: Float64) -> Float64:
        """Weights (m, n) of the mixes nearest to (points, 0); points are (m, 3).

        Non-negative least squares: all subsets are solved at once, and of those without a
        negative weight the one is taken that comes nearest; of equals the smallest and first.
        """
        n = len(self.generators)
        weights = np.zeros((len(points), n + 1))
        step = max(_BLOCK // len(self.subsets), 1)
        for start in range(0, len(points), step):
            block = points[start : start + step]
            tried = (block @ self.solvers[:, :3].T).reshape(len(block), -1, _MOST)
            # A solution w of least squares has the squared distance |p|^2 - w @ (G @ p).
            along = np.zeros((len(block), n + 1))
            along[:, :n] = block @ self.generators[:, :3].T
            gain = (tried * along[:, self.subsets]).sum(axis=2)
            gain[(tried < -_ROUNDING).any(axis=2)] = -np.inf
            best = (gain >= gain.max(axis=1, keepdims=True) - _ROUNDING).argmax(axis=1)
            rows = np.arange(len(block))
            chosen = tried[rows, best].clip(min=0.0)
            weights[start + rows[:, np.newaxis], self.subsets[best]] = chosen
        return weights[:, :n]


def _anchor(name: str) -> Affect | None:
    return ANCHORS.get(name.casefold())


def _kernel(data: Float32) -> Float64:
    """Inner products (n, n) of vectors (n, n_layer, n_embd), the mean over scaled layers.

    A layer is divided by the mean length of its vectors; layers of zeros are left out.
    """
    n, n_layer, _ = data.shape
    total = np.zeros((n, n))
    used = 0
    for layer in range(n_layer if n else 0):
        vectors = data[:, layer].astype(np.float64)
        length = float(np.linalg.norm(vectors, axis=1).mean())
        if length > 0:
            scaled = vectors / length
            total += scaled @ scaled.T
            used += 1
    return total / max(used, 1)


def _own(kernel: Float64) -> Float64:
    """The kernel of what is left of each vector without the direction of their mean."""
    with_mean = kernel.mean(axis=1)
    energy = with_mean.mean()
    if energy <= _SINGULAR * np.trace(kernel):
        return kernel
    own: Float64 = kernel - np.outer(with_mean, with_mean) / energy
    return own


def _ridge(kernel: Float64) -> float:
    if len(kernel) < 2:
        return 0.0
    return max(RIDGE * float(np.trace(_own(kernel))) / (len(kernel) - 1), 0.0)


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

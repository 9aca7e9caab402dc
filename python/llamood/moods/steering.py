"""A mood, resolved against the vectors at hand: what is added at each token, within limits."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from llamood.errors import MoodError
from llamood.moods.composition import Max
from llamood.moods.holding import regulators
from llamood.moods.mood import BASE, Mood, Named, Rows, blended
from llamood.moods.schedule import NOTHING_HEARD, Heard, Tokens
from llamood.moods.settings import Dose
from llamood.moods.steering_vectors import SAFE_SUM, SteeringVectors
from llamood.moods.triggers import On
from llamood.vectors.emotion_vectors import Float64

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Blend:
    """What is added at a token: ``weights`` of the vectors in a dose, in layers ``first`` to
    ``last``, both inclusive.

    ``key``: equal for equal blends of equal vectors, also in another process; 0 where nothing
    is added. Cached hidden states are told apart by it.
    """

    weights: tuple[float, ...]
    dose: Dose
    first: int
    last: int
    key: int


NOTHING = Blend(weights=(), dose="stored", first=0, last=-1, key=0)


@dataclass(frozen=True)
class Notice:
    """Something that was asked for and is not given. ``what``: of what, so as to say it once."""

    what: str
    text: str


@dataclass(frozen=True, eq=False)
class Target:
    """For each token, float64 (n_token, n_emotion): the weights ``asked``, and what the limits
    leave of them."""

    asked: Float64
    limited: Float64
    notices: tuple[Notice, ...] = ()


class Steering:
    """One mood with the vectors at hand; never changes.

    ``told``: what each emotion is read at where it is felt, of a voice with readings (see
    ``Reader.told``). Raises MoodError for emotions that are not at hand, layers that the model
    lacks, a dose that these vectors cannot be given in, and readings that cannot be held.
    """

    def __init__(
        self, mood: Mood, stored: SteeringVectors, *, told: Mapping[str, float] | None = None
    ) -> None:
        self.mood = mood
        self.vectors = stored if mood.dose == "stored" else stored.relative
        self.names = stored.emotions.names
        mood.require_known(self.names)
        self.first, self.last = _layers(mood, stored)
        self.regulators = regulators(mood, self.vectors, told)

    @cached_property
    def beginning(self) -> Target:
        """`target` of token 0 alone, where nothing has been heard yet."""
        return self._target(np.zeros(1, dtype=np.int64), NOTHING_HEARD, {})

    @cached_property
    def still(self) -> Blend | None:
        """The one blend of all tokens, where nothing changes."""
        if not self.mood.is_constant or self.mood.inertia is not None:
            return None
        return self.blend(self.beginning.limited[0])

    @cached_property
    def resting(self) -> Float64:
        """(n_emotion,): what the mood comes to at its beginning, of the vectors as stored."""
        resting: Float64 = self.beginning.limited[0] / self.vectors.units
        return resting

    @cached_property
    def resting_mixes(self) -> tuple[dict[str, float], dict[str, float]]:
        """What the mood asks and what limits leave of it at its beginning, by emotion; without
        those of 0."""
        target = self.beginning
        return self.named(rounded(target.asked[0])), self.named(rounded(target.limited[0]))

    def named(self, row: Rows | Float64) -> dict[str, float]:
        """Weights (n_emotion,) by emotion, without those of 0."""
        return {name: float(w) for name, w in zip(self.names, row, strict=True) if w}

    @cached_property
    def resting_overdose(self) -> float | None:
        """`overdose` of what the mood comes to at its beginning."""
        return self.overdose(self.beginning.limited[0])

    @cached_property
    def _fluent(self) -> Float64:
        """(n_emotion,): the largest weights that read fluently in these layers; infinite where that
        is not known."""
        return self.vectors.fluent((self.first, self.last))

    def overdose(self, row: Float64) -> float | None:
        """How many times as much as reads fluently weights (n_emotion,) add: of a mix the root of
        the sum of the squares. None where that is not known of any of them."""
        found = float(np.linalg.norm(row / self._fluent))
        return found if found or not row.any() else None

    @cached_property
    def texts(self) -> frozenset[str]:
        """What the mood listens for."""
        return frozenset(
            inner.text
            for schedule in self.mood.schedules().values()
            for inner in schedule.walk()
            if isinstance(inner, On)
        )

    def target(self, tokens: Tokens, heard: Heard, held: Mapping[str, float]) -> Target:
        """What the mood comes to at ``tokens``, which are counted from its own beginning, where it
        takes ``held`` to hold the readings that it holds."""
        if not self.mood.is_constant:
            return self._target(tokens, heard, held)
        n, first = len(tokens), self.beginning
        return Target(first.asked.repeat(n, axis=0), first.limited.repeat(n, axis=0), first.notices)

    def require_worked_out(self) -> None:
        """Raise `MoodError` for what can be said, and not worked out: numbers too large, say."""
        held = dict.fromkeys(self.regulators, 0.0)
        self.target(np.zeros(1, dtype=np.int64), NOTHING_HEARD, held)

    def blend(self, row: Float64 | Rows) -> Blend:
        """What weights (n_emotion,) add in this mood's dose and layers; rounded to float32."""
        weights = rounded(row)
        if not weights.any():
            return NOTHING
        first, last = self.first, self.last
        text = self.vectors.digest + weights.tobytes() + f"{first}:{last}".encode()
        key = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little", signed=True)
        return Blend(tuple(weights.tolist()), self.mood.dose, first, last, key)

    # -- limits ----------------------------------------------------------------------------

    def _target(self, tokens: Tokens, heard: Heard, held: Mapping[str, float]) -> Target:
        affect_map = self.vectors.affect_map if self.mood.affect else None
        named = self.mood.named(tokens, self.names, affect_map=affect_map, heard=heard, held=held)
        asked = blended(named.weights, self.mood.blend)
        kept, notices = self._kept(named.weights)
        limited = asked if kept is named.weights else blended(kept, self.mood.blend)
        limited, too_large = self._capped(limited)
        return Target(asked, limited, (*self._unreached(named), *notices, *too_large))

    @cached_property
    def _limits(self) -> Float64:
        """(n_emotion + 1,) as `Named.weights`: the largest intensity of each, either way. ``$max``
        stands for those of vectors that were never calibrated."""
        vectors = self.vectors
        is_left = vectors.is_calibrated | (self.mood.max is None)
        ceilings = np.where(is_left, vectors.ceilings, np.inf)
        limits = dict(zip(self.names, ceilings.tolist(), strict=True))
        limits.setdefault(BASE, np.inf)
        for name, schedule in self.mood.emotions.items():
            if isinstance(schedule, Max):
                limits[name] = schedule.size
        return np.array([*(limits[name] for name in self.names), limits[BASE]])

    @cached_property
    def _cap(self) -> float:
        """The largest size of the whole mix: unless asked for, that of the emotion which is the
        strongest at its own limit; none where a limit is not known."""
        if self.mood.max is not None:
            return self.mood.max
        limits = self._limits[:-1]
        if not np.isfinite(limits).all():
            return np.inf
        return float(self.vectors.sizes(np.diag(limits), (self.first, self.last)).max())

    def _kept(self, weights: Float64) -> tuple[Float64, tuple[Notice, ...]]:
        limits = self._limits
        asked = np.abs(weights).max(axis=0, initial=0.0)
        if (asked <= limits).all():
            return weights, ()
        is_known = (*self.vectors.is_calibrated, True)
        notices = tuple(
            Notice(name, _held(name, limit, most, is_known=known))
            for name, limit, most, known in zip(
                (*self.names, BASE), limits, asked, is_known, strict=True
            )
            if most > limit
        )
        return np.clip(weights, -limits, limits), notices

    def _capped(self, rows: Float64) -> tuple[Float64, tuple[Notice, ...]]:
        if not rows.any():
            return rows, ()
        sizes = self.vectors.sizes(rows, (self.first, self.last))
        silent = self._silent(rows, sizes)
        over = sizes > self._cap * (1 + _ROUNDING)
        if not over.any():
            return rows, silent
        factors = np.divide(self._cap, sizes, out=np.ones_like(sizes), where=over)
        text = (
            f"the whole mix is held at size {self._cap:.3g}, where 1 is about one vector at "
            f"intensity 1; {sizes.max():.3g} was asked for ('$max' sets another limit)"
        )
        return rows * factors[:, np.newaxis], (*silent, Notice("$max", text))

    def _silent(self, rows: Float64, sizes: Float64) -> tuple[Notice, ...]:
        """Where something is felt, and what that adds is zero."""
        if sizes[rows.any(axis=1)].all():
            return ()
        first = max(self.first, self.vectors.first_layer)
        text = (
            f"nothing is added of what was asked for: in layers {first} to {self.last} its vectors "
            "are zero, or take each other back (llamood inspect shows where they are not)"
        )
        return (Notice("$layers", text),)

    def _unreached(self, named: Named) -> tuple[Notice, ...]:
        if not named.outside.any():
            return ()
        axes = ", ".join(self.mood.affect)
        text = (
            f"the point asked for ({axes}) lies outside what a mix of these emotions reaches; "
            "the nearest that it does reach is taken (llamood inspect shows where they lie)"
        )
        return (Notice("affect", text),)


def _held(name: str, limit: float, most: float, *, is_known: bool) -> str:
    if is_known:
        return (
            f"{name} is held at {limit:g}, the largest intensity at which these vectors are known "
            f"to read fluently; {most:g} was asked for ('max' sets another limit)"
        )
    return (
        f"{name} is held at {limit:.3g}, which in all layers together adds {100 * SAFE_SUM:g} % of "
        f"the hidden state's size, as its vector was never calibrated; {most:g} was asked for "
        "(llamood calibrate finds its own limit, 'max' sets another)"
    )


def _layers(mood: Mood, vectors: SteeringVectors) -> tuple[int, int]:
    n_layer = vectors.emotions.n_layer
    first, last = mood.layers or (0, n_layer - 1)
    if last >= n_layer:
        raise MoodError(
            "$layers",
            f"asked for layers {first} to {last}, but the model has layers 0 to {n_layer - 1}",
        )
    if last < vectors.first_layer and not mood.is_neutral:
        raise MoodError(
            "$layers",
            "llama.cpp adds nothing at layer 0 at site layer_out, and no other layer was asked "
            "for; ask for layers from 1 on",
        )
    return first, last


def rounded(row: Rows | Float64) -> Rows:
    """To float32, and -0.0 to 0.0."""
    rounded: Rows = row.astype(np.float32) + np.float32(0)
    return rounded

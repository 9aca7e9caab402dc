"""The shapes that a schedule is made of, as functions of the token in closed form."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np

from llamood.errors import MoodError
from llamood.moods.parameters import HALF_LIFE, Choice, Count, Number, Point, Points, parameter
from llamood.moods.schedule import NOTHING_HEARD, Heard, Schedule, Tokens, Values

Ease = Literal["linear", "smooth", "step"]

EASE = Choice(get_args(Ease))
PERIOD = Number(low=2.0, high=1e6)  # the shortest that has a token at the top and one below
SPREADS = 4.0  # drift keeps within so many spreads of its mean
SHORTEST_WALK = 256  # tokens; made at once and kept


@dataclass(frozen=True, repr=False)
class Constant(Schedule):
    """The same intensity at every token."""

    kind = "constant"
    value: float = parameter(Number(), main=True)

    def at(self, tokens: Tokens, heard: Heard = NOTHING_HEARD) -> Values:
        return np.full(len(tokens), self.value)

    def bounds(self) -> tuple[float, float]:
        return self.value, self.value


@dataclass(frozen=True, repr=False)
class Ramp(Schedule):
    """From ``start`` at token 0 to ``end`` at token ``over``, and there it stays."""

    kind = "ramp"
    start: float = parameter(Number(), main=True)
    end: float = parameter(Number(), main=True)
    over: int = parameter(Count(low=1))
    ease: Ease = parameter(EASE, default="linear")

    def at(self, tokens: Tokens, heard: Heard = NOTHING_HEARD) -> Values:
        return interpolated(((0, self.start), (self.over, self.end)), self.ease, tokens)

    def bounds(self) -> tuple[float, float]:
        return min(self.start, self.end), max(self.start, self.end)

    @property
    def length(self) -> int:
        return self.over


@dataclass(frozen=True, repr=False)
class Decay(Schedule):
    """``start`` at token 0, half of what is left every ``half_life`` tokens."""

    kind = "decay"
    start: float = parameter(Number(), main=True)
    half_life: float = parameter(HALF_LIFE)

    def at(self, tokens: Tokens, heard: Heard = NOTHING_HEARD) -> Values:
        return self.start * np.exp2(-tokens / self.half_life)

    def bounds(self) -> tuple[float, float]:
        return min(self.start, 0.0), max(self.start, 0.0)


@dataclass(frozen=True, repr=False)
class Pulse(Schedule):
    """From 0 to ``peak`` in ``attack`` tokens, there for ``hold``, and back to 0 in ``release``."""

    kind = "pulse"
    peak: float = parameter(Number(), main=True)
    attack: int = parameter(Count(), default=0)
    hold: int = parameter(Count(), default=0)
    release: int = parameter(Count(), default=0)

    def _check(self) -> None:
        if self.hold == self.release == 0:
            raise MoodError("", "the pulse is over before it is there; give it a hold or a release")

    def at(self, tokens: Tokens, heard: Heard = NOTHING_HEARD) -> Values:
        # Without an attack the peak is there at token 0; without a release it is there until
        # the token before the end.
        rising = (tokens + (self.attack == 0)) / max(self.attack, 1)
        falling = (self.length - tokens) / max(self.release, 1)
        return self.peak * np.clip(np.minimum(rising, falling), 0.0, 1.0)

    def bounds(self) -> tuple[float, float]:
        return min(self.peak, 0.0), max(self.peak, 0.0)

    @property
    def length(self) -> int:
        return self.attack + self.hold + self.release


@dataclass(frozen=True, repr=False)
class Wave(Schedule):
    """Up from ``low`` to ``high`` and down again, every ``period`` tokens, as a cosine."""

    kind = "wave"
    low: float = parameter(Number(), main=True)
    high: float = parameter(Number(), main=True)
    period: float = parameter(PERIOD)

    def at(self, tokens: Tokens, heard: Heard = NOTHING_HEARD) -> Values:
        share = 0.5 - 0.5 * np.cos(2 * np.pi * tokens / self.period)
        values: Values = self.low * (1 - share) + self.high * share
        return values.clip(*self.bounds())

    def bounds(self) -> tuple[float, float]:
        return min(self.low, self.high), max(self.low, self.high)


@dataclass(frozen=True, repr=False)
class Keys(Schedule):
    """Through the given points; flat before the first and after the last.

    ``linear``; ``step``: each holds until the next; ``smooth``: a cubic without overshoot.
    """

    kind = "keys"
    points: tuple[Point, ...] = parameter(Points(), main=True)
    ease: Ease = parameter(EASE, default="linear")

    def at(self, tokens: Tokens, heard: Heard = NOTHING_HEARD) -> Values:
        return interpolated(self.points, self.ease, tokens)

    def bounds(self) -> tuple[float, float]:
        intensities = [intensity for _, intensity in self.points]
        return min(intensities), max(intensities)

    @property
    def length(self) -> int:
        return self.points[-1][0]


@dataclass(frozen=True, repr=False)
class Drift(Schedule):
    """A random walk around ``mean`` that returns to it: the same for the same seed, everywhere.

    ``spread``: standard deviation in the long run; it never strays further than four of them.
    ``return_``: half-life in tokens of what is left of a deviation. This is an autoregressive
    process of the first order (a sampled Ornstein-Uhlenbeck process) that begins at the mean.
    """

    kind = "drift"
    mean: float = parameter(Number(), main=True)
    spread: float = parameter(Number(low=0.0))
    return_: float = parameter(HALF_LIFE)
    seed: int = parameter(Count(high=2**32 - 1, of=""), default=0)

    def at(self, tokens: Tokens, heard: Heard = NOTHING_HEARD) -> Values:
        if not len(tokens):
            return np.zeros(0)
        n = max(SHORTEST_WALK, 1 << int(tokens.max()).bit_length())  # larger than all of them
        strayed = _walk(self.seed, self.return_, n)[tokens]
        return self.mean + self.spread * np.clip(strayed, -SPREADS, SPREADS)

    def bounds(self) -> tuple[float, float]:
        return self.mean - SPREADS * self.spread, self.mean + SPREADS * self.spread


@lru_cache(maxsize=64)
def _walk(seed: int, half_life: float, n: int) -> Values:
    """``(n,)``: the walk around 0 of unit spread, from 0; the same for equal arguments and a
    beginning of the one for a larger ``n``."""
    # numpy promises no stream of normal numbers for good; bits of this generator are.
    bits = random.Random(seed)
    normal = NormalDist()
    kept = 0.5 ** (1 / half_life)
    stirred = (1 - kept * kept) ** 0.5
    walk = np.zeros(n)
    for token in range(1, n):
        drawn = normal.inv_cdf((bits.getrandbits(52) + 0.5) / 2**52)  # never rounded to 1
        walk[token] = kept * walk[token - 1] + stirred * drawn
    walk.flags.writeable = False
    return walk


def interpolated(points: tuple[Point, ...], ease: Ease, tokens: Tokens) -> Values:
    """Through ``points`` (rising in token), flat before the first and after the last.

    ``smooth`` is the monotone cubic of Fritsch and Carlson (1980) with the slopes of Fritsch
    and Butland (1984), at rest at both ends: between two points it never leaves their range.
    """
    if len(points) == 1:
        return np.full(len(tokens), points[0][1])
    x = np.array([token for token, _ in points], dtype=np.float64)
    y = np.array([intensity for _, intensity in points])
    t = np.clip(tokens, x[0], x[-1])
    left = np.clip(np.searchsorted(x, t, side="right") - 1, 0, len(x) - 2)
    width = x[left + 1] - x[left]
    share = (t - x[left]) / width
    if ease == "step":
        share = np.floor(share)
    if ease != "smooth":
        values = y[left] * (1 - share) + y[left + 1] * share
    else:
        slope = _slopes(x, y)
        values = (
            y[left] * (1 + 2 * share) * (1 - share) ** 2
            + y[left + 1] * share**2 * (3 - 2 * share)
            + slope[left] * width * share * (1 - share) ** 2
            - slope[left + 1] * width * share**2 * (1 - share)
        )
    low, high = np.minimum(y[left], y[left + 1]), np.maximum(y[left], y[left + 1])
    return np.clip(values, low, high)


def _slopes(x: Values, y: Values) -> Values:
    """At each point: the weighted harmonic mean of the slopes beside it, 0 where they turn."""
    width, slope = np.diff(x), np.diff(y) / np.diff(x)
    before, after = slope[:-1], slope[1:]
    slopes = np.zeros(len(x))
    product = before * after
    same = product > 0
    heavy, light = 2 * width[1:] + width[:-1], width[1:] + 2 * width[:-1]
    # Written so that nothing is divided by a slope next to nothing.
    slopes[1:-1][same] = (heavy + light)[same] * (
        product[same] / (heavy * after + light * before)[same]
    )
    return slopes

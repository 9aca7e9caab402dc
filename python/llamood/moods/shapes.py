"""The shapes that a schedule is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from llamood.moods.schedule import Schedule

Ease = Literal["linear", "smooth", "step"]
Point = tuple[int, float]


@dataclass(frozen=True, repr=False)
class Constant(Schedule):
    """The same intensity at every token."""

    kind = "constant"
    value: float


@dataclass(frozen=True, repr=False)
class Ramp(Schedule):
    """From ``start`` at token 0 to ``end`` at token ``over``, and there it stays."""

    kind = "ramp"
    start: float
    end: float
    over: int
    ease: Ease = "linear"


@dataclass(frozen=True, repr=False)
class Decay(Schedule):
    """``start`` at token 0, half of what is left every ``half_life`` tokens."""

    kind = "decay"
    start: float
    half_life: float


@dataclass(frozen=True, repr=False)
class Pulse(Schedule):
    """From 0 to ``peak`` in ``attack`` tokens, there for ``hold``, and back to 0 in ``release``."""

    kind = "pulse"
    peak: float
    attack: int = 0
    hold: int = 0
    release: int = 0


@dataclass(frozen=True, repr=False)
class Wave(Schedule):
    """Up from ``low`` to ``high`` and down again, every ``period`` tokens, as a cosine."""

    kind = "wave"
    low: float
    high: float
    period: float


@dataclass(frozen=True, repr=False)
class Keys(Schedule):
    """Through the given points; flat before the first and after the last.

    ``linear``; ``step``: each holds until the next; ``smooth``: a cubic without overshoot.
    """

    kind = "keys"
    points: tuple[Point, ...]
    ease: Ease = "linear"


@dataclass(frozen=True, repr=False)
class Drift(Schedule):
    """A random walk around ``mean`` that returns to it: the same for the same seed, everywhere.

    ``spread``: standard deviation in the long run; it never strays further than four of them.
    ``return_``: half-life in tokens of what is left of a deviation. This is an autoregressive
    process of the first order (a sampled Ornstein-Uhlenbeck process) that begins at the mean.
    """

    kind = "drift"
    mean: float
    spread: float
    return_: float
    seed: int = 0

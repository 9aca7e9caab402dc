"""What schedules are composed by: sums, products, one after another, limits."""

from __future__ import annotations

from dataclasses import dataclass

from llamood.moods.schedule import Schedule


@dataclass(frozen=True, repr=False)
class Combined(Schedule):
    """Parts that are joined one after another, from the first.

    ``a + b + c`` is built as ``(a + b) + c``, so nothing on the way may be too large either.
    """

    parts: tuple[Schedule, ...]


class Sum(Combined):
    """All parts added; ends when the last of them has, constants aside."""

    kind = "sum"


class Product(Combined):
    """All parts multiplied; ends when the last of them has, constants aside."""

    kind = "product"


@dataclass(frozen=True, repr=False)
class Then(Schedule):
    """``first``, and ``second`` from where that ends, or from token ``after``."""

    kind = "then"
    first: Schedule
    second: Schedule
    after: int | None = None


@dataclass(frozen=True, repr=False)
class Clamp(Schedule):
    """Never below ``low`` nor above ``high``."""

    kind = "clamp"
    schedule: Schedule
    low: float
    high: float


@dataclass(frozen=True, repr=False)
class Delay(Schedule):
    """Nothing for ``by`` tokens, then the schedule."""

    kind = "delay"
    schedule: Schedule
    by: int


@dataclass(frozen=True, repr=False)
class Repeat(Schedule):
    """The schedule ``times`` times, or for ever: begun anew where it ends, or ``every`` so many
    tokens. After the last time it stays as it was then."""

    kind = "repeat"
    schedule: Schedule
    times: int | None = None
    every: int | None = None


@dataclass(frozen=True, repr=False)
class Max(Schedule):
    """Never larger in size than ``size``. At the top of an emotion's schedule it also stands in
    for the ceiling that is stored with the vectors."""

    kind = "max"
    schedule: Schedule
    size: float


@dataclass(frozen=True, repr=False)
class Floored(Schedule):
    """The schedule, and hidden states that never go less far along the emotion's vector than
    ``bound``: in standard deviations of neutral text, from its middle."""

    kind = "floor"
    schedule: Schedule
    bound: float


@dataclass(frozen=True, repr=False)
class Capped(Schedule):
    """The schedule, and hidden states that never go further along the emotion's vector than
    ``bound``: in standard deviations of neutral text, from its middle."""

    kind = "cap"
    schedule: Schedule
    bound: float

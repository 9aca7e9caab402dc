"""What schedules are composed by: sums, products, one after another, limits."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from llamood.errors import MoodError
from llamood.moods.parameters import LARGEST, Count, Number, parameter
from llamood.moods.schedule import (
    NOTHING_HEARD,
    Heard,
    Inner,
    Parts,
    Schedule,
    Tokens,
    Values,
    begun_at,
    hull,
)
from llamood.moods.shapes import Constant


@dataclass(frozen=True, repr=False)
class Combined(Schedule):
    """Parts that are joined one after another, from the first.

    ``a + b + c`` is built as ``(a + b) + c``, so nothing on the way may be too large either.
    """

    parts: tuple[Schedule, ...] = parameter(Parts(), main=True)

    @abstractmethod
    def _join(self, one: Any, other: Any) -> Any:
        """Of two numbers or arrays."""

    def _check(self) -> None:
        kind = type(self)
        nested = (part.parts if isinstance(part, kind) else (part,) for part in self.parts)
        object.__setattr__(self, "parts", tuple(part for parts in nested for part in parts))

    def at(self, tokens: Tokens, heard: Heard = NOTHING_HEARD) -> Values:
        values = self.parts[0].at(tokens, heard)
        for part in self.parts[1:]:
            values = self._join(values, part.at(tokens, heard))
            if self.calls and np.abs(values).max(initial=0.0) > LARGEST:
                token = tokens[np.abs(values).argmax()]
                fault = f"larger than {LARGEST:g} in size at token {token}; give it smaller parts"
                raise MoodError(self.kind, fault)
        return values

    def _bounds(self) -> Iterator[tuple[float, float]]:
        """Of the first part, of it joined with the second, and so on to all of them."""
        low, high = self.parts[0].bounds()
        yield low, high
        for part in self.parts[1:]:
            corners = [self._join(a, b) for a in (low, high) for b in part.bounds()]
            low, high = min(corners), max(corners)
            if self.calls:  # what a function answers is known, and refused, only token by token
                low, high = max(low, -LARGEST), min(high, LARGEST)
            yield low, high

    def bounds(self) -> tuple[float, float]:
        *_, all_joined = self._bounds()
        return all_joined

    def _reach(self) -> float:
        return max(max(-low, high) for low, high in self._bounds())

    @property
    def length(self) -> int | None:
        lengths = [part.length for part in self.parts if not isinstance(part, Constant)]
        ends = [length for length in lengths if length is not None]
        return max(ends) if ends and len(ends) == len(lengths) else None


class Sum(Combined):
    """All parts added; ends when the last of them has, constants aside."""

    kind = "sum"

    def _join(self, one: Any, other: Any) -> Any:
        return one + other


class Product(Combined):
    """All parts multiplied; ends when the last of them has, constants aside."""

    kind = "product"

    def _join(self, one: Any, other: Any) -> Any:
        return one * other


@dataclass(frozen=True, repr=False)
class Then(Schedule):
    """``first``, and ``second`` from where that ends, or from token ``after``."""

    kind = "then"
    first: Schedule = parameter(Inner(), main=True)
    second: Schedule = parameter(Inner(), main=True)
    after: int | None = parameter(Count(), default=None)

    def _check(self) -> None:
        if self.after is None and self.first.length is None:
            raise MoodError(
                "", "the first schedule never ends; say after how many tokens the next begins"
            )

    @property
    def _turn(self) -> int:
        at = self.first.length if self.after is None else self.after
        assert at is not None
        return at

    def at(self, tokens: Tokens, heard: Heard = NOTHING_HEARD) -> Values:
        turned = tokens >= self._turn
        values = np.empty(len(tokens))
        values[~turned] = self.first.at(tokens[~turned], heard)
        late = tokens[turned]
        values[turned] = begun_at(np.full(len(late), self._turn), self.second, late, heard)
        return values

    def bounds(self) -> tuple[float, float]:
        return hull(self.first.bounds(), self.second.bounds())

    @property
    def length(self) -> int | None:
        length = self.second.length
        return None if length is None else self._turn + length


@dataclass(frozen=True, repr=False)
class Clamp(Schedule):
    """Never below ``low`` nor above ``high``."""

    kind = "clamp"
    schedule: Schedule = parameter(Inner(), main=True)
    low: float = parameter(Number())
    high: float = parameter(Number())

    def _check(self) -> None:
        if self.low > self.high:
            raise MoodError("high", f"at least {self.low:g} was expected, found {self.high:g}")

    def at(self, tokens: Tokens, heard: Heard = NOTHING_HEARD) -> Values:
        return np.clip(self.schedule.at(tokens, heard), self.low, self.high)

    def bounds(self) -> tuple[float, float]:
        low, high = np.clip(self.schedule.bounds(), self.low, self.high).tolist()
        return low, high

    @property
    def length(self) -> int | None:
        return self.schedule.length


@dataclass(frozen=True, repr=False)
class Delay(Schedule):
    """Nothing for ``by`` tokens, then the schedule."""

    kind = "delay"
    schedule: Schedule = parameter(Inner(), main=True)
    by: int = parameter(Count())

    def at(self, tokens: Tokens, heard: Heard = NOTHING_HEARD) -> Values:
        values = np.zeros(len(tokens))
        begun = tokens >= self.by
        late = tokens[begun]
        values[begun] = begun_at(np.full(len(late), self.by), self.schedule, late, heard)
        return values

    def bounds(self) -> tuple[float, float]:
        return hull((0.0, 0.0), self.schedule.bounds())

    @property
    def length(self) -> int | None:
        length = self.schedule.length
        return None if length is None else self.by + length


@dataclass(frozen=True, repr=False)
class Repeat(Schedule):
    """The schedule ``times`` times, or for ever: begun anew where it ends, or ``every`` so many
    tokens. After the last time it stays as it was then."""

    kind = "repeat"
    schedule: Schedule = parameter(Inner(), main=True)
    times: int | None = parameter(Count(low=1, of="times"), default=None)
    every: int | None = parameter(Count(low=1), default=None)

    def _check(self) -> None:
        if self.every is None and not self.schedule.length:
            ends = "never ends" if self.schedule.length is None else "has no length"
            raise MoodError("", f"the schedule {ends}; say every how many tokens it begins anew")

    @property
    def _period(self) -> int:
        period = self.schedule.length if self.every is None else self.every
        assert period is not None
        return period

    def at(self, tokens: Tokens, heard: Heard = NOTHING_HEARD) -> Values:
        turns = tokens // self._period
        if self.times is not None:
            turns = np.minimum(turns, self.times - 1)
            tokens = np.minimum(tokens, self.times * self._period)
        return begun_at(turns * self._period, self.schedule, tokens, heard)

    def bounds(self) -> tuple[float, float]:
        return self.schedule.bounds()

    @property
    def length(self) -> int | None:
        return None if self.times is None else self.times * self._period


@dataclass(frozen=True, repr=False)
class Max(Schedule):
    """Never larger in size than ``size``. At the top of an emotion's schedule it also stands in
    for the ceiling that is stored with the vectors."""

    kind = "max"
    schedule: Schedule = parameter(Inner(), beside=True)
    size: float = parameter(Number(low=0.0), main=True)

    def _check(self) -> None:
        if isinstance(self.schedule, Max):  # two limits are the tighter one
            object.__setattr__(self, "size", min(self.size, self.schedule.size))
            object.__setattr__(self, "schedule", self.schedule.schedule)

    def at(self, tokens: Tokens, heard: Heard = NOTHING_HEARD) -> Values:
        return np.clip(self.schedule.at(tokens, heard), -self.size, self.size)

    def bounds(self) -> tuple[float, float]:
        low, high = np.clip(self.schedule.bounds(), -self.size, self.size).tolist()
        return low, high

    @property
    def length(self) -> int | None:
        return self.schedule.length

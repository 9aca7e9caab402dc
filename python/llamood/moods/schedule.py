"""A schedule: an intensity that changes over the tokens of an answer, as an immutable value.

Token 0 is the last token of the prompt, which predicts the first word of the answer; token t
is the t-th generated one, which predicts the next. Everything here is numbers. What schedules
there are: ``shapes``, ``composition``, ``triggers``; how they are written: ``notation``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from llamood.errors import MoodError
from llamood.moods.parameters import LARGEST, LONGEST, Number, checked, found, parameters

DEEPEST = 32  # schedules within schedules
MOST_SCHEDULES = 1000  # in one

Tokens = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Heard:
    """When texts appeared in what was generated.

    ``events``: for each text the tokens, rising, that completed it. A schedule that begins at
    token ``origin`` hears what is completed there or later, and counts from there.
    """

    events: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    origin: int = 0

    def since(self, token: int) -> Heard:
        """The same for a schedule that begins at ``token`` of this one."""
        return Heard(self.events, self.origin + token)

    def last(self, text: str, token: int) -> int | None:
        """When the text was last completed, up to ``token``; None where it was not."""
        times = self.events.get(text, ())
        place = bisect_right(times, token + self.origin)
        if place == 0 or times[place - 1] < self.origin:
            return None
        return times[place - 1] - self.origin


NOTHING_HEARD = Heard()


class Schedule(ABC):
    """An intensity for every token. Each kind is a frozen dataclass of `parameter` fields.

    ``a + b`` and ``a * b`` take schedules, numbers and functions of the token. Raises MoodError
    for parameters that mean nothing and for absurd sizes: what could exceed 1000, ends after a
    million tokens, or is made of more schedules, or deeper, than anyone writes.
    """

    kind: ClassVar[str]  # its name in every written form
    kinds: ClassVar[dict[str, type[Any]]] = {}
    written: ClassVar[Callable[[Schedule], str]] = object.__repr__  # as `notation` writes it
    listens: bool = False  # whether a value is known only when the text before it is
    calls: bool = False  # whether a Python function is asked for values
    regulates: bool = False  # whether it is no schedule of values, but of what shall be read
    depth: int  # of schedules within schedules
    n_schedule: int  # in all

    def __init_subclass__(cls) -> None:
        if "kind" in vars(cls):
            Schedule.kinds[cls.kind] = cls

    def __post_init__(self) -> None:
        for p in parameters(type(self)):
            value = getattr(self, p.attribute)
            if p.required or value is not p.default:
                object.__setattr__(self, p.attribute, checked(p.kind, value, p.place))
        self._check()
        self._count()
        length, reach = self.length, self._reach()
        if length is not None and length > LONGEST:
            raise MoodError(self.kind, f"ends at token {length}; {LONGEST} or less was expected")
        if reach > LARGEST:
            raise MoodError(
                self.kind, f"can reach a size of {reach:g}; {LARGEST:g} or less was expected"
            )

    def _count(self) -> None:
        inner = self.inner()
        if self.kind != "max" and any(each.regulates for each in inner):
            raise MoodError(
                self.kind,
                "hold says what is to be read, not what is to be added, so nothing can be made of "
                "it; let it stand for the whole emotion, alone or with a max",
            )
        depth = 1 + max((each.depth for each in inner), default=0)
        n_schedule = 1 + sum(each.n_schedule for each in inner)
        if depth > DEEPEST or n_schedule > MOST_SCHEDULES:
            raise MoodError(
                self.kind,
                f"at most {MOST_SCHEDULES} schedules nested {DEEPEST} deep were expected, "
                f"found {n_schedule} nested {depth} deep",
            )
        object.__setattr__(self, "depth", depth)
        object.__setattr__(self, "n_schedule", n_schedule)
        object.__setattr__(self, "listens", self.listens or any(each.listens for each in inner))
        object.__setattr__(self, "calls", self.calls or any(each.calls for each in inner))
        regulates = self.regulates or any(each.regulates for each in inner)
        object.__setattr__(self, "regulates", regulates)

    def _check(self) -> None:  # noqa: B027  (most kinds have nothing to add)
        """Raise MoodError for parameters that are good alone but not together."""

    def _reach(self) -> float:
        """The largest size that it can come to, also on the way to its value."""
        return max(map(abs, self.bounds()))

    @abstractmethod
    def at(self, tokens: Tokens, heard: Heard = NOTHING_HEARD) -> Values:
        """The intensity at each of ``tokens``, which are 0 or larger and in any order."""

    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """Between what it stays at every token."""

    @property
    def length(self) -> int | None:
        """The token at which it has come to its end, where what follows takes over.

        None where it never ends. Beyond its end a schedule keeps its last value.
        """
        return None

    def inner(self) -> tuple[Schedule, ...]:
        """The schedules that it is made of."""
        values = [getattr(self, p.attribute) for p in parameters(type(self))]
        parts = [part for v in values for part in (v if isinstance(v, tuple) else (v,))]
        return tuple(part for part in parts if isinstance(part, Schedule))

    def walk(self) -> Iterator[Schedule]:
        """It and all that it is made of."""
        yield self
        for inner in self.inner():
            yield from inner.walk()

    def __repr__(self) -> str:
        written: str = type(self).written(self)
        return written

    # -- composing -------------------------------------------------------------------------

    def __add__(self, other: Schedule | float) -> Schedule:
        return _made("sum", (self, other))

    def __radd__(self, other: float) -> Schedule:
        return _made("sum", (other, self))

    def __mul__(self, other: Schedule | float) -> Schedule:
        return _made("product", (self, other))

    def __rmul__(self, other: float) -> Schedule:
        return _made("product", (other, self))

    def then(self, other: Schedule | float, after: int | None = None) -> Schedule:
        """``other`` from where this one ends, or from token ``after``."""
        return _made("then", self, other, after)

    def clamp(self, low: float, high: float) -> Schedule:
        """Never below ``low`` nor above ``high``."""
        return _made("clamp", self, low, high)

    def delay(self, by: int) -> Schedule:
        """Nothing for ``by`` tokens, then this."""
        return _made("delay", self, by)

    def repeat(self, times: int | None = None, every: int | None = None) -> Schedule:
        """This ``times`` times, or again and again: begun anew where it ends, or ``every`` so
        many tokens."""
        return _made("repeat", self, times, every)

    def max(self, size: float) -> Schedule:
        """Never larger than ``size``, nor below ``-size``; stands in for the stored ceiling."""
        return _made("max", self, size)


def _made(kind: str, *arguments: Any) -> Schedule:
    made: Schedule = Schedule.kinds[kind](*arguments)
    return made


@dataclass(frozen=True)
class Inner:
    """The kind of parameter that is a schedule: a number is a constant, a function its values."""

    def check(self, value: Any) -> Schedule:
        if isinstance(value, Schedule):
            return value
        if callable(value):
            return _made("function", value)
        if isinstance(value, Real) and not isinstance(value, bool):
            return _made("constant", Number().check(value))
        raise MoodError("", f"a number or a schedule was expected, found {found(value)}")

    def schema(self) -> dict[str, Any]:
        return {"$ref": "#/$defs/schedule"}


@dataclass(frozen=True)
class Parts:
    """The kind of parameter that is two or more schedules."""

    def check(self, value: Any) -> tuple[Schedule, ...]:
        if not isinstance(value, list | tuple) or len(value) < 2:
            fault = f"a list of two or more schedules was expected, found {found(value)}"
            raise MoodError("", fault)
        return tuple(checked(Inner(), part, f"[{place}]") for place, part in enumerate(value))

    def schema(self) -> dict[str, Any]:
        return {
            "type": "array",
            "items": Inner().schema(),
            "minItems": 2,
            "maxItems": MOST_SCHEDULES - 1,
        }


def begun_at(begins: Tokens, inner: Schedule, tokens: Tokens, heard: Heard) -> Values:
    """The values of ``inner`` at ``tokens`` as if it had begun at ``begins``, one for each."""
    if not inner.listens:
        return inner.at(tokens - begins)
    values = np.empty(len(tokens))
    order = np.argsort(begins, kind="stable")
    for same in np.split(order, np.flatnonzero(np.diff(begins[order])) + 1):
        if len(same):
            begin = int(begins[same[0]])
            values[same] = inner.at(tokens[same] - begin, heard.since(begin))
    return values


def hull(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """The bounds of what keeps within either."""
    return min(one[0], other[0]), max(one[1], other[1])

"""A schedule: an intensity that changes over the tokens of an answer, as an immutable value.

Token 0 is the last token of the prompt, which predicts the first word of the answer; token t
is the t-th generated one, which predicts the next. Here is how people write one; what comes of it
is known by the core. What schedules there are: ``shapes``, ``composition``, ``triggers``; how they
are written: ``notation``.
"""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple
from weakref import ref

import numpy as np
import numpy.typing as npt

from llamood import _core
from llamood.moods.parameters import parameters

MOST_DEEP = 100  # lists and objects within each other; more than any schedule has

Tokens = npt.NDArray[np.int64]
Values = npt.NDArray[np.float64]


class Heard(NamedTuple):
    """When texts appeared in what was generated, and when readings met conditions.

    ``events``: for each text the tokens, rising, that completed it. ``flips``: for each condition,
    by `Schedule.gate`, the tokens, rising, at which it was met, was no longer, was again, and so
    on. A schedule that begins at token ``origin`` hears what happens there or later, and counts
    from there; what is met there was met there first.
    """

    events: Mapping[str, Sequence[int]] = {}
    origin: int = 0
    flips: Mapping[str, Sequence[int]] = {}

    def since(self, token: int) -> Heard:
        """The same for a schedule that begins at ``token`` of this one."""
        return Heard(self.events, self.origin + token, self.flips)


NOTHING_HEARD = Heard()


class Schedule(ABC):
    """An intensity for every token. Each kind is a frozen dataclass of its parameters, which are
    what the core's table of kinds says.

    ``a + b`` and ``a * b`` take schedules, numbers and functions of the token. Raises MoodError
    for parameters that mean nothing and for absurd sizes: what could exceed 1000, ends after a
    million tokens, or is made of more schedules, or deeper, than anyone writes.
    """

    kind: ClassVar[str]  # its name in every written form
    kinds: ClassVar[dict[str, type[Any]]] = {}
    written: ClassVar[Callable[[Schedule], str]] = object.__repr__  # as `notation` writes it
    core: _core.Schedule

    def __init_subclass__(cls) -> None:
        if "kind" in vars(cls):
            Schedule.kinds[cls.kind] = cls

    def __post_init__(self) -> None:
        given = {}
        for p in parameters(self.kind):
            value = getattr(self, p.attribute)
            if p.required or value is not p.default:
                takes = p.kind["type"] in ("schedule", "schedules")
                given[p.key] = with_owners(value) if takes else value
        self._become(_core.Schedule.made(self.kind, given))

    def _become(self, core: _core.Schedule) -> None:
        """Have the parameters as the core keeps them."""
        values = core.values
        for p in parameters(self.kind):
            object.__setattr__(self, p.attribute, _kept(values[p.key]))
        self._face(core)

    def _face(self, core: _core.Schedule) -> None:
        object.__setattr__(self, "core", core)
        core.face = ref(self)

    @staticmethod
    def standing_for(core: _core.Schedule) -> Schedule:
        """What stands for it in Python: what it was made by, while that is there."""
        known: Schedule | None = core.face() if hasattr(core, "face") else None
        if known is not None:
            return known
        made: Schedule = object.__new__(Schedule.kinds[core.kind])
        made._become(core)
        return made

    def __reduce__(self) -> tuple[type[Schedule], tuple[Any, ...]]:
        return type(self), tuple(getattr(self, p.attribute) for p in parameters(self.kind))

    def at(self, tokens: Tokens, heard: Heard = NOTHING_HEARD) -> Values:
        """The intensity at each of ``tokens``, which are 0 or larger and in any order."""
        return self.core.at(tokens, dict(heard.events), heard.origin, dict(heard.flips))

    def bounds(self) -> tuple[float, float]:
        """Between what it stays at every token."""
        return self.core.bounds()

    @property
    def length(self) -> int | None:
        """The token at which it has come to its end, where what follows takes over.

        None where it never ends. Beyond its end a schedule keeps its last value.
        """
        return self.core.length

    @property
    def listens(self) -> bool:
        """Whether a value is known only when the text before it is."""
        return self.core.listens

    @property
    def gate(self) -> str | None:
        """What names, among `Heard.flips`, the condition that it waits for."""
        return self.core.gate

    @property
    def calls(self) -> bool:
        """Whether a Python function is asked for values."""
        return self.core.calls

    @property
    def regulates(self) -> bool:
        """Whether it is no schedule of values, but of what shall be read."""
        return self.core.regulates

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

    def floor(self, bound: float) -> Schedule:
        """This, and no hidden state with less of the emotion; ``bound``: see ``Floored``."""
        if self.kind == "cap":  # which is outside of a floor
            outer: Any = self
            return _made("floor", outer.schedule, bound).cap(outer.bound)
        return _made("floor", self, bound)

    def cap(self, bound: float) -> Schedule:
        """This, and no hidden state with more of the emotion; ``bound``: see ``Capped``."""
        return _made("cap", self, bound)


def _made(kind: str, *arguments: Any) -> Schedule:
    made: Schedule = Schedule.kinds[kind](*arguments)
    return made


def with_owners(value: Any, *, depth: int = 0) -> Any:
    """What is written of schedules, with each function in it as a schedule that owns it, which must
    be kept while the core makes one of all. What is too deep to be one is left out."""
    if depth > MOST_DEEP:
        return None
    if isinstance(value, Mapping):
        return {key: with_owners(part, depth=depth + 1) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [with_owners(part, depth=depth + 1) for part in value]
    return _made("function", value) if callable(value) else value


def _kept(value: Any) -> Any:
    """A parameter as the core keeps it, with schedules as they are in Python."""
    if isinstance(value, _core.Schedule):
        return Schedule.standing_for(value)
    return tuple(_kept(part) for part in value) if isinstance(value, tuple) else value

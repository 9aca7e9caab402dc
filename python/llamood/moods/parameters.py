"""What the parameters of a schedule may be: how each kind is checked and described.

A schedule is a dataclass whose fields are made by :func:`parameter`. Its JSON form, its short
form, its Python form and its JSON Schema are all read off these fields (see ``notation``).
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from numbers import Real
from typing import Any, Protocol

from llamood.errors import MoodError

LARGEST = 1e3  # intensities are multiples of a vector; models collapse long before this
LONGEST = 1_000_000  # tokens
LONGEST_TEXT = 200  # characters of a text that is waited for
MOST_POINTS = 1000

Json = Any


class Kind(Protocol):
    """A kind of parameter."""

    def check(self, value: Any) -> Any:
        """The value as it is kept. Raises MoodError, its place relative to the parameter."""

    def schema(self) -> dict[str, Json]:
        """JSON Schema of the value."""


@dataclass(frozen=True)
class Number:
    """A finite number from ``low`` to ``high``."""

    low: float = -LARGEST
    high: float = LARGEST

    def check(self, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, Real):
            raise MoodError("", f"a number was expected, found {found(value)}")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not self.low <= number <= self.high:
            fault = f"a number between {self.low:g} and {self.high:g} was expected"
            raise MoodError("", f"{fault}, found {found(value)}")
        return number + 0.0  # -0.0 becomes 0.0: nothing is added either way

    def schema(self) -> dict[str, Json]:
        return {"type": "number", "minimum": self.low, "maximum": self.high}


HALF_LIFE = Number(low=0.01, high=1e6)  # tokens, not necessarily whole


@dataclass(frozen=True)
class Count:
    """A whole number, as of tokens. 64.0 is taken for 64."""

    low: int = 0
    high: int = LONGEST
    of: str = "tokens"

    def check(self, value: Any) -> int:
        number = isinstance(value, Real) and not isinstance(value, bool)
        # Only what is in range can be asked whether it is whole: infinity cannot.
        if not (number and self.low <= value <= self.high and value == int(value)):
            of = f" of {self.of}" if self.of else ""
            raise MoodError(
                "",
                f"a whole number{of} from {self.low} to {self.high} was expected, "
                f"found {found(value)}",
            )
        return int(value)

    def schema(self) -> dict[str, Json]:
        return {"type": "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def check(self, value: Any) -> str:
        if not isinstance(value, str) or value not in self.words:
            raise MoodError("", f"{' or '.join(self.words)} was expected, found {found(value)}")
        return value

    def schema(self) -> dict[str, Json]:
        return {"enum": list(self.words)}


@dataclass(frozen=True)
class Text:
    """A text that is waited for, exactly as written."""

    def check(self, value: Any) -> str:
        if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT:
            raise MoodError(
                "",
                f"a text of 1 to {LONGEST_TEXT} characters was expected, found {found(value)}",
            )
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise MoodError("", "the text holds half of a surrogate pair") from error
        return value

    def schema(self) -> dict[str, Json]:
        return {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT}


Point = tuple[int, float]


@dataclass(frozen=True)
class Points:
    """``[token, intensity]`` pairs, the tokens rising."""

    def check(self, value: Any) -> tuple[Point, ...]:
        if not isinstance(value, list | tuple) or not 0 < len(value) <= MOST_POINTS:
            raise MoodError(
                "",
                f"1 to {MOST_POINTS} pairs [token, intensity] were expected, found {found(value)}",
            )
        points = tuple(self._point(place, pair) for place, pair in enumerate(value))
        for place, ((before, _), (after, _)) in enumerate(pairwise(points), start=1):
            if before >= after:
                raise MoodError(
                    f"[{place}][0]", f"a token after {before} was expected, found {after}"
                )
        return points

    @staticmethod
    def _point(place: int, pair: Any) -> Point:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise MoodError(f"[{place}]", f"[token, intensity] was expected, found {found(pair)}")
        token = checked(Count(), pair[0], f"[{place}][0]")
        return token, checked(Number(), pair[1], f"[{place}][1]")

    def schema(self) -> dict[str, Json]:
        pair = {
            "type": "array",
            "prefixItems": [Count().schema(), Number().schema()],
            "minItems": 2,
            "items": False,
        }
        return {"type": "array", "items": pair, "minItems": 1, "maxItems": MOST_POINTS}


def parameter(kind: Kind, *, main: bool = False, beside: bool = False, **default: Any) -> Any:
    """A field of a schedule.

    ``main``: JSON has it under the schedule's own name, as in ``{"ramp": [0, 1]}``; the others
    under theirs. ``beside``: a schedule whose keys stand beside its own, as those of the pulse
    in ``{"on": "betray", "pulse": 1.5, "hold": 4}``. ``default``: as for dataclasses.
    """
    return field(metadata={"kind": kind, "main": main, "beside": beside}, **default)


@dataclass(frozen=True)
class Parameter:
    """A field made by :func:`parameter`, as `notation` needs it."""

    attribute: str
    kind: Kind
    main: bool
    beside: bool
    default: Any  # dataclasses.MISSING where it must be given
    place: str  # where it lies in the JSON form of its schedule

    @property
    def key(self) -> str:
        """Its name in JSON and in the short form; ``return_`` is only Python's."""
        return self.attribute.rstrip("_")

    @property
    def required(self) -> bool:
        return self.default is dataclasses.MISSING


@cache
def parameters(schedule: type) -> tuple[Parameter, ...]:
    """Of a kind of schedule, in the order of its arguments."""
    fields = dataclasses.fields(schedule)
    main = [f.name for f in fields if f.metadata["main"]]

    def place(f: dataclasses.Field[Any]) -> str:
        if f.name in main:
            kind: str = schedule.kind  # type: ignore[attr-defined]
            return f"{kind}[{main.index(f.name)}]" if main[1:] else kind
        return "" if f.metadata["beside"] else f.name.rstrip("_")

    return tuple(Parameter(f.name, **f.metadata, default=f.default, place=place(f)) for f in fields)


def checked(kind: Kind, value: Any, place: str) -> Any:
    """The value as it is kept. Raises MoodError at ``place``."""
    try:
        return kind.check(value)
    except MoodError as error:
        raise error.within(place) from None


def found(value: object) -> str:
    """``value`` as an error message shows it: numbers and short texts whole, else the type."""
    if value is None:
        return "null"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 1e9 else "a huge number"
    if isinstance(value, float):
        return repr(float(value))
    if isinstance(value, str):
        text = repr(value[:41])
        return text if len(text) <= 40 else f"{text[:37]}..."
    return f"a {type(value).__name__}"

"""The settings of a mood: what its keys beginning with ``$`` may say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, get_args

from llamood.errors import MoodError
from llamood.moods.parameters import HALF_LIFE, Choice, Json, Kind, Number, found

Blend = Literal["sum", "shared-once"]
Positions = Literal["generated", "all"]
Dose = Literal["stored", "relative"]

DEEPEST_LAYER = 9999


@dataclass(frozen=True)
class Layers:
    """First and last layer, both included, counted from 0."""

    def check(self, value: Any) -> tuple[int, int]:
        expected = "first and last layer were expected, as in [8, 20]"
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise MoodError("", f"{expected}, found {found(value)}")
        for layer in value:
            whole = isinstance(layer, int) and not isinstance(layer, bool)
            if not whole or not 0 <= layer <= DEEPEST_LAYER:
                raise MoodError("", f"{expected}, found {found(layer)} in it")
        if value[0] > value[1]:
            raise MoodError("", f"{expected}, found the first after the last")
        return value[0], value[1]

    def schema(self) -> dict[str, Json]:
        layer = {"type": "integer", "minimum": 0, "maximum": DEEPEST_LAYER}
        return {"type": "array", "items": layer, "minItems": 2, "maxItems": 2}


@dataclass(frozen=True)
class Setting:
    """``kind``: what it may be. ``default``: what it is where it is not said."""

    kind: Kind
    default: Any
    about: str

    @property
    def is_number(self) -> bool:
        return isinstance(self.kind, Number)

    def read(self, key: str, value: Any) -> Any:
        """Raises MoodError at ``key``."""
        try:
            return self.kind.check(value)
        except MoodError as error:
            raise error.within(key) from None


# In the order in which they are written.
SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        "$blend": Setting(
            Choice(get_args(Blend)),
            "sum",
            "sum: weighted vectors are added; shared-once: what all vectors share is added once, "
            "at the strongest weight, and what is each one's own at its weight",
        ),
        "$positions": Setting(
            Choice(get_args(Positions)),
            "generated",
            "generated: from the last token of the prompt on; all: the prompt too",
        ),
        "$layers": Setting(Layers(), None, "first and last layer, both included, from 0"),
        "$dose": Setting(
            Choice(get_args(Dose)),
            "stored",
            "stored: intensities are multiples of the vectors; relative: in each layer, of the "
            "root mean square of the hidden state there",
        ),
        "$inertia": Setting(
            HALF_LIFE,
            None,
            "half-life in tokens with which the mix moves to what is asked, also between answers",
        ),
        "$max": Setting(
            Number(low=0.0),
            None,
            "the largest size of the whole mix, where 1 is about one vector at intensity 1",
        ),
    }
)

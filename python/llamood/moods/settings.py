"""The settings of a mood: what its keys beginning with ``$`` may say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from llamood import _core

Blend = Literal["sum", "shared-once"]
Positions = Literal["generated", "all"]
Dose = Literal["stored", "relative"]


@dataclass(frozen=True)
class Setting:
    """``kind``: what it may be, as of a parameter. ``default``: what it is where it is not said."""

    kind: Mapping[str, Any]
    default: Any
    about: str

    @property
    def is_number(self) -> bool:
        return bool(self.kind["type"] == "number")


_ABOUT = {
    "$blend": "sum: weighted vectors are added; shared-once: what all vectors share is added once, "
    "at the strongest weight, and what is each one's own at its weight",
    "$positions": "generated: from the last token of the prompt on; all: the prompt too",
    "$layers": "first and last layer, both included, from 0",
    "$dose": "stored: intensities are multiples of the vectors; relative: in each layer, of the "
    "root mean square of the hidden state there",
    "$inertia": "half-life in tokens with which the mix moves to what is asked, also between "
    "answers",
    "$max": "the largest size of the whole mix, where 1 is about one vector at intensity 1",
}
# In the order in which they are written.
SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {key: Setting(*said, _ABOUT[key]) for key, said in _core.settings().items()}
)

"""A picture on the page of an evaluation, and what all such pictures share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from llamood.cli.consoles import printable
from llamood.cli.curves import COLOURS, OTHERS

Figures = Mapping[str, Any]

LARGE = (5.2, 4.3)  # inches
ACCENT = "#1f77b4"  # seen on white and on black, and by all kinds of eyes
LONGEST_NAME = 20  # characters of an emotion's name in a picture


@dataclass(frozen=True)
class Picture:
    """``panels``: ``<svg>`` elements, to be set side by side where there is room. ``result``:
    what they show, in numbers. ``reading``: how they are read."""

    name: str
    title: str
    result: str
    reading: str
    panels: tuple[str, ...]


def emotion_colours(found: Figures) -> dict[str, str]:
    """Of each emotion asked for, or with a vector: the one that it has in all of llamood."""
    asked = [row["emotion"] for row in found["rows"] if row["emotion"] is not None]
    of_vectors = (found.get("vectors") or {}).get("names", [])
    others = cycle(OTHERS)
    return {
        name: COLOURS.get(name) or next(others) for name in dict.fromkeys([*asked, *of_vectors])
    }


def in_words(interval: Mapping[str, float] | None, *, digits: int = 2) -> str:
    """``0.93 [0.88, 0.97]``"""
    if interval is None:
        return "not known"
    estimate, low, high = (f"{interval[end]:.{digits}f}" for end in ("estimate", "low", "high"))
    return f"{estimate} [{low}, {high}]"


def short_name(name: str) -> str:
    """An emotion's name, as it stands in a picture."""
    shown = printable(name)
    return shown if len(shown) <= LONGEST_NAME else f"{shown[: LONGEST_NAME - 1]}…"


def arms(intervals: Sequence[Mapping[str, float]]) -> list[list[float]]:
    """How far each reaches below and above its estimate."""
    return [
        [max(each["estimate"] - each["low"], 0.0) for each in intervals],
        [max(each["high"] - each["estimate"], 0.0) for each in intervals],
    ]

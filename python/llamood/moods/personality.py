"""Personalities: moods with names, each a JSON file in a folder, some of which ship.

    {"about": "a line for who chooses", "system": "You are ...", "mood": {"joy": 0.9}}

A mood alone is one, too. Its name is that of its file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any

from llamood import _core
from llamood.errors import FileError, MoodError
from llamood.moods import short_form
from llamood.moods.notation import close_to

SHIPPED = Path(__file__).parents[1] / "data" / "personalities"


@dataclass(frozen=True)
class Personality:
    """``mood``: as `Mood` takes it. ``system``: what the model is told to be; None for nothing.
    ``about``: a line for who chooses one."""

    name: str
    mood: Mapping[str, Any]
    system: str | None = None
    about: str = ""

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Personality:
        """From its file. What the mood says is looked at by who makes a `Mood` of it. Raises
        `FileError`."""
        name = Path(path).stem
        if not is_name(name):
            raise FileError(str(path), f"{name!r:.60} is no name of a personality; rename the file")
        about, system, mood = _read(str(path))
        return cls(name, MappingProxyType(mood), system, about)


def personalities(folder: str | PathLike[str] | None = None) -> dict[str, Personality]:
    """Name -> personality, of a folder and, where it has none of that name, of those that ship;
    sorted. Raises `FileError` for a folder that is not there, and for a file that is none."""
    found = dict(_shipped())
    if folder is not None:
        if not Path(folder).is_dir():
            raise FileError(str(folder), "a folder of JSON files was expected")
        mine = map(Personality.load, sorted(Path(folder).glob("*.json")))
        found |= {each.name: each for each in mine}
    return dict(sorted(found.items()))


def named(name: str, known: Mapping[str, Personality] | None = None) -> Personality:
    """Out of ``known``, or of those that ship. Raises `MoodError` for one that is not there."""
    those = _shipped() if known is None else known
    if name not in those:
        close = close_to(name, those)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise MoodError(
            name[:40],
            f"name=intensity was expected, as in joy=0.8, or a personality, of which there are "
            f"{', '.join(those) or 'none'}{hint}",
        )
    return those[name]


def mood_in(path: str) -> dict[str, Any]:
    """Of a file of any name. Raises `FileError`."""
    return _read(path)[2]


def is_name(text: str) -> bool:
    """Whether a text could be the name of one, and no mood in short form."""
    return bool(text) and not any(char in text for char in "=@$(),")


@cache
def _shipped() -> Mapping[str, Personality]:
    paths = sorted(SHIPPED.glob("*.json"))
    return MappingProxyType({path.stem: Personality.load(path) for path in paths})


def _read(path: str) -> tuple[str, str | None, dict[str, Any]]:
    written = short_form.read_file(path)
    try:
        about, system, key = _core.personality(written)
    except MoodError as error:
        raise FileError(path, str(error)) from error
    return about, system, written[key] if key else written

"""How a mood is written in one line, as on the command line, and in a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from llamood.errors import FileError, MoodError
from llamood.moods import notation
from llamood.moods.parameters import found
from llamood.moods.schedule import Schedule
from llamood.moods.settings import SETTINGS

FILE_LIMIT = 64 * 1024  # bytes of a mood file

_BRACKETS = {"(": 1, "[": 1, ")": -1, "]": -1}


def read(text: str) -> dict[str, Any]:
    """``joy=0.8,anger=ramp(0,1,64),$layers=8:20`` as keys and what they say; schedules are read,
    settings are not checked. Raises MoodError."""
    return unique([_pair(part) for part in _split(text)] if text.strip() else [])


def write(mapping: Mapping[str, Any]) -> str:
    """``read`` of it gives equal schedules and settings. Raises MoodError for a function."""
    return ",".join(f"{key}={_written(key, value)}" for key, value in mapping.items())


def read_file(path: str) -> dict[str, Any]:
    """The JSON object in a file. Raises FileError."""
    content = _content(path)
    try:
        value = json.loads(content, object_pairs_hook=unique)
    except MoodError as error:
        raise FileError(path, str(error)) from error
    except (ValueError, RecursionError) as error:
        raise FileError(path, f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise FileError(path, f'an object was expected, as in {{"joy": 0.8}}, found {found(value)}')
    return value


def unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """The pairs as a dict; a repeated key is refused instead of silently replaced."""
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            raise MoodError(key, "given twice; give it once")
        seen[key] = value
    return seen


def _split(text: str) -> Iterator[str]:
    """At commas outside of brackets and quotes. Quotes count only behind an equals sign:
    an emotion's name may hold them."""
    depth, start, quote, valued, skip = 0, 0, "", False, False
    for place, char in enumerate(text):
        if skip:
            skip = False
        elif quote:
            skip = char == "\\"
            quote = "" if char == quote else quote
        elif valued and char in "\"'":
            quote = char
        elif char == "," and depth <= 0:
            yield text[start:place]
            depth, start, valued = 0, place + 1, False
        elif valued:
            depth += _BRACKETS.get(char, 0)
        else:
            valued = char == "="
    yield text[start:]


def _pair(part: str) -> tuple[str, Any]:
    key, equals, value = (piece.strip() for piece in part.partition("="))
    if not equals:
        raise MoodError(key[:40], "name=intensity was expected, as in joy=0.8")
    if key.startswith("$"):
        return key, _setting(key, value)
    try:
        return key, notation.parse(value)
    except MoodError as error:
        raise error.within(key) from None


def _setting(key: str, value: str) -> Any:
    """A number, a pair of layers or a word; what it may be is known by `settings`."""
    if key == "$layers":
        ends = value.split(":")
        whole = len(ends) == 2 and all(end.isascii() and end.isdigit() for end in ends)
        if not whole or len(value) > 20:
            raise MoodError(key, f"first:last was expected, as in 8:20, found {found(value)}")
        return [int(end) for end in ends]
    if key in SETTINGS and SETTINGS[key].is_number:
        try:
            return float(value)
        except ValueError:
            raise MoodError(key, f"a number was expected, found {found(value)}") from None
    return value


def _written(key: str, value: Any) -> str:
    if isinstance(value, Schedule):
        try:
            return notation.to_short(value)
        except MoodError as error:
            raise error.within(key) from None
    if key == "$layers":
        return "{}:{}".format(*value)
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _content(path: str) -> bytes:
    file = Path(path)
    if not file.is_file():
        there = "something that is no file" if file.exists() else "nothing there"
        raise FileError(path, f"a JSON file was expected, found {there}")
    try:
        with file.open("rb") as stream:
            data = stream.read(FILE_LIMIT + 1)
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror}") from error
    if len(data) > FILE_LIMIT:
        raise FileError(path, f"larger than {FILE_LIMIT // 1024} KiB; a mood is a short file")
    return data

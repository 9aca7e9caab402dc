"""Voices in files: one line of JSON, and then the bytes of what is cached. What the line has is
described in csrc/voices/saved_voice.cpp."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from llamood import _core
from llamood.atomic import write_files
from llamood.errors import FileError, LlamoodError
from llamood.moods.mood import Mood
from llamood.voices.sampling import Sampling


@dataclass(frozen=True)
class SavedVoice:
    """``moods``: the one that it feels last; those before it were felt in its answer."""

    core: _core.SavedVoice
    moods: tuple[Mood, ...]
    sampling: Sampling


def write(voice: _core.Character, path: Path, *, cache: bool) -> None:
    """Whole or not at all. Raises `FileError`, and `MoodError` for a mood that has no written
    form."""
    head, tail = voice.saved(cache)
    line = json.dumps(head, ensure_ascii=False, allow_nan=False)
    content = line.encode() + b"\n" + tail
    write_files({path: lambda beside: beside.write_bytes(content)})


def read(path: Path) -> SavedVoice:
    """Raises `FileError` for what is no saved voice."""
    try:
        line, _, tail = path.read_bytes().partition(b"\n")
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror or error}") from error
    try:
        head = json.loads(line)
    except (ValueError, RecursionError):
        raise FileError(path, "is no saved voice: its first line is no JSON") from None
    if not isinstance(head, dict):
        raise FileError(path, "is no saved voice: its first line is no JSON object")
    try:
        core = _core.SavedVoice(head, tail)
        moods = tuple(Mood(mood) for mood in head["moods"])
        return SavedVoice(core, moods, Sampling.of(head["sampling"]))
    except (LlamoodError, TypeError, ValueError) as error:
        raise FileError(path, f"is no saved voice: {error}") from None

"""The one family of errors that llamood raises on purpose.

Every message names what was found, what was expected and what to do; the fields say
the same to a program. The command line turns them into exit code 1 in one place.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

SHOWN = 12  # faults of one file in its message; the field `faults` has all
LONGEST = 600  # characters of one of them; what a file says may be long


class LlamoodError(ValueError):
    """Base of all errors of llamood. ``str(error)`` is one sentence for a person."""


class FileError(LlamoodError):
    """A file of vectors (or of queries, texts, moods) that cannot be used.

    ``path``: the file. ``faults``: every fault found, one sentence each.
    """

    def __init__(self, path: str | Path, *faults: str) -> None:
        self.path = Path(path)
        self.faults = faults
        more = len(faults) - SHOWN
        shown = [f if len(f) <= LONGEST else f"{f[:LONGEST]}..." for f in faults[:SHOWN]]
        if more > 0:
            shown.append(f"and {more} faults more")
        super().__init__(f"{self.path}: " + "; ".join(shown))


class FilesError(LlamoodError):
    """Several files that cannot be used. ``errors``: what is wrong with each."""

    def __init__(self, errors: Iterable[FileError]) -> None:
        self.errors = tuple(errors)
        lines = "".join(f"\n  {error}" for error in self.errors)
        super().__init__(f"{len(self.errors)} files cannot be used:{lines}")


class VectorError(LlamoodError):
    """Vectors that do not fit together, or do not fit the model."""


class MoodError(LlamoodError):
    """A mood that means nothing. ``where``: the place in it, as in ``joy.ramp``."""

    def __init__(self, where: str, fault: str) -> None:
        self.where = where
        self.fault = fault
        super().__init__(f"mood at {where!r}: {fault}" if where else f"mood: {fault}")

    def within(self, place: str) -> MoodError:
        """The same fault, seen from outside: its place lies in ``place``."""
        dot = "." if place and self.where and not self.where.startswith("[") else ""
        return MoodError(f"{place}{dot}{self.where}", self.fault)


class ModelError(LlamoodError):
    """A model that cannot be loaded, steered or measured."""


class MoodWarning(UserWarning):
    """Something that a mood asked for and does not get: beyond a limit, or out of reach."""

"""Questions that invite a feeling, and questions that invite none, to extract vectors with.

A file of them is JSON in the shape of EmotionQuery (arXiv 2502.04075, the paper's own):
``{"anger": ["...", ...], "joy": [...], ...}``, with ``neutral`` for the questions without feeling,
which EmotionQuery itself does not have. A question that an emotion has twice counts once
(EmotionQuery repeats 52 of its 500).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from llamood.errors import FileError
from llamood.extraction.texts import MAX_FAULTS, NEUTRAL, name_fault, read_text

_DATA = Path(__file__).parents[1] / "data"
BUNDLED = _DATA / "queries.json"
EVERYDAY = _DATA / "everyday.json"
MAX_FILE_BYTES = 16_000_000


@dataclass(frozen=True)
class Queries:
    """Questions by the emotion that they invite, in file order, each once an emotion."""

    questions: Mapping[str, tuple[str, ...]]
    repeated: int = 0  # questions left out because the emotion had them already

    @property
    def emotions(self) -> tuple[str, ...]:
        """The names without neutral."""
        return tuple(name for name in self.questions if name != NEUTRAL)

    @property
    def neutral(self) -> tuple[str, ...]:
        """The questions that invite no feeling; empty if the file had none."""
        return self.questions.get(NEUTRAL, ())


def load_queries(path: str | Path | None = None) -> Queries:
    """Read a set of questions; without `path` the one that ships with llamood.

    Raises `FileError` with the first ten faults: not JSON, another shape, no emotion, an
    empty list, a question that is no text, an emotion that stands twice.
    """
    path = BUNDLED if path is None else Path(path)
    text = read_text(path, max_bytes=MAX_FILE_BYTES)
    pairs_of_objects: list[list[tuple[str, Any]]] = []  # JSON allows a key twice; dict hides it

    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        pairs_of_objects.append(pairs)
        return dict(pairs)

    try:
        content = json.loads(text, object_pairs_hook=keep)
    except (ValueError, RecursionError) as error:
        raise FileError(path, f"not JSON: {error}") from error
    if not isinstance(content, dict):
        raise FileError(
            path, 'expected {"anger": ["...", ...], ...}, found a ' + type(content).__name__
        )
    faults = _faults(pairs_of_objects[-1])  # the outermost object is finished last
    if faults:
        more = len(faults) - MAX_FAULTS
        raise FileError(path, *faults[:MAX_FAULTS], *([f"and {more} more"] if more > 0 else []))
    once = {name: tuple(dict.fromkeys(asked)) for name, asked in content.items()}
    repeated = sum(len(asked) - len(once[name]) for name, asked in content.items())
    return Queries(MappingProxyType(once), repeated)


def everyday() -> tuple[str, ...]:
    """Questions as one asks a companion, which invite no feeling: doses are chosen with them."""
    return tuple(json.loads(EVERYDAY.read_text(encoding="utf-8")))


def _faults(pairs: list[tuple[str, Any]]) -> list[str]:
    """Every fault of the names and their questions, one sentence each."""
    faults: list[str] = []
    names = [name for name, _ in pairs]
    if not any(name != NEUTRAL for name in names):
        faults.append("no emotion in it; at least one is needed")
    times = Counter(names)
    faults += [f"{name[:80]!r} stands twice; join its lists" for name in times if times[name] > 1]
    for name, asked in pairs:
        if fault := name_fault(name):
            faults.append(fault)
        if not isinstance(asked, list) or not asked:
            faults.append(f"{name[:80]!r} needs a list of at least one question")
            continue
        faults += [
            f"{name[:80]}, question {number}: expected a text, found {str(question)[:40]!r}"
            for number, question in enumerate(asked, start=1)
            if not isinstance(question, str) or not question.strip()
        ]
    return faults

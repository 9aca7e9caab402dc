"""One answer as its file has it: checked, with what it was given under; not yet paired.

Two forms: the objects of other systems, whose keys `KEYS` lists (what they mean stands at the top
of `llamood.foreign_answers`), and llamood's own lines. `Unusable` says why there is no answer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeAlias

from llamood.evaluation.answer_log import Answer
from llamood.evaluation.conditions import AFFECT, BESIDE_NAMES, KINDS, PROMPT, UNSTEERED, VECTOR
from llamood.extraction.texts import MAX_TEXT_LENGTH, NEUTRAL, name_fault

KEYS: Mapping[str, tuple[str, ...]] = {
    "question": ("question", "query", "prompt", "instruction", "input"),
    "answer": ("answer", "response", "output", "generated", "text"),
    "emotion": ("emotion", "feeling"),
    "intensity": ("intensity", "strength", "alpha", "coefficient", "dose"),
    "condition": ("condition", "kind"),
    "point": ("point",),
}
OWN_KEYS = frozenset(field.name for field in fields(Answer)) - {"point"}  # older files lack it

Point: TypeAlias = "tuple[float, float] | None"


class Unusable(ValueError):
    """Why something is no answer, as one sentence without the place."""


class Twice(dict[str, Any]):
    """A JSON object that has ``key`` twice."""

    key = ""


@dataclass(frozen=True)
class Circumstances:
    """A ``conditions.Condition`` without its dose. An unsteered answer may have an emotion here:
    that of the answers it was given beside."""

    kind: str
    emotion: str | None
    intensity: float
    point: Point = None

    def __str__(self) -> str:
        if self.point is not None:
            return f"{self.kind} {self.point}"
        of = "" if self.emotion is None else f" {self.emotion}"
        return f"{self.kind}{of} at {self.intensity:g}" if self.intensity else f"{self.kind}{of}"


@dataclass(frozen=True)
class Source:
    """A file whose place says what its answers were given under."""

    path: Path
    emotion: str
    intensity: float

    @property
    def circumstances(self) -> Circumstances:
        """Raises `Unusable` where the name cannot be that of an emotion."""
        return _steered(VECTOR, _emotion(self.emotion), self.intensity)


@dataclass(frozen=True)
class Entry:
    """``where``: as in "1/joy.json, entry 3". ``question``: None where none was given."""

    where: str
    circumstances: Circumstances
    question: str | None
    text: str


def entry(where: str, row: Any, *, source: Source | None = None) -> Entry:
    """That of a row, which may be a text alone where a ``source`` says the rest."""
    if isinstance(row, str) and source is not None:
        row = {"answer": row}
    if not isinstance(row, dict):
        hint = "; texts alone are read from folders" if isinstance(row, str) else ""
        raise Unusable(f'expected {{"question": ..., "answer": ...}}, found {found(row)}{hint}')
    if isinstance(row, Twice):
        raise Unusable(f"{row.key[:80]!r} stands twice")
    question = _value(row, "question")
    if question is not None and not _text(question, "question").strip():
        raise Unusable("the question is empty")
    answer = _value(row, "answer")
    if answer is None:
        raise _lacks("answer")
    return Entry(
        where,
        _circumstances(row, source),
        None if question is None else question.strip(),
        _text(answer, "answer").strip(),
    )


def own_answer(row: Any) -> Answer:
    """That of a line that `Answer.to_line` wrote, as it was."""
    lacking = sorted(OWN_KEYS - row.keys()) if isinstance(row, dict) else []
    if not isinstance(row, dict) or isinstance(row, Twice) or lacking:
        what = f"it lacks {', '.join(lacking)}" if lacking else f"found {found(row)}"
        raise Unusable(f"no answer as llamood writes them: {what}")
    if row["kind"] not in KINDS:
        raise Unusable(f"the kind is {found(row['kind'])}, expected one of {', '.join(KINDS)}")
    if not isinstance(row["mix"], dict):
        raise Unusable(f"the mix is {found(row['mix'])}, expected an object")
    emotion, n_token, nll, point = (row.get(key) for key in ("emotion", "n_token", "nll", "point"))
    return Answer(
        number=_count(row["number"], "number"),
        question=_text(row["question"], "question"),
        kind=row["kind"],
        emotion=None if emotion is None else _text(emotion, "emotion"),
        intensity=_number(row["intensity"], "intensity"),
        dose=_number(row["dose"], "dose"),
        text=_text(row["text"], "text"),
        n_token=None if n_token is None else _count(n_token, "n_token"),
        nll=None if nll is None else _number(nll, "nll"),
        mix={_text(name, "mix"): _number(weight, "mix") for name, weight in row["mix"].items()},
        point=None if point is None else _point(point),
    )


def found(value: Any) -> str:
    """A JSON value in a few words, for a fault."""
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"an object of {len(value)}"
    return "null" if value is None else f"{value!r:.40}"


def _circumstances(row: Mapping[str, Any], source: Source | None) -> Circumstances:
    """What the row says, or else its place."""
    kind = _value(row, "condition")
    if kind is not None and kind not in KINDS:
        raise Unusable(f"the condition is {found(kind)}, expected one of {', '.join(KINDS)}")
    if kind == AFFECT:
        return Circumstances(AFFECT, None, 0.0, _point(_value(row, "point")))
    emotion, intensity = _emotion(_value(row, "emotion")), _value(row, "intensity")
    if intensity is not None:
        intensity = _number(intensity, "intensity")
    if source is not None:
        placed = _emotion(source.emotion)
        if emotion not in (None, placed) or intensity not in (None, source.intensity):
            says = Circumstances(kind or VECTOR, emotion, intensity or 0.0)
            raise Unusable(f"says {says}, and its place says {source.circumstances}")
        emotion, intensity = placed, source.intensity
    elif kind != UNSTEERED and intensity != 0 and not _has(row, "emotion"):
        raise _lacks("emotion")
    if intensity is None and kind not in (UNSTEERED, PROMPT) and emotion is not None:
        raise _lacks("intensity")
    return _steered(kind or VECTOR, emotion, intensity or 0.0)


def _steered(kind: str, emotion: str | None, intensity: float) -> Circumstances:
    """They are the unsteered ones where no vector of an emotion was added."""
    if emotion is None and kind not in (UNSTEERED, VECTOR):
        raise Unusable(f"the condition is {kind!r}, and there is no emotion")
    if kind == UNSTEERED or (
        kind in (VECTOR, *BESIDE_NAMES) and (emotion is None or not intensity)
    ):
        return Circumstances(UNSTEERED, emotion, 0.0)
    return Circumstances(kind, emotion, intensity)


def _has(row: Mapping[str, Any], what: str) -> bool:
    return any(key in row for key in KEYS[what])


def _value(row: Mapping[str, Any], what: str) -> Any:
    """That of the first of its keys that is there, else None."""
    return next((row[key] for key in KEYS[what] if key in row), None)


def _lacks(what: str) -> Unusable:
    return Unusable(f"no {what} in it; expected one of the keys {', '.join(KEYS[what])}")


def _emotion(value: Any) -> str | None:
    if value is None:
        return None
    name = _text(value, "emotion").strip()
    if name.lower() in ("", NEUTRAL):
        return None
    if fault := name_fault(name):
        raise Unusable(fault)
    return name


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise Unusable(f"the {what} is {found(value)}, expected a text")
    if len(value) > MAX_TEXT_LENGTH:
        raise Unusable(f"the {what} has {len(value)} characters, {MAX_TEXT_LENGTH} at most")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Unusable(f"the {what} has half of a surrogate pair in it, no character") from None
    return value


def _number(value: Any, what: str) -> float:
    if type(value) not in (int, float):
        raise Unusable(f"the {what} is {found(value)}, expected a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise Unusable(f"the {what} is not finite")
    return number


def _count(value: Any, what: str) -> int:
    if type(value) is not int or value < 0:
        raise Unusable(f"the {what} is {found(value)}, expected a whole number from 0")
    return value


def _point(value: Any) -> tuple[float, float]:
    if not isinstance(value, list) or len(value) != 2:
        raise Unusable(f"the point is {found(value)}, expected [valence, arousal]")
    return _number(value[0], "valence"), _number(value[1], "arousal")

"""Answers that other systems gave, read as `Answer`s, so that all stand in one table.

What they may be:

*   ``answers.jsonl`` as ``llamood eval`` writes it, or a folder that holds one.
*   A JSON list of objects, or one object a line (``.jsonl``). Of several keys for the same thing
    the first in this table counts; other keys are ignored.

        what       keys                                          value
        question   question query prompt instruction input       text; all entries have one, or none
        answer     answer response output generated text         text, also an empty one
        emotion    emotion feeling                               name; null or "neutral": none
        intensity  intensity strength alpha coefficient dose     number
        condition  condition kind                                one of ``conditions.KINDS``
        point      point                                         [valence, arousal], for "affect"

    The condition is "vector" where none is named. A vector at intensity 0, or of no emotion, is
    the unsteered condition. "unsteered" and "prompt only" need no intensity; "unsteered" and
    whatever has intensity 0 need no emotion.
*   A folder as the authors of arXiv 2502.04075 publish theirs (github.com/xuanfengzu/EmotionVector,
    ``results/emotion/<model>`` and ``results/base/<model>``): ``<intensity>/<emotion>.json``, and
    ``<intensity>.json`` for the mean of all vectors, the emotion ``base``. Theirs are lists of
    texts, answers to the same questions in the same order in each file. Also read: ``.jsonl``,
    lists of objects as above, and one object ``{question: answer}``. Other files are ignored.

Questions pair the answers of different conditions. Where none are given, places do: the first
answer in each condition is to question 0. An unsteered answer belongs to all emotions
(``emotion`` None), unless unsteered answers were given beside several of them: then each keeps
its own, since they are different draws, or even answers to different questions.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

from llamood.errors import FileError
from llamood.evaluation.answer_entries import (
    OWN_KEYS,
    Circumstances,
    Entry,
    Source,
    Twice,
    Unusable,
    entry,
    found,
    own_answer,
)
from llamood.evaluation.answer_log import Answer
from llamood.evaluation.conditions import UNSTEERED, WITH_VECTORS
from llamood.extraction.texts import MAX_FAULTS, MAX_FILE_BYTES, read_text
from llamood.vectors.emotion_vectors import BASE

OWN = "answers.jsonl"
_ENDINGS = (".json", ".jsonl")
_INTENSITY = re.compile(r"[+-]?\d{1,9}(\.\d{1,9})?", re.ASCII)

Row: TypeAlias = "tuple[str, Any]"  # where it stands, as "1/joy.json, entry 3"; what stands there


def read_answers(path: str | Path) -> tuple[Answer, ...]:
    """All answers, in the order of the file; in a folder by intensity, then by emotion.

    ``number``: of its question, in the order in which they first appear, from 0. ``dose``: the
    intensity where there is a vector. ``text``: without white space around it, and else as it
    stands. ``n_token``, ``nll``: None, they are not known. llamood's own are as they were.

    Raises `FileError` with the first ten faults: not JSON, another shape, a missing or unusable
    value, a question answered twice in one condition, no answer at all, more than 256 MB.
    """
    path = Path(path)
    if path.is_dir():
        own = path / OWN
        return read_answers(own) if own.is_file() else _folder_answers(path)
    if path.exists() and not path.is_file():
        raise FileError(path, "is no regular file, expected answers")
    faults: list[str] = []
    rows = list(_rows(path, faults))
    if rows and isinstance(rows[0][1], dict) and rows[0][1].keys() >= OWN_KEYS:
        return _own_answers(path, rows, faults)
    return _answers(path, list(_entries(rows, faults)), faults)


def _folder_answers(root: Path) -> tuple[Answer, ...]:
    try:
        sources = _sources(root)
        if not sources:
            raise FileError(root, _nothing_in(root))
        size = sum(source.path.stat().st_size for source in sources)
    except OSError as error:
        raise FileError(root, f"cannot be read: {error.strerror or error}") from error
    if size > MAX_FILE_BYTES:
        raise FileError(root, f"its answers have {size} bytes, more than {MAX_FILE_BYTES}")
    faults: list[str] = []
    entries: list[Entry] = []
    names: dict[Circumstances, str] = {}
    for source in sources:
        name = source.path.relative_to(root).as_posix()
        try:
            first = names.setdefault(source.circumstances, name)
        except Unusable as fault:
            faults.append(f"{name}: {fault}")
            continue
        if first != name:
            faults.append(f"{first} and {name} are both {source.circumstances}; keep one")
            continue
        entries += _entries(_rows(source.path, faults, name=name), faults, source=source)
    return _answers(root, entries, faults)


def _sources(root: Path) -> list[Source]:
    """The files that hold answers, by intensity, then by name."""
    sources = []
    for child in root.iterdir():
        if child.is_dir() and _INTENSITY.fullmatch(child.name):
            at = float(child.name)
            sources += [Source(file, file.stem, at) for file in child.iterdir() if _usable(file)]
        elif _INTENSITY.fullmatch(child.stem) and _usable(child):
            sources.append(Source(child, BASE, float(child.stem)))
    return sorted(sources, key=lambda source: (source.intensity, source.path))


def _usable(file: Path) -> bool:
    ignored = file.name.startswith(".") or file.stem.lower() == "readme"
    return not ignored and file.suffix.lower() in _ENDINGS and file.is_file()


def _nothing_in(root: Path) -> str:
    names = sorted(child.name for child in root.iterdir() if not child.name.startswith("."))
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    folders = [root / name for name in names if (root / name).is_dir()]
    within = next((one for one in folders if (one / OWN).is_file() or _sources(one)), None)
    hint = "" if within is None else f"; there are answers in {within.name}"
    return (
        f"holds no answers: found {shown or 'nothing'}; expected {OWN}, or <intensity>/"
        f"<emotion>.json, as in 1/joy.json, or <intensity>.json{hint}"
    )


# -- from a file to rows -------------------------------------------------------------------


def _rows(path: Path, faults: list[str], *, name: str = "") -> Iterator[Row]:
    """What a file holds, one by one; `faults` says where it is of another shape.

    ``name``: of a file in a folder, where also one object of all questions and answers is read.
    """
    text = read_text(path, max_bytes=MAX_FILE_BYTES)
    lined = path.suffix.lower() == ".jsonl"
    try:
        rows = _lines(text) if lined else enumerate(_listed(_json(text), pairs=bool(name)), start=1)
    except Unusable as fault:
        faults.append(f"{name}: {fault}" if name else str(fault))
        return
    before = f"{name}, " if name else ""
    empty = True
    for number, value in rows:
        empty = False
        where = f"{before}{'line' if lined else 'entry'} {number}"
        if isinstance(value, Unusable):
            faults.append(f"{where}: {value}")
        else:
            yield where, value
    if empty:
        faults.append(f"{name} holds no answers" if name else "holds no answers")


def _lines(text: str) -> Iterator[tuple[int, Any]]:
    """With their numbers, those that hold something; `Unusable` in place of what is not JSON."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield number, _json(line)
            except Unusable as fault:
                yield number, fault


def _listed(content: Any, *, pairs: bool) -> list[Any]:
    """``pairs``: an object is one of questions and answers."""
    if pairs and isinstance(content, Twice):
        raise Unusable(f"{content.key[:80]!r} stands twice")
    if pairs and isinstance(content, dict):
        return [{"question": question, "answer": answer} for question, answer in content.items()]
    if not isinstance(content, list):
        raise Unusable(f"expected a list of answers, found {found(content)}")
    return content


def _json(text: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) == len(pairs):
            return content
        twice = Twice(content)
        twice.key = Counter(key for key, _ in pairs).most_common(1)[0][0]
        return twice

    try:
        return json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise Unusable(f"not JSON: {error}") from error


# -- from rows to answers ------------------------------------------------------------------


def _entries(
    rows: Iterable[Row], faults: list[str], *, source: Source | None = None
) -> Iterator[Entry]:
    for where, row in rows:
        try:
            yield entry(where, row, source=source)
        except Unusable as fault:
            faults.append(f"{where}: {fault}")


def _answers(root: Path, entries: Sequence[Entry], faults: Sequence[str]) -> tuple[Answer, ...]:
    _require(root, faults)
    entries = _unsteered_of_all(entries)
    numbers = _by_question(entries) if _asked(root, entries) else _by_place(root, entries)
    _require_once(root, [(each.where, each.circumstances) for each in entries], numbers)
    return tuple(
        Answer(
            number=number,
            question=each.question or "",
            kind=under.kind,
            emotion=under.emotion,
            intensity=under.intensity,
            dose=under.intensity if under.kind in WITH_VECTORS else 0.0,
            text=each.text,
            n_token=None,
            nll=None,
            mix={},
            point=under.point,
        )
        for each, number in zip(entries, numbers, strict=True)
        for under in [each.circumstances]
    )


def _own_answers(path: Path, rows: Iterable[Row], faults: list[str]) -> tuple[Answer, ...]:
    answers: list[Answer] = []
    places: list[tuple[str, Circumstances]] = []
    for where, row in rows:
        try:
            answer = own_answer(row)
        except Unusable as fault:
            faults.append(f"{where}: {fault}")
            continue
        answers.append(answer)
        under = Circumstances(answer.kind, answer.emotion, answer.intensity, answer.point)
        places.append((where, under))
    _require(path, faults)
    _require_once(path, places, [answer.number for answer in answers])
    return tuple(answers)


def _unsteered_of_all(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Unsteered answers that were given beside one emotion only are those of all."""
    plain = [each for each in entries if each.circumstances.kind == UNSTEERED]
    if len({each.circumstances.emotion for each in plain}) != 1:
        return entries
    of_all = Circumstances(UNSTEERED, None, 0.0)
    return [
        replace(each, circumstances=of_all) if each.circumstances.kind == UNSTEERED else each
        for each in entries
    ]


def _asked(root: Path, entries: Sequence[Entry]) -> bool:
    """Whether the entries have questions. Raises `FileError` where only some have."""
    asked = next((each.where for each in entries if each.question is not None), None)
    unasked = next((each.where for each in entries if each.question is None), None)
    if asked is not None and unasked is not None:
        raise FileError(
            root, f"{asked} has a question, and {unasked} has none; give one to all or to none"
        )
    return asked is not None


def _by_question(entries: Sequence[Entry]) -> list[int]:
    numbers: dict[str | None, int] = {}
    return [numbers.setdefault(each.question, len(numbers)) for each in entries]


def _by_place(root: Path, entries: Sequence[Entry]) -> list[int]:
    """The place within the condition. Conditions to be compared must then be equally long."""
    lengths: Counter[Circumstances] = Counter()
    numbers = []
    for each in entries:
        numbers.append(lengths[each.circumstances])
        lengths[each.circumstances] += 1
    first: dict[str | None, Circumstances] = {}
    for under in lengths:
        first.setdefault(under.emotion, under)
    compared = {under: first.get(None, first[under.emotion]) for under in lengths}
    faults = [
        f"{under} has {n} answers, {other} has {lengths[other]}: without questions they are "
        "paired by their place, so there must be as many"
        for under, n in lengths.items()
        for other in [compared[under]]
        if lengths[other] != n
    ]
    _require(root, faults)
    return numbers


def _require_once(
    root: Path, places: Iterable[tuple[str, Circumstances]], numbers: Iterable[int]
) -> None:
    """Each question at most once in each condition."""
    faults = []
    first: dict[tuple[Circumstances, int], str] = {}
    for (where, under), number in zip(places, numbers, strict=True):
        before = first.setdefault((under, number), where)
        if before != where:
            faults.append(
                f"{where}: the question of {before} again, in the same condition ({under})"
            )
    _require(root, faults)


def _require(root: Path, faults: Sequence[str]) -> None:
    if faults:
        more = len(faults) - MAX_FAULTS
        raise FileError(root, *faults[:MAX_FAULTS], *([f"and {more} more"] if more > 0 else []))

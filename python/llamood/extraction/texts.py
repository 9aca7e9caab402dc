"""Labelled texts, one emotion or neutral each, to measure emotion vectors from.

What a file may look like, by its ending; UTF-8, one text a line:

    .tsv    text TAB label [TAB anything]; no quoting
    .csv    text,label[,anything]; quoted as spreadsheets do, a quoted text may hold line breaks
    .jsonl  {"text": "...", "label": "..."}; other keys are ignored

A .tsv or .csv may begin with a header naming the columns ``text`` and ``label``, in any
place. A label is a name or a whole number; numbers are lines of a labels file, the first being 0.
Several labels are separated by commas (or are a list in .jsonl); such a text is
dropped and counted, because it is an example of no single emotion.
"""

from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from llamood.errors import FileError
from llamood.vectors.emotion_vectors import reserved

NEUTRAL = "neutral"
# Of the project's own writing; of each label short comments first, then longer ones, then letters,
# diaries and talk.
BUNDLED = Path(__file__).parents[1] / "data" / "texts.tsv"
# Short plain sentences, which readings are fitted to beside those; vectors and doses are not.
SENTENCES = BUNDLED.with_name("sentences.tsv")
MAX_FILE_BYTES = 256_000_000
MAX_TEXT_LENGTH = 100_000  # characters
MAX_FAULTS = 10  # that are listed
_NAME = re.compile(r"[^\W\d][\w-]{0,63}")  # what can be a file name and stand in joy=0.8
_HEADER = ("text", "label")

Row = tuple[int, str, tuple[str, ...]]  # line number from 1, text, labels


@dataclass(frozen=True)
class LabelledTexts:
    """Texts by label. ``neutral`` is always among the names, with at least one other."""

    names: tuple[str, ...]  # in the order of the labels file, else of first appearance
    texts: Mapping[str, tuple[str, ...]]  # name -> its texts, at least one, in file order
    dropped: int = 0  # texts left out because they had several labels

    @property
    def emotions(self) -> tuple[str, ...]:
        """The names without neutral."""
        return tuple(name for name in self.names if name != NEUTRAL)

    @property
    def neutral(self) -> tuple[str, ...]:
        """The texts without feeling."""
        return self.texts[NEUTRAL]

    def first(self, per_label: int) -> LabelledTexts:
        """The first `per_label` texts of each label, or all that it has."""
        kept = {name: texts[:per_label] for name, texts in self.texts.items()}
        return LabelledTexts(self.names, MappingProxyType(kept), self.dropped)

    def joined(self, others: LabelledTexts) -> LabelledTexts:
        """With the texts of others after those of the same label; other labels are left out."""
        both = {name: (*texts, *others.texts.get(name, ())) for name, texts in self.texts.items()}
        return LabelledTexts(self.names, MappingProxyType(both), self.dropped)

    def after(self, per_label: int) -> LabelledTexts:
        """Of each label the texts after the first `per_label`. Labels of which none is left keep
        all: who is to be tried on texts gets some of each."""
        kept = {name: texts[per_label:] or texts for name, texts in self.texts.items()}
        return LabelledTexts(self.names, MappingProxyType(kept), self.dropped)

    def sample(self, per_label: int, *, seed: int = 0) -> LabelledTexts:
        """At most `per_label` (at least 1) texts of each label, drawn without replacement.

        The same seed draws the same texts, whatever the other labels hold, and a smaller
        sample is the beginning of a larger one. A label with fewer texts gives all it has.
        """
        if per_label < 1:
            raise ValueError(f"per_label is {per_label}; at least one text a label is needed")
        drawn = {}
        for name, texts in self.texts.items():
            shuffled = list(texts)
            random.Random(f"{seed}/{name}").shuffle(shuffled)
            drawn[name] = tuple(shuffled[:per_label])
        return LabelledTexts(self.names, MappingProxyType(drawn), self.dropped)


def load_texts(path: str | Path, *, labels: str | Path | None = None) -> LabelledTexts:
    """Read labelled texts; `labels` names the numbers, default ``labels.txt`` beside the file.

    Raises `FileError` with the line numbers of the first ten faults: an unknown ending, a
    line of another shape, an empty or huge text, a label that is no name or has none, no neutral
    text, no other label.
    """
    texts, dropped = by_label(path, labels=labels)
    faults = _set_faults(texts)
    if faults:
        raise FileError(path, *faults)
    return LabelledTexts(tuple(texts), MappingProxyType(texts), dropped)


def by_label(
    path: str | Path, *, labels: str | Path | None = None
) -> tuple[dict[str, tuple[str, ...]], int]:
    """The texts of each label that has any, and how many were left out because they had several.

    Raises as `load_texts`, but asks for no label.
    """
    path = Path(path)
    faults: list[str] = []
    rows = list(_rows(path, faults))
    names = _numbered(path, labels) if any(_has_number(row) for row in rows) else None
    texts: dict[str, list[str]] = {name: [] for name in names or ()}
    known = None if names is None else frozenset(names)
    dropped = 0
    for line, text, row_labels in rows:
        fault = _text_fault(text) or _label_fault(row_labels, known)
        if fault:
            faults.append(f"line {line}: {fault}")
        elif len(row_labels) > 1:
            dropped += 1
        else:
            texts.setdefault(_name(row_labels[0], names), []).append(text)
    if faults:
        more = len(faults) - MAX_FAULTS
        raise FileError(path, *faults[:MAX_FAULTS], *([f"and {more} more"] if more > 0 else []))
    return {name: tuple(of) for name, of in texts.items() if of}, dropped


def read_text(path: Path, *, max_bytes: int) -> str:
    """A whole UTF-8 file, with or without byte order mark. Raises `FileError`."""
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror or error}") from error
    if len(data) > max_bytes:
        raise FileError(path, f"has more than {max_bytes} bytes; split it or take a part of it")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FileError(path, f"line {line}: not UTF-8; convert the file to UTF-8") from error


def name_fault(name: str) -> str | None:
    """Why `name` cannot be the name of an emotion, or None."""
    if fault := reserved(name):
        return f"{name[:80]!r} {fault}; choose another name"
    if _NAME.fullmatch(name):
        return None
    return (
        f"{name[:80]!r} cannot name an emotion; use a letter, then letters, digits, _ or -, "
        "64 at most"
    )


def _rows(path: Path, faults: list[str]) -> Iterator[Row]:
    """The rows of a file; lines of another shape go to `faults` instead."""
    ending = path.suffix.lower()
    if ending == ".jsonl":
        yield from _json_rows(read_text(path, max_bytes=MAX_FILE_BYTES), faults)
    elif ending in (".tsv", ".csv"):
        text = read_text(path, max_bytes=MAX_FILE_BYTES)
        lines = _tsv_lines(text) if ending == ".tsv" else _csv_lines(text, faults)
        yield from _column_rows(lines, faults)
    else:
        raise FileError(path, f"ends in {ending!r}; labelled texts are .tsv, .csv or .jsonl")


def _tsv_lines(text: str) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip("\r"):
            yield number, line.rstrip("\r").split("\t")


def _csv_lines(text: str, faults: list[str]) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    start = 1  # a quoted text may span lines; the row is named by its first
    try:
        for columns in reader:
            if columns:
                yield start, columns
            start = reader.line_num + 1
    except csv.Error as error:
        faults.append(f"line {start}: not readable as csv: {error}")


def _column_rows(lines: Iterator[tuple[int, list[str]]], faults: list[str]) -> Iterator[Row]:
    text_at, label_at, width = 0, 1, 2
    for index, (number, columns) in enumerate(lines):
        if index == 0:
            titles = [title.strip().lower() for title in columns]
            if all(title in titles for title in _HEADER):
                text_at, label_at = (titles.index(title) for title in _HEADER)
                width = max(text_at, label_at) + 1
                continue
        if len(columns) < width:
            faults.append(f"line {number}: {len(columns)} columns, expected at least {width}")
        else:
            yield number, columns[text_at], _split(columns[label_at])


def _json_rows(text: str, faults: list[str]) -> Iterator[Row]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
        except (ValueError, RecursionError) as error:
            faults.append(f"line {number}: not JSON: {error}")
            continue
        content = item.get("text") if isinstance(item, dict) else None
        label = item.get("label") if isinstance(item, dict) else None
        labels = label if isinstance(label, list) else [label]
        known = all(isinstance(one, str | int) and not isinstance(one, bool) for one in labels)
        if isinstance(content, str) and known:
            yield number, content, tuple(part for one in labels for part in _split(str(one)))
        else:
            faults.append(
                f'line {number}: expected {{"text": "...", "label": "..."}}, found {line[:80]}'
            )


def _split(labels: str) -> tuple[str, ...]:
    return tuple(label.strip() for label in labels.split(","))


def _is_number(label: str) -> bool:
    return label.isascii() and label.isdigit() and len(label) < 10


def _has_number(row: Row) -> bool:
    return any(_is_number(label) for label in row[2])


def _numbered(path: Path, labels: str | Path | None) -> tuple[str, ...]:
    """The names that the numbers 0, 1, ... stand for."""
    where = Path(labels) if labels is not None else path.with_name("labels.txt")
    if labels is None and not where.exists():
        raise FileError(
            path,
            f"its labels are numbers, and there is no {where.name} beside it; "
            "give a labels file with one name a line, the first for 0",
        )
    names = tuple(read_text(where, max_bytes=1_000_000).split())
    faults = [fault for name in names if (fault := name_fault(name))]
    if len(set(names)) != len(names):
        faults.append("a name stands twice")
    if faults or not names:
        raise FileError(where, *(faults[:MAX_FAULTS] or ["holds no names; expected one a line"]))
    return names


def _name(label: str, names: tuple[str, ...] | None) -> str:
    return names[int(label)] if names is not None and _is_number(label) else label


def _text_fault(text: str) -> str | None:
    if not text.strip():
        return "the text is empty"
    if len(text) > MAX_TEXT_LENGTH:
        return f"the text has {len(text)} characters, {MAX_TEXT_LENGTH} at most"
    return None


def _label_fault(labels: tuple[str, ...], names: frozenset[str] | None) -> str | None:
    """Why the labels of a text mean nothing, or None. ``names``: of the numbers."""
    if not labels:
        return "no label in its list, expected one at least"
    for label in labels:
        if names is None:
            fault = name_fault(label)
        elif _is_number(label):
            last = len(names) - 1
            fault = None if int(label) <= last else f"no name for label {label}; 0 to {last} exist"
        else:
            fault = None if label in names else f"label {label[:80]!r} is not in the labels file"
        if fault:
            return fault
    return None


def _set_faults(texts: Mapping[str, tuple[str, ...]]) -> list[str]:
    """What is wrong with the texts as a whole."""
    found = ", ".join(texts) or "none"
    if NEUTRAL not in texts:
        return [f"no text is labelled {NEUTRAL!r} (labels found: {found}); the vectors need it"]
    if len(texts) == 1:
        return [f"every text is labelled {NEUTRAL!r}; at least one emotion is needed"]
    return []

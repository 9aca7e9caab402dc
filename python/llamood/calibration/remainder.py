"""What lies in a folder of vectors beside what is measured of them now, and is not to be lost."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from llamood.calibration.utterances import origins
from llamood.errors import FileError
from llamood.extraction.texts import MAX_FILE_BYTES, read_text
from llamood.vectors import control_vector
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.files import SUFFIX
from llamood.vectors.increments import METHOD, is_increments


def with_remainder(made: EmotionVectors, known: EmotionVectors) -> EmotionVectors:
    """Vectors that were made anew, and beside them the other emotions of those that are ``known``,
    with the vector, the dose and the ceiling that these have; pairs and affect that were not told
    anew are as they were.

    As a set has one measurement, the others say that of the new ones. Raises `VectorError` where
    they belong to another model.
    """
    made = _told(made, known)
    names = [name for name in known.names if name not in made.names]
    if not names:
        return made
    others = known.select(names)
    if is_increments(made) and not is_increments(others):
        # What says that it is of increments is summed up to see what was measured: not all is.
        method = (made.measurement.method or "").removesuffix(METHOD) + " (increments)"
        made = replace(made, measurement=replace(made.measurement, method=method))
    return made.merge(replace(others, measurement=made.measurement))


def require_nothing_added(folder: Path) -> None:
    """Raise `FileError` for a folder to which feelings were added: a measurement of the others
    would leave them without readings, and with doses that were found beside other vectors."""
    added = list(origins(folder))
    if added:
        raise FileError(
            folder,
            f"has feelings that were added to it ({', '.join(added)}), and a new measurement is "
            "not of them; take them away first (llamood emotion remove MODEL NAME), or measure "
            "into another folder (-o)",
        )


def outdated(
    folder: Path, report: str, *, beside: Collection[str], files: Collection[str]
) -> list[Path]:
    """What an earlier measurement has left in a folder, which goes when another one replaces it.

    ``report``: the name of the file in which it told what it was of. ``beside``: folders in which
    it has vectors too; ``files``: what else it has written. Vectors that do not say that they are
    of its model are somebody else's, and no part of it; without a report nothing is.
    """
    names, fingerprint = _reported(folder / report)
    if fingerprint is None:
        return []
    vectors = [
        place / f"{name}{SUFFIX}"
        for place in (folder, *(folder / each for each in beside))
        for name in names
    ]
    found = [path for path in vectors if path.is_file() and _is_of(path, fingerprint)]
    return [*found, *(folder / each for each in files if (folder / each).is_file())]


def _reported(path: Path) -> tuple[list[str], str | None]:
    """The emotions of a measurement and the model's fingerprint; None where there is no report of
    one."""
    try:
        report = json.loads(read_text(path, max_bytes=MAX_FILE_BYTES))
        sources = list(report["sources"].values())
        names = [str(name) for each in sources for name in each["emotions"]]
        return list(dict.fromkeys(names)), str(sources[0]["model"]["fingerprint"])
    except (FileError, LookupError, ValueError, TypeError, AttributeError, RecursionError):
        return [], None


def _is_of(path: Path, fingerprint: str) -> bool:
    try:
        return control_vector.read(path).measurement.model_fingerprint == fingerprint
    except FileError:
        return False


def _told(made: EmotionVectors, known: EmotionVectors) -> EmotionVectors:
    pairs, affect = list(made.pairs), list(made.affect)
    for at, name in enumerate(made.names):
        if name in known.names:
            place = known.names.index(name)
            pairs[at] = known.pairs[place] if pairs[at] is None else pairs[at]
            affect[at] = known.affect[place] if affect[at] is None else affect[at]
    return replace(made, pairs=tuple(pairs), affect=tuple(affect))

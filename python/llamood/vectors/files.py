"""Emotion vectors on disk: one control-vector GGUF file for each emotion."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TypeAlias

from llamood.atomic import Write, write_files
from llamood.errors import FileError, FilesError, VectorError
from llamood.vectors import control_vector
from llamood.vectors.emotion_vectors import EmotionVectors

Source: TypeAlias = "str | os.PathLike[str] | Iterable[str | os.PathLike[str]]"

SUFFIX = ".gguf"
UNFIT_FOR_FILES = frozenset('/\\:*?"<>|')
NAME_LIMIT = 200  # bytes; file systems take 255, some of which the temporary name needs


def load(source: Source) -> EmotionVectors:
    """The emotions in a folder (its ``*.gguf``, by name), in a file, or in several files.

    The files must agree in shape and site; they come from `save`, or from writers that
    number layers as llama.cpp does (`convert` reads all others).

    Raises `FileError` with all faults of a file, `FilesError` if several are at fault.
    """
    paths = paths_of(source, suffixes=(SUFFIX,))
    return merged(paths, read_all(paths, control_vector.read))


def save(evs: EmotionVectors, folder: str | os.PathLike[str]) -> list[Path]:
    """Write ``<folder>/<emotion>.gguf`` for each emotion; the paths, in the emotions' order.

    Either all files are written or none is touched; other files in the folder stay. What
    `load` makes of these paths equals ``evs`` bit for bit.

    Raises `VectorError` for what no such file can hold: a name that is no file name, or a
    single layer. Raises `FileError` where the disk refuses.
    """
    found = contents(evs, folder)
    write_files(found)
    return list(found)


def contents(evs: EmotionVectors, folder: str | os.PathLike[str]) -> dict[Path, Write]:
    """What `save` writes, and how. Raises `VectorError` as it does."""
    if evs.n_layer < 2:
        raise VectorError("vectors of one layer cannot be saved: llama.cpp has none for layer 0")
    for name in evs.names:
        _require_file_name(name)
    if len({name.casefold() for name in evs.names}) < evs.n_emotion:
        raise VectorError(
            f"names that differ only in case cannot be saved side by side: {', '.join(evs.names)}"
        )
    return {
        Path(folder) / f"{name}{SUFFIX}": partial(control_vector.write, evs=evs, name=name)
        for name in evs.names
    }


def paths_of(source: Source, *, suffixes: tuple[str, ...]) -> list[Path]:
    """The files meant: those of a folder with such a suffix, sorted, or those named.

    A folder with control vectors means those: what else lies there is their report.
    Raises `FileError` for a path where nothing is, a folder without such files, or one with
    files of different suffixes.
    """
    if not isinstance(source, str | os.PathLike):
        named = [Path(path) for path in source]
        if not named:
            raise VectorError("no file of emotion vectors was given, expected at least one")
        return named
    path = Path(source)
    if not path.exists():
        raise FileError(path, "does not exist")
    if not path.is_dir():
        return [path]
    try:
        entries = sorted(path.iterdir())
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror or error}") from error
    inside = [
        entry
        for entry in entries
        if entry.suffix.lower() in suffixes and not entry.name.startswith(".")
    ]
    if not inside:
        raise FileError(path, f"is a folder without {', '.join(suffixes)} files")
    vectors = [entry for entry in inside if entry.suffix.lower() == SUFFIX]
    if vectors:
        return vectors
    kinds = sorted({entry.suffix.lower() for entry in inside})
    if len(kinds) > 1:
        raise FileError(path, f"holds {' and '.join(kinds)} files; name those that are meant")
    return inside


def read_all(paths: Iterable[Path], read: Callable[[Path], EmotionVectors]) -> list[EmotionVectors]:
    """Read every file, then raise one error with the faults of all of them, if any."""
    parts, errors = [], []
    for path in paths:
        try:
            parts.append(read(path))
        except FileError as error:
            errors.append(error)
    _raise(errors)
    return parts


def merged(paths: list[Path], parts: list[EmotionVectors]) -> EmotionVectors:
    """All emotions as one set; `FileError` for each file that does not fit the first ones."""
    evs, errors = parts[0], []
    for path, part in zip(paths[1:], parts[1:], strict=True):
        try:
            evs = evs.merge(part)
        except VectorError as error:
            errors.append(FileError(path, f"does not go with the files before it: {error}"))
    _raise(errors)
    return evs


def _raise(errors: list[FileError]) -> None:
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise FilesError(errors)


def _require_file_name(name: str) -> None:
    unfit = sorted(UNFIT_FOR_FILES & set(name))
    if unfit:
        raise VectorError(f"emotion {name!r} cannot be a file name: it has {' '.join(unfit)}")
    if name.startswith(".") or name.endswith("."):
        raise VectorError(f"emotion {name!r} cannot be a file name: it begins or ends with a dot")
    if len(os.fsencode(name)) > NAME_LIMIT:
        raise VectorError(f"emotion {name[:20]!r}... cannot be a file name: it is too long")

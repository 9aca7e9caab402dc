"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from llamood.errors import FileError

_LEFTOVER = re.compile(r"\..+\.[0-9a-f]{8}\.tmp")

Write = Callable[[Path], object]  # writes a content to the path that it is given


def write_files(contents: Mapping[Path, Write], *, gone: Iterable[Path] = ()) -> None:
    """Write several files so that a failure leaves the old ones, or none, and no others.

    ``contents``: target -> what writes it. ``gone``: files that are removed with that, as they
    belong to what is replaced, and their folders where nothing else is in them. Every content is
    written beside its target and flushed to the disk before the first target is replaced; they are
    replaced in their order. Folders that are missing are made, and removed again on failure.

    Raises `FileError` where the disk refuses (full, read-only, a folder in the way).
    """
    temporary = {target: _beside(target) for target in contents}
    aside = {path: _beside(path) for path in gone if path not in contents}
    made: list[Path] = []
    try:
        for target in temporary:
            if target.exists() and not target.is_file():
                kind = "a folder" if target.is_dir() else "no file that could be replaced"
                raise FileError(target, f"is {kind}, expected a file or nothing at this path")
            made += _make_folder(target.parent)
        for target, path in temporary.items():
            try:
                contents[target](path)
                _flush(path)
            except OSError as error:
                raise FileError(target, f"cannot be written: {error.strerror or error}") from error
        for old, path in aside.items():
            move(old, path, fault="cannot be removed")
        for target, path in temporary.items():
            move(path, target, fault="cannot be replaced")
    except BaseException:
        for old, path in aside.items():
            with contextlib.suppress(OSError):  # still where it was
                path.replace(old)
        for path in temporary.values():
            with contextlib.suppress(OSError):  # never made
                path.unlink()
        for folder in reversed(made):
            with contextlib.suppress(OSError):  # another process has put something in it
                folder.rmdir()
        raise
    for path in aside.values():
        path.unlink()
    for folder in {target.parent for target in temporary}:
        _flush(folder)
    for folder in {path.parent for path in aside}:
        with contextlib.suppress(OSError):  # something else is in it
            folder.rmdir()


def remove_leftovers(folder: Path) -> None:
    """Remove what processes that were killed while they wrote have left in a folder: whole files or
    halves of them, under names that only `write_files` gives. Nobody may be writing there."""
    for path in folder.glob(".*.tmp"):
        if _LEFTOVER.fullmatch(path.name):
            path.unlink(missing_ok=True)


def move(path: Path, target: Path, *, fault: str = "cannot be made") -> None:
    """A file in the place of another, or a folder where nothing is. Raises `FileError` with the
    ``fault``."""
    try:
        path.replace(target)
    except OSError as error:
        raise FileError(target, f"{fault}: {error.strerror}") from error


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")


def _make_folder(folder: Path) -> list[Path]:
    """Make the folder; the folders that had to be made, outermost first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(folder, f"cannot be made a folder: {error.strerror}") from error
    return missing[::-1]


def _flush(path: Path) -> None:
    """Wait until the file or folder is on the disk."""
    if os.name == "nt" and path.is_dir():
        return  # Windows has no handle for this
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""What was found of a model so far, in a file, so that a run that was killed finds it there.

JSON lines, each with what was asked, what was found, and a digest of all that this depends on:
``{"of": "1f0c...", "asked": ..., "found": ...}``. Lines of another model, say, or of other vectors
stay where they are and count for nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from llamood.errors import FileError
from llamood.extraction.extraction import fingerprint_of


class TrialLog:
    """``path``: None keeps nothing beyond this process. ``of``: on what all that is found depends,
    JSON-able, arrays too. A line that was torn by a kill counts for nothing. Raises `FileError` for
    a file that cannot be read."""

    def __init__(self, path: Path | None, *, of: Mapping[str, Any]) -> None:
        self._path = path
        self._of = digest(of)
        self._found = {} if path is None else dict(_lines(path, self._of))

    def recall(self, asked: Any, find: Callable[[], Any]) -> Any:
        """What was found for ``asked``; where nothing was, what ``find`` finds, which outlives the
        process once this returns. Both are JSON-able, and come back as JSON has them. Raises
        `FileError` where the disk refuses it."""
        key = json.dumps(asked)
        if key not in self._found:
            line = json.dumps({"of": self._of, "asked": asked, "found": find()})
            if self._path is not None:
                _append(self._path, line)
            self._found[key] = json.loads(line)["found"]
        return self._found[key]

    def knows(self, asked: Any) -> bool:
        """Whether something was found for it."""
        return json.dumps(asked) in self._found


def model_identity(model: Path) -> list[Any]:
    """What tells a model from others, JSON-able: nothing found of one is true of another."""
    return [fingerprint_of(model), model.stat().st_size]


def digest(of: Mapping[str, Any]) -> str:
    """Of all that something depends on, JSON-able, arrays too."""
    told = hashlib.blake2b(digest_size=16)
    for name, value in of.items():
        told.update(name.encode())
        if isinstance(value, np.ndarray):
            told.update(str((value.dtype, value.shape)).encode())
            told.update(np.ascontiguousarray(value).data)
        else:
            told.update(json.dumps(value, default=repr).encode())
    return told.hexdigest()


def _lines(path: Path, of: str) -> list[tuple[str, Any]]:
    """What the file holds that depends on the same: question as JSON, and what was found."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise FileError(path, f"cannot be read: {error.strerror or error}") from error
    found = []
    for line in lines:
        try:
            kept = json.loads(line)
            if kept["of"] == of:
                found.append((json.dumps(kept["asked"]), kept["found"]))
        except (ValueError, TypeError, KeyError, RecursionError):  # torn
            continue
    return found


def _append(path: Path, line: str) -> None:
    """After what is there; a torn line stays one by itself."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            file.seek(0, os.SEEK_END)
            is_torn = file.tell() > 0 and file.seek(-1, os.SEEK_END) >= 0 and file.read(1) != b"\n"
            file.write(b"\n" * is_torn + line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise FileError(path, f"cannot be written: {error.strerror or error}") from error

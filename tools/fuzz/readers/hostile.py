"""What all targets in Python share. Of a reader that is given whatever bytes only two things are
admissible: a value, and llamood's own error."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from llamood.errors import LlamoodError

LONGEST = 20_000  # characters of a message, whatever is quoted in it


outcomes: Counter[bool] = Counter()  # of `is_read`, in this process


class FindingError(Exception):
    """A reader did what none may do."""


def is_read(
    read: Callable[[], Any], refusals: tuple[type[Exception], ...] = (LlamoodError,)
) -> bool:
    """Whether ``read`` gave a value. Whatever it raises that is no refusal passes through."""
    try:
        read()
        outcomes[True] += 1
        return True
    except refusals as refusal:
        message = str(refusal)
        if not message or len(message) > LONGEST:
            raise FindingError(f"a message of {len(message)} characters") from refusal
        outcomes[False] += 1
        return False


@cache
def folder() -> Path:
    """Of this process, where temporary files are."""
    return Path(tempfile.mkdtemp("", "llamood-fuzz-"))


def put(name: str, data: bytes) -> Path:
    """A file of this content, which takes the place of the one before."""
    path = folder() / name
    path.write_bytes(data)
    return path

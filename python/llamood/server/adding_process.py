"""The process that measures a new emotion while the service answers, by `run`.

It is told what to do in one line of JSON on its standard input, and tells how far it is in lines of
JSON on its standard output. It stops at its next word of progress where it reads ``cancel``, and
forgets what is unfinished then; where its input ends, as the service has gone, it leaves that, and
goes on there when it is told the same again.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from llamood.calibration.repertoire import Repertoire
from llamood.calibration.utterances import forget_unfinished, unfinished_path
from llamood.errors import FileError, LlamoodError

CANCEL = "cancel"
_NICE = 10  # so many steps behind whoever answers
_PATIENCE = 30.0  # seconds until the next word of progress, when nobody waits for it any more


class _Stopped(BaseException):
    """It is not wanted any more; no error, which parts of the work might take for one of theirs."""


class _Orders:
    """What stands on the standard input after the first line."""

    def __init__(self) -> None:
        self.stops = threading.Event()
        self.is_cancelled = False
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        self.is_cancelled = sys.stdin.readline().strip() == CANCEL
        self.stops.set()
        if not self.is_cancelled:
            time.sleep(_PATIENCE)
            os._exit(1)


def run() -> None:
    """Whatever llama.cpp prints goes to standard error."""
    told = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    if hasattr(os, "nice"):
        os.nice(_NICE)
    asked = json.loads(sys.stdin.readline())
    orders = _Orders()

    def tell(**what: Any) -> None:
        with contextlib.suppress(BrokenPipeError):
            print(json.dumps(what), file=told, flush=True)

    def part(name: str) -> Callable[[int, int], None]:
        def advance(done: int, total: int) -> None:
            if orders.stops.is_set():
                raise _Stopped
            tell(part=name, done=done, total=total)

        return advance

    folder, target = Path(asked["folder"]), Path(asked["target"])
    try:
        _add(asked, folder, target, part, tell)
    except _Stopped:
        if orders.is_cancelled:
            forget_unfinished(unfinished_path(folder, asked["name"], target))
    except LlamoodError as error:
        tell(fault=str(error), is_of_files=isinstance(error, FileError))


def _add(
    asked: dict[str, Any],
    folder: Path,
    target: Path,
    part: Callable[[str], Callable[[int, int], None]],
    tell: Callable[..., None],
) -> None:
    repertoire = Repertoire(asked["model"], folder, **asked["llama"])
    added = repertoire.add(
        asked["name"],
        texts=asked["texts"],
        manner=asked["manner"],
        output=None if target == folder else target,
        parts=part,
    )
    feeling = asdict(added.feeling)
    tell(added={name: feeling[name] for name in ("ceiling", "auroc", "layers", "dose")})

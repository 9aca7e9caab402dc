"""Emotions that are added while the service goes on: one at a time, measured in another process."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from llamood.calibration.utterances import FEWEST
from llamood.course import Course
from llamood.errors import FileError, LlamoodError
from llamood.server.adding_process import CANCEL
from llamood.server.errors import ApiError
from llamood.server.own_vectors import OwnVectors

Status = Literal["running", "added", "failed", "cancelled"]

MOST = 64  # emotions that a service has; each is a slider, and beside each voice's state a number
_PATIENCE = 10.0  # seconds until a process that is to stop does
# Nothing is imported from the folder that the service was started in.
_BEGIN = (
    "import sys; sys.path = [each for each in sys.path if each]; "
    "from llamood.server.adding_process import run; run()"
)
_COMMAND = (sys.executable, "-c", _BEGIN)
# On Windows; elsewhere the process lowers itself, and Ctrl-C is told to the service alone.
_APART: Mapping[str, Any] = (
    {"creationflags": getattr(subprocess, "BELOW_NORMAL_PRIORITY_CLASS", 0)}
    if os.name == "nt"
    else {"start_new_session": True}
)
_LOG = logging.getLogger("llamood.server")


@dataclass(frozen=True, kw_only=True)
class Addition:
    """One of them, as it stands. ``part``: the part of the work that is being done, ``share``: how
    much of all is, 0 to 1. ``seconds_left``: at the speed so far; None while that is not known.
    ``fault``: why it failed, in words. ``found``: of an emotion that was added, its ``ceiling``,
    ``auroc``, ``layers`` and ``dose``, as a `Feeling` has them."""

    name: str
    status: Status = "running"
    part: str = ""
    share: float = 0.0
    seconds_left: float | None = None
    fault: str | None = None
    found: Mapping[str, Any] = field(default_factory=dict)


class Additions:
    """``take_up``: called with the folder of the vectors once one more is there, in a thread of its
    own; may raise. Used by several threads."""

    def __init__(self, own: OwnVectors, take_up: Callable[[Path], None]) -> None:
        self._own = own
        self._take_up = take_up
        self._lock = threading.Lock()
        self._latest: Addition | None = None
        self._process: subprocess.Popen[str] | None = None
        self._is_cancelled = False
        self._is_closed = False

    @property
    def latest(self) -> Addition | None:
        """The one that runs, or ended last; None where there was none."""
        return self._latest

    def begin(self, name: str, *, texts: Sequence[str], manner: str | None) -> Addition:
        """Begin to add this. Raises `ApiError` for a name that cannot be had, too few texts, and
        while another is being added."""
        once = tuple(dict.fromkeys(line for text in texts if (line := text.strip())))
        if manner is None and len(once) < FEWEST:
            raise ApiError(
                400,
                f"{len(once)} different texts were found, at least {FEWEST} are needed; write "
                "more, about different things",
                param="texts",
            )
        if manner is not None and not manner.strip().rstrip("."):
            raise ApiError(400, "a manner in words was expected", param="describe")
        with self._lock:
            before = self._latest
            if before is not None and before.status == "running":
                raise ApiError(
                    409,
                    f"{before.name} is being added, and one emotion is at a time; wait until it "
                    "is, or cancel it",
                    code="addition_running",
                )
            self._latest = Addition(name=name)
            self._is_cancelled = False
        try:
            self._start(name, once, manner)
        except BaseException:
            with self._lock:
                self._latest = before
            raise
        return self._latest

    def cancel(self, name: str) -> Addition:
        """Let it be added no more; one that is as good as done is, all the same. Raises `ApiError`
        where it is not being added."""
        with self._lock:
            latest = self._latest
            if latest is None or latest.status != "running" or latest.name != name:
                raise ApiError(404, f"{name} is not being added", param="name", code="no_addition")
            self._is_cancelled = True
            self._tell_to_stop(CANCEL)
            return latest

    def close(self) -> None:
        """Stop what runs. What is unfinished of it stays, and is gone on with when the same is
        asked again."""
        with self._lock:
            self._is_closed = True
            self._tell_to_stop("")
            process = self._process
        if process is not None:
            process.wait()

    # -- the process -----------------------------------------------------------------------

    def _start(self, name: str, texts: Sequence[str], manner: str | None) -> None:
        own = self._own
        try:
            repertoire = own.repertoire()
            folder, target = repertoire.folder, own.folder
            repertoire.require_room(name, None if target == folder else target)
            if len(repertoire.vectors.names) >= MOST:
                raise LlamoodError(f"there are {MOST} emotions already, which is the most here")
        except FileError as error:
            raise _failed_here(error) from None
        except LlamoodError as error:
            raise ApiError(400, str(error), param="name") from None
        order = {
            "model": str(own.model),
            "folder": str(folder),
            "target": str(target),
            "name": name,
            "texts": texts,
            "manner": manner,
            "llama": dict(own.llama),
        }
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            _COMMAND, stdin=pipe, stdout=pipe, text=True, encoding="utf-8", **_APART
        )
        assert process.stdin is not None
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        course = Course(repertoire.parts(is_described=manner is not None))
        with self._lock:
            self._process = process
            if self._is_cancelled or self._is_closed:
                self._tell_to_stop(CANCEL if self._is_cancelled else "")
        follow = threading.Thread(
            target=self._follow, args=(process, course), name="llamood-addition", daemon=True
        )
        follow.start()

    def _tell_to_stop(self, word: str) -> None:
        process = self._process
        if process is None or process.stdin is None or process.stdin.closed:
            return
        try:
            process.stdin.write(word)
            process.stdin.close()
        except OSError:  # it has ended
            return
        timer = threading.Timer(_PATIENCE, process.kill)
        timer.daemon = True
        timer.start()

    def _follow(self, process: subprocess.Popen[str], course: Course) -> None:
        """In a thread: hear how far it is, and how it ended."""
        assert process.stdout is not None
        end: dict[str, Any] = {}
        for line in process.stdout:
            told = json.loads(line)
            if "part" not in told:
                end = told
                continue
            course.report(told["part"], told["done"], told["total"])
            self._set(part=course.part, share=min(course.share, 1.0), seconds_left=course.left)
        process.stdout.close()
        code = process.wait()
        with self._lock:
            if process.stdin is not None:
                process.stdin.close()
            self._process = None
        if "added" in end:
            self._add(end["added"])
        elif "fault" in end:
            if end["is_of_files"]:
                _LOG.error("an emotion was not added: %s", end["fault"])
            self._set(status="failed", fault=_OF_FILES if end["is_of_files"] else end["fault"])
        elif self._is_cancelled or self._is_closed:
            self._set(status="cancelled")
        else:
            _LOG.error("the process that measures an emotion ended with %d", code)
            self._set(status="failed", fault="it stopped in the middle; ask again, and it goes on")

    def _add(self, found: Mapping[str, Any]) -> None:
        self._set(part="", share=1.0, seconds_left=0.0)
        try:
            self._take_up(self._own.folder)
        except Exception as error:
            _LOG.error("an emotion was added, and is felt after a restart: %s", error)
            fault = "it is added, but felt only after a restart of the service"
            self._set(status="failed", fault=fault)
        else:
            self._set(status="added", found=found)

    def _set(self, **what: Any) -> None:
        with self._lock:
            assert self._latest is not None
            self._latest = replace(self._latest, **what)


_OF_FILES = "files of the service cannot be read or written; its log says which"


def _failed_here(error: FileError) -> ApiError:
    _LOG.error("an emotion cannot be added: %s", error)
    return ApiError(500, _OF_FILES)

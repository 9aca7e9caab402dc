"""A log that nobody can fill: what is said again and again is counted, not written."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

SECONDS = 60.0


class RepeatedLines(logging.Filter):
    """For a handler: of lines of one kind, told by where in the code they were written, one passes
    in ``seconds``. The next that passes says how many did not."""

    def __init__(
        self, *, seconds: float = SECONDS, now: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._seconds = seconds
        self._now = now
        self._lock = threading.Lock()
        self._known: dict[object, tuple[float, int]] = {}  # kind -> written at, and left out since

    def filter(self, record: logging.LogRecord) -> bool:
        with self._lock:
            n_left_out = self._count(record)
        if n_left_out is None:
            return False
        if n_left_out:
            record.msg = f"{record.getMessage()} (and {n_left_out} times more before)"
            record.args = ()
        return True

    def _count(self, record: logging.LogRecord) -> int | None:
        """How many of its kind were left out before this one, None where it is left out, too."""
        kind = (record.name, record.levelno, record.pathname, record.lineno)
        now = self._now()
        since, n = self._known.get(kind, (now - self._seconds, 0))
        if now - since < self._seconds:
            self._known[kind] = (since, n + 1)
            return None
        self._known[kind] = (now, 0)
        return n

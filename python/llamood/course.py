"""How far some work has come, in one part or several, and how long it will still take."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping

Clock = Callable[[], float]  # seconds


class Course:
    """``parts``: name -> how much of the whole it is likely to be, in any unit that all have; of
    one part the name may be empty. Parts are done in any order.

    What was done before the first report, by a run that was stopped, is not counted as speed.
    """

    def __init__(self, parts: Mapping[str, float], *, clock: Clock = time.monotonic) -> None:
        whole = sum(parts.values())
        self._shares = {name: part / whole for name, part in parts.items()}
        self._done = dict.fromkeys(parts, 0.0)  # the share of each part, 0 to 1
        self._began: dict[str, float] = {}  # what was done of a part at its first report
        self._clock = clock
        self._since: float | None = None  # the first report of all
        self.part = next(iter(parts))  # that was reported last
        self.count = (0, 0)  # done and total of that

    def report(self, part: str, done: int, total: int) -> None:
        """Of a part, so much of so much is done. Nothing to do is all done."""
        if self._since is None:
            self._since = self._clock()
        share = done / total if total else 1.0
        self._began.setdefault(part, share)
        self._done[part] = share
        self.part, self.count = part, (done, total)

    @property
    def is_whole(self) -> bool:
        """Whether it is one part only."""
        return len(self._shares) == 1

    @property
    def share(self) -> float:
        """Of the whole, 0 to 1."""
        return sum(self._shares[name] * done for name, done in self._done.items())

    @property
    def seconds(self) -> float:
        """Since the first report."""
        return 0.0 if self._since is None else self._clock() - self._since

    @property
    def left(self) -> float | None:
        """Seconds, at the speed so far; None before there is one."""
        before = sum(self._shares[name] * began for name, began in self._began.items())
        gained = self.share - before
        return None if gained <= 0 else self.seconds * (1 - self.share) / gained


def in_words(seconds: float) -> str:
    """Rounded: ``40 s``, ``5 min``, ``1 h 20 min``."""
    if seconds < 59.5:
        return f"{max(math.ceil(seconds), 0)} s"
    minutes = round(seconds / 60)
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"

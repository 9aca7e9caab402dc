"""What a piece of work takes: seconds on the clock and of the processors, and memory.

Of the standard library alone: it runs in every environment that is measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

_T = TypeVar("_T")


@dataclass(frozen=True)
class Cost:
    """``wall``: seconds on the clock. ``processor``: seconds of all cores, which tell more where
    others use the machine, too. ``before`` and ``peak``: MiB of resident memory of the process when
    the work began, and at most."""

    wall: float
    processor: float
    before: float
    peak: float

    def told(self) -> dict[str, float]:
        return asdict(self)


def measured(work: Callable[[], _T]) -> tuple[_T, Cost]:
    """What it gives, and what it took."""
    before = resident("VmRSS")
    wall, processor = time.perf_counter(), time.process_time()
    result = work()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return result, Cost(wall, processor, before, resident("VmHWM"))


def resident(what: str, process: int | str = "self") -> float:
    """MiB that Linux counts for a process: ``VmRSS`` now, ``VmHWM`` at most since it began.

    Not ``ru_maxrss``, which a process inherits from the one that started it.
    """
    for line in Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(process)

"""Timing things side by side in one process, so that what slows the machine slows all alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Block = Callable[[int], float]  # number of the round -> seconds of the part that is measured
FEWEST, LONGEST = 4, 30.0  # rounds, and seconds after which there are no more than these


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What one comparison gave: a value per round (``x``: a ratio, ``s``: seconds, ``ms``:
    milliseconds, ``/s``: as many a second), and the bound that their median must hold; None where
    it is shown for comparison only."""

    name: str
    model: str = ""  # where it depends on one
    values: tuple[float, ...]
    bound: float | None = None
    at_least: bool = False
    unit: Literal["x", "s", "ms", "/s"] = "x"

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def holds(self) -> bool:
        if self.bound is None:
            return True
        return self.median >= self.bound if self.at_least else self.median <= self.bound

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "name": self.name,
            "model": self.model,
            "unit": self.unit,
            "min": min(self.values),
            "median": self.median,
            "max": max(self.values),
            "rounds": len(self.values),
            "bound": self.bound,
            "at_least": self.at_least,
            "holds": self.holds,
        }


def interleave(
    blocks: Mapping[str, Block], *, n_round: int, longest: float = LONGEST
) -> dict[str, tuple[float, ...]]:
    """Seconds of each block in each round: name -> ``(n_round,)``, or fewer rounds, but `FEWEST`,
    where they would take more than ``longest`` seconds.

    Every round runs every block once, each round beginning with another one. A round before
    the first warms up and is not counted.
    """
    names = list(blocks)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    enabled = gc.isenabled()
    gc.disable()
    try:
        began = time.monotonic()
        for number in range(-1, n_round):
            if number >= FEWEST and time.monotonic() - began > longest:
                break
            turn = number % len(names)
            for name in names[turn:] + names[:turn]:
                took = blocks[name](number)
                if number >= 0:
                    seconds[name].append(took)
            gc.collect()
    finally:
        if enabled:
            gc.enable()
    return {name: tuple(values) for name, values in seconds.items()}


def ratios(above: Sequence[float], below: Sequence[float]) -> tuple[float, ...]:
    """Round by round, ``above / below``."""
    return tuple(a / b for a, b in zip(above, below, strict=True))


def differences(longer: Sequence[float], shorter: Sequence[float]) -> tuple[float, ...]:
    """Round by round, ``longer - shorter``."""
    return tuple(a - b for a, b in zip(longer, shorter, strict=True))

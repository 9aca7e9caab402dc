"""What happened: how often what was asked, and what went wrong."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import Literal

# lost: accepted, and never ended, or saved, and not there again. crossed: somebody else's. hung:
# not ended in good time. half written: neither the old nor the new. leaked: held, though nobody
# needs it. failed: the service says that it did.
Kind = Literal["lost", "crossed", "hung", "half written", "leaked", "failed"]
_MOST_TOLD = 200  # of faults; more of them say nothing new


@dataclass(frozen=True)
class Fault:
    """``at``: seconds after the beginning."""

    kind: Kind
    what: str
    at: float


class Record:
    """``counts``: of what was asked, and how it ended, by names; one thread counts each of them."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.n_fault: Counter[Kind] = Counter()
        self.faults: list[Fault] = []
        self.n_asked = 0  # requests that were done with
        self.furthest = 0.0  # of a logarithm of a probability from what it is alone
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self._began

    def count(self, name: str, n: int = 1) -> None:
        self.counts[name] += n

    def fault(self, kind: Kind, what: str) -> None:
        self.n_fault[kind] += 1
        if len(self.faults) < _MOST_TOLD:
            self.faults.append(Fault(kind, what, self.seconds))

    def differed(self, by: float) -> None:
        self.furthest = max(self.furthest, by)

"""What the service holds, and whether that grows."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from soaking.asking import line
from soaking.client import Place
from soaking.service import Sample

WARM = 1 / 3  # of a life is left out: until then what is kept for use again is still being made
FEWEST = 6  # samples of which a slope is made
# What may be resident more at the end of a life than after its first third, by its slope.
MOST_GROWTH = 0.02
# More than at the first look. Requests are worked out in threads that are made when they are
# needed, and end when they are not.
MOST_THREADS = 8
_QUIET = ("llamood_speaking", "llamood_waiting")
_REFUSED_BY_DISK = 'path="/v1/emotions"'  # an emotion for which there is no room is told 500
_BAD = ("Traceback", "an answer failed", "the engine failed", "never retrieved")
_PAUSE = 0.2


@dataclass(eq=False)
class Life:
    """Of one process, from its start to its end. ``name``: what it lived through; ``is_changed``:
    whether an emotion was added in it, which takes memory of its own."""

    name: str
    samples: list[Sample] = field(default_factory=list)
    is_changed: bool = False

    @property
    def judged(self) -> Sequence[Sample]:
        """Those after it is warm."""
        return self.samples[int(len(self.samples) * WARM) :]

    @property
    def is_judged(self) -> bool:
        return len(self.judged) >= FEWEST and not self.is_changed

    def slope(self) -> float:
        """Bytes a second that it grows by: the median over all pairs of samples."""
        return statistics.median(
            (b.resident - a.resident) / (b.at - a.at) for a, b in combinations(self.judged, 2)
        )

    def growth(self) -> float:
        """By that slope, over the time that is judged, of what was resident at its beginning."""
        first, last = self.judged[0], self.judged[-1]
        return self.slope() * (last.at - first.at) / first.resident


async def quiet(place: Place, life: Life) -> None:
    """Nobody asks: soon nobody is answered any more, and what was held for those who asked is let
    go. Where it is not, in the patience that there is, that is a fault."""
    end = time.monotonic() + place.patience
    async with line(place.service.url) as asking:
        while (busy := _busy(await asking.metrics())) and time.monotonic() < end:
            await asyncio.sleep(_PAUSE)
        if busy:
            place.record.fault("hung", f"nobody asks, and there are {busy}")
        n_failed = sum(
            value
            for name, value in (await asking.metrics()).items()
            if 'status="500"' in name and _REFUSED_BY_DISK not in name
        )
    if n_failed:
        place.record.fault("failed", f"{n_failed:.0f} requests were told 500")
    for text in place.service.lines:
        if any(word in text for word in _BAD):
            place.record.fault("failed", f"the service wrote: {text[:300]}")
    place.service.lines.clear()
    await place.talks.settle()
    life.samples.append(await _settled(place, life.samples[:1], end))


def _busy(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {metrics[name]:.0f}" for name in _QUIET if metrics[name])


async def _settled(place: Place, first: Sequence[Sample], end: float) -> Sample:
    """Once there are no more files open, and no more threads, than at first: connections end a
    little later than whoever used them."""

    def sample() -> Sample:
        return place.service.sample(at=place.record.seconds, n_asked=place.record.n_asked)

    await asyncio.sleep(_PAUSE)
    now = sample()
    for before in first:
        while now.n_file > before.n_file and time.monotonic() < end:
            await asyncio.sleep(_PAUSE)
            now = sample()
        if now.n_file > before.n_file:
            place.record.fault("leaked", f"{now.n_file} files are open, of {before.n_file}")
        if now.n_thread > before.n_thread + MOST_THREADS:
            place.record.fault("leaked", f"{now.n_thread} threads run, of {before.n_thread}")
    return now

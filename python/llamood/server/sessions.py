"""Conversations whose mood lives on from request to request."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from llamood.moods.mood import Mood


@dataclass
class Session:
    """``mood``: what was asked last; ``felt``: the weights applied last, as ``Character.felt``."""

    mood: Mood = field(default_factory=Mood)
    felt: Mapping[str, float] = field(default_factory=dict)


class Sessions:
    """At most ``most`` of them; one that is not asked for in ``seconds`` is forgotten. Used by one
    thread."""

    def __init__(
        self, *, most: int, seconds: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._now = now
        self._known: OrderedDict[str, tuple[float, Session]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def get(self, name: str) -> Session:
        """The session of this name, a new one where it is not known (any more)."""
        now = self._now()
        while self._known:
            oldest, (used, _) = next(iter(self._known.items()))
            if now - used < self._seconds:
                break
            del self._known[oldest]
        _, session = self._known.pop(name, (now, Session()))
        self._known[name] = (now, session)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return session

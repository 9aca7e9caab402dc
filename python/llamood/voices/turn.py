"""An answer of one voice: what it follows on, and how far it has come."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from llamood.moods.performance import Performance
from llamood.moods.steering import NOTHING, Blend
from llamood.voices.collapse_monitor import Care, CollapseMonitor, Rescue
from llamood.voices.event import Event
from llamood.voices.sampling import Sampling


@dataclass(frozen=True, eq=False)
class Plan:
    """An answer that a voice could give: the conversation up to it, and that as tokens.

    ``messages``: None for a prompt that is no part of the voice's own conversation.
    """

    messages: list[dict[str, str]] | None
    tokens: list[int]
    forgotten: int
    sampling: Sampling


class Turn:
    """An answer that is being given."""

    def __init__(
        self,
        plan: Plan,
        performance: Performance,
        *,
        n_ctx: int,
        care: Care | None = None,
        notices: Sequence[str] = (),
    ) -> None:
        self.plan = plan
        self.performance = performance
        self.notices = notices  # of limits, which become more while it is given
        self.monitor = None if care is None else CollapseMonitor(care)
        self.told: list[str] = []  # of each token that was told, the text
        self.untold: deque[Event] = deque()  # of those after them, until they are known to be sound
        self.fed: list[tuple[int, bytes]] = []  # the tokens that are to be decoded, and their bytes
        self.n_drawn = 0
        self.is_waiting = False
        self.is_begun = False  # what is decoded next is drawn after as its first token was
        self.is_paused = False  # its mood, from the next token on
        self.is_unfelt = False  # the last token was decoded without it
        room = n_ctx - len(plan.tokens)
        self._most = min(plan.sampling.max_tokens or room, room)
        seconds = plan.sampling.max_seconds
        self._deadline = math.inf if seconds is None else time.monotonic() + seconds

    def keys(self) -> npt.NDArray[np.int64]:
        """Of the blend of each position of the prompt."""
        keys = np.zeros(len(self.plan.tokens), dtype=np.int64)
        keys[self.performance.start :] = self.performance.blend(0).key
        return keys

    @property
    def guard(self) -> dict[str, Any] | None:
        """What became of it where it collapsed."""
        return None if self.monitor is None else self.monitor.told

    @property
    def tokens(self) -> list[int]:
        """Of the prompt, and of the answer as far as it goes."""
        return [*self.plan.tokens, *(token for token, _ in self.fed)]

    def rows(self, begin: int) -> list[Blend]:
        """What is added at each of `tokens` from position ``begin`` on."""
        start, last = self.performance.start, self.performance.position
        return [
            NOTHING if at < start else self.performance.blend(max(at - last, 0))
            for at in range(begin, len(self.tokens))
        ]

    def heard(
        self, token: int, piece: bytes, logprob: float | None, *, is_over: bool
    ) -> Rescue | None:
        """What becomes of the answer at the token that was drawn. Nothing does where no mood is
        felt, and in a quotation."""
        if self.monitor is None or is_over:
            return None
        if self.is_paused or not self.performance.is_felt:
            self.monitor.take(token, piece=piece)
            return None
        overdose = self.performance.overdose(self.n_drawn)
        return self.monitor.hear(token, piece=piece, logprob=logprob, overdose=overdose)

    def sound(self, *, is_over: bool) -> list[Event]:
        """Those that may be told now."""
        n_sound = math.inf if self.monitor is None or is_over else self.monitor.n_sound
        events = []
        while self.untold and len(self.told) < n_sound:
            events.append(self.untold.popleft())
            self.told.append(events[-1].text)
        return events

    def take_back(self, rescue: Rescue) -> None:
        """Nothing after the tokens that are kept was said."""
        self.untold.clear()
        del self.fed[rescue.kept :]
        self.n_drawn = rescue.kept

    def limits(self) -> dict[str, Any]:
        """When the answer is to end; of tokens and time, what is left."""
        return {
            "stops": self.plan.sampling.stop,
            "max_tokens": self._most - self.n_drawn,
            "max_seconds": self._deadline - time.monotonic(),
        }

"""An answer of one voice: what it follows on, and how far it has come."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from llamood.performance import Performance
from llamood.sampling import Sampling


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

    def __init__(self, plan: Plan, performance: Performance, *, n_ctx: int) -> None:
        self.plan = plan
        self.performance = performance
        self.said: list[str] = []
        self.fed: list[tuple[int, bytes]] = []  # the tokens that are to be decoded, and their bytes
        self.n_drawn = 0
        self.is_waiting = False
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

    def limits(self) -> dict[str, Any]:
        """When the answer is to end; of the time, what is left."""
        return {
            "stops": self.plan.sampling.stop,
            "max_tokens": self._most,
            "max_seconds": self._deadline - time.monotonic(),
        }

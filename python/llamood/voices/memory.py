"""What a voice of a cast remembers of its conversation, and how much of it goes into a prompt."""

from __future__ import annotations

from typing import Literal

from llamood.errors import ModelError
from llamood.voices.sampling import Sampling
from llamood.voices.shared_context import SharedContext
from llamood.voices.turn import Plan

Overflow = Literal["refuse", "drop"]

_KEPT_FREE = 4  # for an answer of no known length, this part of what a voice can remember


class Memory:
    """Begins with what ``system`` says, which is never forgotten. ``overflow``: what becomes of a
    conversation that has no room; ``drop`` forgets its oldest turns.

    ``messages``: chat messages, replaced and never changed.
    """

    def __init__(self, shared: SharedContext, *, system: str | None, overflow: Overflow) -> None:
        self._shared = shared
        self._overflow = overflow
        self._system = [] if system is None else [{"role": "system", "content": system}]
        self.messages = list(self._system)

    def plan(self, text: str, sampling: Sampling) -> Plan:
        """The answer to ``text``. Changes nothing; raises `ModelError` where there is no room."""
        messages = [*self.messages, {"role": "user", "content": text}]
        n_ctx = self._shared.share
        room = sampling.max_tokens or (n_ctx // _KEPT_FREE if self._overflow == "drop" else 1)
        forgotten = 0
        while True:
            tokens = self._shared.chat(messages)
            if len(tokens) + room <= n_ctx and tokens:
                return Plan(messages, tokens, forgotten, sampling)
            fewer = None if self._overflow == "refuse" else self._without_oldest_turn(messages)
            if fewer is None:
                raise ModelError(self._too_long(len(tokens), room, forgotten))
            messages, forgotten = fewer, forgotten + 1

    def _without_oldest_turn(self, messages: list[dict[str, str]]) -> list[dict[str, str]] | None:
        begin = len(self._system)
        turns = [i for i in range(begin, len(messages)) if messages[i]["role"] == "user"]
        return None if len(turns) < 2 else [*self._system, *messages[turns[1] :]]

    def _too_long(self, n_token: int, room: int, forgotten: int) -> str:
        what = "this message alone" if forgotten else "the conversation"
        advice = "" if self._overflow == "drop" else ", or pass overflow='drop'"
        return (
            f"{what} has {n_token} tokens and the answer may have {room}, but a voice can remember "
            f"{self._shared.share}; raise n_ctx, lower max_tokens{advice}"
        )

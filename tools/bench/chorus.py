"""Voices of a cast that speak at once and without end, in moods that change between blocks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from paired import Block

import llamood
from llamood.voices.sampling import Sampling

HOW = Sampling(temperature=1.5, seed=1)  # hot, or models of random weights would say one loop
EMOTIONS = {"joy", "sadness"}  # of the moods below
MoodOf = Callable[[int], Mapping[str, Any]]  # by the number of the voice


def steady(voice: int) -> dict[str, float]:
    """A mood of its own for each voice."""
    return {"joy": 0.5 + voice / 16, "sadness": 1 - voice / 32}


def moving(voice: int) -> dict[str, Any]:
    """Other weights at every token."""
    return {
        "joy": {"wave": [0.2, 1 + voice / 16], "period": 16},
        "sadness": {"wave": [0.1, 1], "period": 12},
    }


def neutral(_voice: int) -> dict[str, Any]:
    return {}


class Chorus:
    """``n_voice`` voices of a cast with room for them."""

    def __init__(self, cast: llamood.Cast, n_voice: int) -> None:
        self._cast = cast
        self._voices = [
            cast.join(temperature=HOW.temperature, seed=HOW.seed) for _ in range(n_voice)
        ]
        self._scene = cast.say({voice: f"{i}?" for i, voice in enumerate(self._voices)})
        self._events = iter(self._scene)
        while next(self._events).voice is not self._voices[-1]:
            pass  # a beginning that all share is decoded in a step of its own

    def __enter__(self) -> Chorus:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._scene.close()
        for voice in self._voices:
            self._cast.leave(voice)

    def position(self) -> int:
        """How many tokens the first voice has decoded."""
        return int(self._cast._shared.stage.n_cached(self._voices[0].number))

    def block(self, mood_of: MoodOf, *, n_token: int) -> Block:
        """Times ``n_token`` steps in these moods, after one of which the mood is new."""
        emotions = set(mood_of(0))

        def run(_number: int) -> float:
            for i, voice in enumerate(self._voices):
                self._cast.feel(voice, mood_of(i))
            self._hear(1, emotions=emotions)
            begin = time.perf_counter()
            self._hear(n_token, emotions=emotions)
            return time.perf_counter() - begin

        return run

    def _hear(self, n_token: int, *, emotions: set[str]) -> None:
        stage = self._cast._shared.stage
        n_step = stage.n_step + n_token
        for _ in range(n_token * len(self._voices)):
            event = next(self._events)
        if stage.n_step != n_step or event.mood.keys() != emotions or event.finish_reason:
            raise RuntimeError(
                f"{n_token} steps in {emotions} were asked for; after {stage.n_step - n_step} more "
                f"the last voice felt {event.mood}, and ended with {event.finish_reason}"
            )

"""Schedules whose values are known only token by token: started by a text, said by a function, or
found by what is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from llamood.errors import MoodError
from llamood.moods.parameters import LARGEST, Number, Text, found, parameter
from llamood.moods.schedule import (
    NOTHING_HEARD,
    Heard,
    Inner,
    Schedule,
    Tokens,
    Values,
    begun_at,
    hull,
)


@dataclass(frozen=True, repr=False)
class On(Schedule):
    """The schedule, begun anew each time that ``text`` appears in what was generated; 0 before.

    The text is matched exactly, also where it spans tokens. The schedule's token 0 is the token
    that completed the text, so the next one is the first to be chosen under it.
    """

    kind = "on"
    listens = True
    text: str = parameter(Text(), main=True)
    schedule: Schedule = parameter(Inner(), beside=True)

    def at(self, tokens: Tokens, heard: Heard = NOTHING_HEARD) -> Values:
        last = [heard.last(self.text, int(token)) for token in tokens]
        values = np.zeros(len(tokens))
        begun = np.array([time is not None for time in last], dtype=bool)
        begins = np.array([time for time in last if time is not None], dtype=np.int64)
        values[begun] = begun_at(begins, self.schedule, tokens[begun], heard)
        return values

    def bounds(self) -> tuple[float, float]:
        return hull((0.0, 0.0), self.schedule.bounds())


FURTHEST = 20.0  # z-scores; no text is read as further from neutral


@dataclass(frozen=True, repr=False)
class Hold(Schedule):
    """Whatever intensity it takes for the emotion to be read at ``target``, a z-score.

    It is found token by token by a voice with readings (see `holding`), so there are no values to
    compose with; ``max`` limits them. Raises MoodError where it is asked for them.
    """

    kind = "hold"
    listens = True
    regulates = True
    target: float = parameter(Number(low=-FURTHEST, high=FURTHEST), main=True)

    def at(self, tokens: Tokens, heard: Heard = NOTHING_HEARD) -> Values:
        raise MoodError("", UNREAD)

    def bounds(self) -> tuple[float, float]:
        return -LARGEST, LARGEST


UNREAD = (
    "what it takes to hold a reading is known only to a voice that reads while it speaks; open it "
    "with Llama(..., emotions=..., readings=True), or Cast, which needs a baseline beside the "
    "vectors (llamood read --measure)"
)


@dataclass(frozen=True)
class Function:
    """The kind of parameter that is a function of the token."""

    def check(self, value: Any) -> Callable[[int], float]:
        if not callable(value):
            raise MoodError("", f"a function of the token was expected, found {found(value)}")
        function: Callable[[int], float] = value
        return function

    def schema(self) -> dict[str, Any]:
        raise MoodError("", "a Python function has no written form")


@dataclass(frozen=True, repr=False)
class Custom(Schedule):
    """What a Python function says, which is called with the token, perhaps more than once."""

    kind = "function"
    listens = True
    calls = True
    function: Callable[[int], float] = parameter(Function(), main=True)

    def at(self, tokens: Tokens, heard: Heard = NOTHING_HEARD) -> Values:
        return np.array([self._call(int(token)) for token in tokens], dtype=np.float64)

    def _call(self, token: int) -> float:
        try:
            return Number().check(self.function(token))
        except MoodError as error:
            name = getattr(self.function, "__name__", type(self.function).__name__)
            raise error.within(f"{name}({token})") from None

    def bounds(self) -> tuple[float, float]:
        return -LARGEST, LARGEST

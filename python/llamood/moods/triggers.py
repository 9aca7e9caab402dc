"""Schedules whose values are known only token by token: started by a text, said by a function, or
found by what is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from llamood import _core
from llamood.errors import MoodError
from llamood.moods.parameters import found
from llamood.moods.schedule import Schedule


@dataclass(frozen=True, repr=False)
class On(Schedule):
    """The schedule, begun anew each time that ``text`` appears in what was generated; 0 before.

    The text is matched exactly, also where it spans tokens. The schedule's token 0 is the token
    that completed the text, so the next one is the first to be chosen under it.
    """

    kind = "on"
    text: str
    schedule: Schedule


@dataclass(frozen=True, repr=False)
class When(Schedule):
    """``then_`` while the reading meets ``condition``, begun anew each time that it does; ``else_``
    while it does not, begun anew each time that it no longer does, or 0.

    ``condition``: limits of z-scores, all of which are to be met, as ``{"sadness": "> 1.5"}`` or
    ``"sadness > 1.5 and joy < 0"``, as which it is kept. ``of``: the ``answer`` so far, read as
    ``Llama.reading`` is; or what the ``user`` said, its mean, which is known from the answer's
    second token on. ``lasts``: ``while`` it is met, or ``always`` once it was. ``hysteresis``: by
    how many z-scores a limit must be missed before it is no longer met. Each answer begins with
    nothing met. Felt by a voice with readings only.
    """

    kind = "when"
    condition: str | Mapping[str, str]
    then_: Schedule | float
    else_: Schedule | float | None = None
    of: Literal["answer", "user"] = "answer"
    lasts: Literal["while", "always"] = "while"
    hysteresis: float = 0.5


@dataclass(frozen=True, repr=False)
class Hold(Schedule):
    """Whatever intensity it takes for the emotion to be read at ``target``, a z-score.

    It is found token by token by a voice with readings, so there are no values to compose with;
    ``max`` limits them. Raises MoodError where it is asked for them.
    """

    kind = "hold"
    target: float


@dataclass(frozen=True, repr=False)
class Custom(Schedule):
    """What a Python function says, which is called with the token, again if that is taken back."""

    kind = "function"
    function: Callable[[int], float]

    def __post_init__(self) -> None:
        if not callable(self.function):
            fault = f"a function of the token was expected, found {found(self.function)}"
            raise MoodError(self.kind, fault)
        self._face(_core.Schedule.called(self))

    def __reduce__(self) -> tuple[type[Schedule], tuple[Any, ...]]:
        return Custom, (self.function,)

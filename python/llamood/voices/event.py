"""What a voice of a cast is heard to say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from llamood.moods.mood import Mood

FinishReason = Literal["stop", "length", "time", "interrupted"]


class Speaking(Protocol):
    """What may be asked of a voice of a cast, see `Character`."""

    @property
    def number(self) -> int: ...

    @property
    def mood(self) -> Mood: ...

    @property
    def reading(self) -> dict[str, float]: ...

    @property
    def messages(self) -> list[dict[str, str]]: ...

    @property
    def is_speaking(self) -> bool: ...


@dataclass(frozen=True, eq=False)
class Event:
    """A token that a voice said, or the end of what it says.

    ``text``: whole characters, empty where they are not whole yet. ``token``: None where the end
    is no token. ``mood``: the weights under which the token was chosen, and ``asked``: those that
    the mood asked for then, before limits and inertia; those of 0 left out. ``reading``:
    `Character.reading` when the token was chosen, and ``score``: what the token before it
    expressed by itself, as z-scores; None where the cast reads nothing.
    ``finish_reason``: in the last event of an answer, ``stop``, ``length`` (of `max_tokens`, or of
    what the voice can remember), ``time`` or ``interrupted``. ``forgotten``: in the first event of
    an answer, how many of the voice's oldest turns were dropped to make room for it. ``likely``:
    with ``logprobs``, the natural logarithm of the probability of `token` in this mood, then those
    of the likeliest, as (token, logarithm). ``guard``: what became of the answer where it
    collapsed before this token (see `CollapseMonitor.told`); None where it did not. ``notices``:
    what limits have taken from the mood in this answer so far, a sentence each. ``face``: what to
    show, see `Character.face`, and ``face_reading``: the reading that decides, a z-score, None for
    the neutral face; ``valence`` and ``arousal``, -1 to 1, where `reading` lies between emotions.
    None where the cast reads nothing.
    """

    voice: Speaking
    text: str
    token: int | None
    mood: Mapping[str, float]
    reading: Mapping[str, float] | None = None
    finish_reason: FinishReason | None = None
    forgotten: int = 0
    likely: tuple[tuple[int, float], ...] = ()
    asked: Mapping[str, float] = field(default_factory=dict)
    score: Mapping[str, float] | None = None
    guard: Mapping[str, Any] | None = None
    notices: tuple[str, ...] = ()
    face: str | None = None
    face_reading: float | None = None
    valence: float | None = None
    arousal: float | None = None

"""A generating call that was given a mood of its own, or asked for a trace."""

from __future__ import annotations

from dataclasses import dataclass

from llamood.moods.mood import Mood
from llamood.moods.steering import Steering
from llamood.moods.trace import Trace


@dataclass(frozen=True, eq=False)
class Call:
    """``mood``: None where the voice's own counts. ``trace``: None where none was asked for.
    ``steers_all``: whether it is felt in what a grammar draws, too. ``said``: what is answered, a
    part of the prompt; None for all of it."""

    mood: tuple[Mood, Steering | None] | None
    trace: Trace | None
    steers_all: bool
    said: str | None = None

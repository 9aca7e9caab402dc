"""A generating call that was given a mood of its own, asked for a trace, or lets the voice set its
mood."""

from __future__ import annotations

from dataclasses import dataclass

from llamood.moods.mood import Mood
from llamood.moods.steering import Steering
from llamood.moods.trace import Trace
from llamood.voices.feel_tool import Feeling


@dataclass(eq=False)
class Call:
    """``mood``: None where the voice's own counts; another once the voice has set it. ``trace``:
    None where none was asked for. ``steers_all``: whether it is felt in what a grammar draws, too.
    ``said``: what is answered, a part of the prompt; None for all of it. ``feeling``: what the
    voice comes to feel by its own calls; None where it has no such tool. ``n_drawn``: its tokens so
    far, where it has."""

    mood: tuple[Mood, Steering | None] | None
    trace: Trace | None
    steers_all: bool
    said: str | None = None
    feeling: Feeling | None = None
    n_drawn: int = 0

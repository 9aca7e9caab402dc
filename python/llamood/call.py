"""A generating call that was given a mood of its own, or asked for a trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .mood import Mood
from .steering import Steering
from .trace import Trace


@dataclass(frozen=True, eq=False)
class Call:
    """``mood``: None where the voice's own counts. ``trace``: None where none was asked for."""

    mood: tuple[Mood, Steering | None] | None
    trace: Trace | None

    def told(self, result: Mapping[str, Any]) -> Mapping[str, Any]:
        """The result of the call, with the trace in it where one was asked for."""
        if self.trace is None:
            return result
        return {**result, "llamood": {"trace": self.trace.to_dict()}}

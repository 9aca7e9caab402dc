"""The tokens of one answer as they are drawn: those that were told, and those that wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from llamood.moods.mood import Rows
from llamood.moods.trace import Trace
from llamood.voices.collapse_monitor import CollapseMonitor, Rescue


class Note(NamedTuple):
    """What a trace tells of a token; see `Trace.add`."""

    piece: bytes
    asked: Rows
    applied: Rows
    reading: Mapping[str, float] | None


class Drawing:
    """``monitor``: what says how many tokens may be told; None tells all at once. ``most``: after
    how many the answer ends, where that is known."""

    def __init__(
        self, monitor: CollapseMonitor | None, trace: Trace | None, *, most: int | None
    ) -> None:
        self._monitor = monitor
        self._trace = trace
        self._most = most
        self.tokens: list[int] = []
        self._notes: list[Note | None] = []
        self.n_told = 0

    @property
    def is_traced(self) -> bool:
        return self._trace is not None

    @property
    def is_ending(self) -> bool:
        """Whether the next token is the last one."""
        return len(self.tokens) + 1 == self._most

    @property
    def waits(self) -> bool:
        """Whether some that were drawn are not told."""
        return self.n_told < len(self.tokens)

    @property
    def is_tellable(self) -> bool:
        """Whether the first of those that wait may be told."""
        n_sound = len(self.tokens) if self._monitor is None else self._monitor.n_sound
        return self.n_told < n_sound

    def draw(self, token: int, piece: bytes, note: Note | None) -> None:
        """The next token, which is told whatever it does to the answer."""
        self.tokens.append(token)
        self._notes.append(note)
        if self._monitor is not None:
            self._monitor.take(token, piece=piece)

    def draw_monitored(
        self,
        token: int,
        piece: bytes,
        note: Note | None,
        *,
        logprob: float | None,
        overdose: float | None,
    ) -> Rescue | None:
        """The next token; what becomes of it where the answer has collapsed."""
        assert self._monitor is not None
        self.tokens.append(token)
        self._notes.append(note)
        rescue = self._monitor.hear(token, piece=piece, logprob=logprob, overdose=overdose)
        if rescue is not None:
            del self.tokens[rescue.kept :], self._notes[rescue.kept :]
        return rescue

    def pass_all(self) -> None:
        """None waits any more."""
        if self._monitor is not None:
            self._monitor.pass_all()

    def tell(self) -> int:
        """The first of those that wait."""
        token, note = self.tokens[self.n_told], self._notes[self.n_told]
        if self._trace is not None and note is not None:
            piece, asked, applied, reading = note
            self._trace.add(piece, asked=asked, applied=applied, reading=reading)
        self.n_told += 1
        return token

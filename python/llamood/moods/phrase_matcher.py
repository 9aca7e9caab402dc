"""Finds texts in what is generated, token by token, also where they span tokens."""

from __future__ import annotations

from collections.abc import Iterable

from llamood.moods.schedule import Heard


class PhraseMatcher:
    """Hears the tokens of one answer in order, and can take the last of them back.

    Token 0 is the last one of the prompt, which nothing is heard of; tokens are numbered from 1.
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._events: dict[str, list[int]] = {}

    @property
    def n_heard(self) -> int:
        return len(self._pieces)

    def forget(self, n_heard: int) -> None:
        """Keep only the first ``n_heard`` tokens."""
        del self._pieces[n_heard:]
        for events in self._events.values():
            while events and events[-1] > n_heard:
                events.pop()

    def hear(self, piece: bytes, texts: Iterable[str]) -> None:
        """The next token; notes which of ``texts`` it brings to their end."""
        self._pieces.append(piece)
        for text in texts:
            wanted = text.encode()
            if wanted in self._before(len(wanted) - 1) + piece:
                self._events.setdefault(text, []).append(len(self._pieces))

    def heard(self) -> Heard:
        """What was heard so far, tokens counted as above."""
        return Heard({text: tuple(events) for text, events in self._events.items()})

    def _before(self, n: int) -> bytes:
        """The last ``n`` bytes before the last piece: too few to hold a whole text of n + 1."""
        tail = b""
        for piece in reversed(self._pieces[:-1]):
            if len(tail) >= n:
                break
            tail = piece + tail
        return tail[len(tail) - n :] if n < len(tail) else tail

"""The text of one answer as its tokens come in: whole characters, up to a stop text."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class Utterance:
    """``stops``: texts at which it ends; the first that appears counts, and is not said.

    What could be the beginning of a stop text, or of a character of several bytes, is held back
    until the next token shows what it is.
    """

    def __init__(self, stops: Sequence[str] = ()) -> None:
        self._stops = [stop.encode() for stop in stops]
        self._held = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="ignore")
        self._said: list[str] = []
        self.is_stopped = False

    @property
    def text(self) -> str:
        """All that was said."""
        return "".join(self._said)

    def hear(self, piece: bytes) -> str:
        """The bytes of the next token; returns what they add to the text."""
        self._held += piece
        places = [self._held.find(stop) for stop in self._stops]
        found = [place for place in places if place >= 0]
        if found:
            self.is_stopped = True
            said, self._held = self._held[: min(found)], b""
            return self._say(said)
        n = self._n_open()
        said, self._held = self._held[: len(self._held) - n], self._held[len(self._held) - n :]
        return self._say(said)

    def end(self) -> str:
        """No token follows; returns what was held back."""
        held, self._held = self._held, b""
        return self._say(held, final=True)

    def _n_open(self) -> int:
        """How many of the last bytes may be the beginning of a stop text."""
        longest = max((len(stop) for stop in self._stops), default=1) - 1
        for n in range(min(longest, len(self._held)), 0, -1):
            if any(stop.startswith(self._held[-n:]) for stop in self._stops):
                return n
        return 0

    def _say(self, said: bytes, *, final: bool = False) -> str:
        text = self._decoder.decode(said, final=final)
        self._said.append(text)
        return text

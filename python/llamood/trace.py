"""What was asked and what was applied at each token of an answer."""

from __future__ import annotations

import codecs
from typing import Any

from .mood import Rows


class Trace:
    """Grows by the tokens that are generated. ``emotions``: what each weight is of."""

    def __init__(self, emotions: tuple[str, ...]) -> None:
        self._emotions = emotions
        self._pieces: list[bytes] = []
        self._rows: list[tuple[Rows, Rows]] = []

    def add(self, piece: bytes, *, asked: Rows, applied: Rows) -> None:
        """A generated token: the bytes of its text, and the weights float32 (n_emotion,) under
        which it was chosen."""
        self._pieces.append(piece)
        self._rows.append((asked, applied))

    def to_dict(self) -> dict[str, Any]:
        """JSON-able: ``emotions``, and for each of ``tokens`` its ``text`` and the weights
        ``asked`` and ``applied``, in the order of ``emotions``.

        A character that spans tokens stands with the last of them.
        """
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        texts = [decoder.decode(piece) for piece in self._pieces]
        if texts:
            texts[-1] += decoder.decode(b"", final=True)
        return {
            "emotions": list(self._emotions),
            "tokens": [
                {"text": text, "asked": _short(asked), "applied": _short(applied)}
                for text, (asked, applied) in zip(texts, self._rows, strict=True)
            ],
        }


def _short(row: Rows) -> list[float]:
    """The shortest numbers that are these float32 values."""
    return [float(str(weight)) for weight in row]

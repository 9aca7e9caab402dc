"""What was asked and what was applied at each token of an answer."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Any

from llamood.moods.mood import Rows


class Trace:
    """Grows by the tokens that are generated. ``emotions``: what each weight is of."""

    def __init__(self, emotions: tuple[str, ...]) -> None:
        self._emotions = emotions
        self._pieces: list[bytes] = []
        self._said: list[dict[str, Any]] = []

    def add(
        self,
        piece: bytes,
        *,
        asked: Rows,
        applied: Rows,
        reading: Mapping[str, float] | None = None,
    ) -> None:
        """A generated token: the bytes of its text, the weights float32 (n_emotion,) under which
        it was chosen, and what was read up to there."""
        self._pieces.append(piece)
        said: dict[str, Any] = {"asked": _short(asked), "applied": _short(applied)}
        self._said.append(said if reading is None else {**said, "reading": dict(reading)})

    def to_dict(self) -> dict[str, Any]:
        """JSON-able: ``emotions``, and for each of ``tokens`` its ``text``, the weights ``asked``
        and ``applied`` in the order of ``emotions``, and the ``reading`` of a voice that reads.

        A character that spans tokens stands with the last of them.
        """
        decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        texts = [decoder.decode(piece) for piece in self._pieces]
        if texts:
            texts[-1] += decoder.decode(b"", final=True)
        return {
            "emotions": list(self._emotions),
            "tokens": [
                {"text": text, **said} for text, said in zip(texts, self._said, strict=True)
            ],
        }


def _short(row: Rows) -> list[float]:
    """The shortest numbers that are these float32 values."""
    return [float(str(weight)) for weight in row]

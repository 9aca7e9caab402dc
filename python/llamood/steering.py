"""A mood, resolved against the vectors at hand: what the injector is told."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from llamood.errors import MoodError
from llamood.mood import Mood, Positions
from llamood.vectors import EmotionVectors


@dataclass(frozen=True)
class Steering:
    """Weights of the vectors at hand, in layers ``first`` to ``last``, both inclusive.

    ``key``: equal for equal blends of equal vectors, also in another process; 0 where nothing
    is added. Cached hidden states are told apart by it.
    """

    weights: tuple[float, ...]
    first: int
    last: int
    positions: Positions
    key: int

    @classmethod
    def of(cls, mood: Mood, emotions: EmotionVectors, *, digest: bytes) -> Steering:
        """``digest``: of ``emotions`` (see :func:`digest_of`).

        Raises MoodError for emotions that are not at hand and layers that the model lacks.
        """
        row = mood.row(emotions.names)
        first, last = mood.layers or (0, emotions.n_layer - 1)
        if last >= emotions.n_layer:
            raise MoodError(
                "$layers",
                f"asked for layers {first} to {last}, but the model has layers 0 to "
                f"{emotions.n_layer - 1}",
            )
        if not row.any():
            return UNSTEERED
        if last < 1:
            raise MoodError(
                "$layers",
                "llama.cpp adds nothing at layer 0, and no other layer was asked for; "
                "ask for layers from 1 on",
            )
        text = digest + row.tobytes() + f"{first}:{last}".encode()
        key = int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little", signed=True)
        return cls(tuple(row.tolist()), first, last, mood.positions, key)

    def start(self, n_past: int, prompt_end: int) -> int:
        """Where steering begins, counted from ``n_past``; negative where it lies before it.

        ``generated`` begins with the last token of the prompt, which predicts the first word
        of the answer.
        """
        if self.positions == "all" or not self.key:
            return -n_past
        return prompt_end - 1 - n_past


UNSTEERED = Steering(weights=(), first=0, last=-1, positions="all", key=0)


def digest_of(emotions: EmotionVectors) -> bytes:
    """16 bytes that tell one set of vectors from another."""
    return hashlib.blake2b(emotions.data.tobytes(), digest_size=16).digest()

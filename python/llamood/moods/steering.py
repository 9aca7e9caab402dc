"""A mood, resolved against the vectors at hand: what is added at each token, within limits."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from llamood import _core
from llamood._core import Blend, Notice
from llamood.moods.mood import Mood, Rows
from llamood.moods.steering_vectors import SteeringVectors
from llamood.vectors.emotion_vectors import Float64

NOTHING = Blend()

__all__ = ["NOTHING", "Blend", "Notice", "Steering"]


class Steering(_core.Steering):
    """One mood with the vectors at hand; never changes.

    ``told``: what each emotion is read at where it is felt, and ``neutral``: how neutral text
    reads, both of a voice with readings (see ``Projector``). Raises MoodError for emotions that
    are not at hand, layers that the model lacks, a dose that these vectors cannot be given in, and
    readings that cannot be held or bounded.
    """

    def __init__(
        self,
        mood: Mood,
        stored: SteeringVectors,
        *,
        told: Mapping[str, float] | None = None,
        neutral: _core.NeutralText | None = None,
    ) -> None:
        affect_map = stored.affect_map.core if mood.affect else None
        read_at = None if told is None else list(told.items())
        super().__init__(mood.core, stored.core, affect_map, read_at, neutral)
        self.mood = mood
        self.vectors = stored if mood.dose == "stored" else stored.relative
        self.names = stored.emotions.names

    def named(self, row: Rows | Float64) -> dict[str, float]:
        """Weights (n_emotion,) by emotion, without those of 0."""
        return {name: float(w) for name, w in zip(self.names, row, strict=True) if w}

    def weights(self, named: Mapping[str, float]) -> Float64:
        """(n_emotion,): those of `named`, 0 where an emotion is left out."""
        return np.array([named.get(name, 0.0) for name in self.names])

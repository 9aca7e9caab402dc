"""Reads emotions off the hidden states of one sequence, position by position."""

from __future__ import annotations

import numpy as np

from llamood import _core
from llamood.readings.projector import Projector
from llamood.vectors.emotion_vectors import Float64


class Reader(_core.Reader):
    """Of ``sequence`` of the projector's context, which has at most ``n_ctx`` positions.

    ``told``: see `Projector`.
    """

    def __init__(self, projector: Projector, *, n_ctx: int, sequence: int = 0) -> None:
        super().__init__(projector.core, sequence=sequence, n_ctx=n_ctx)
        self.probe = projector.probe
        self.names = self.probe.names
        self.told = projector.told
        self._live = projector.live
        self._sequence = sequence

    def projections(self, begin: int, end: int) -> Float64:
        """As computed, float64 (end - begin, n_layer_read, n_emotion), NaN where nothing was
        read."""
        read = self._live.read(begin, end - begin, sequence=self._sequence)
        return read.astype(np.float64)


def smooth(scores: Float64, *, half_life: float = _core.reading_half_life) -> Float64:
    """Of scores (n, n_emotion) the weighted mean up to each, older ones counting less; positions
    that were not read (NaN) count nothing, and stay NaN before the first that was."""
    kept = 0.5 ** (1 / half_life)
    total, weight = np.zeros(scores.shape[1]), 0.0
    means = np.full(scores.shape, np.nan)
    for i, row in enumerate(scores):
        total, weight = kept * total, kept * weight
        if not np.isnan(row).any():
            total, weight = total + row, weight + 1.0
        if weight > 0:
            means[i] = total / weight
    return means

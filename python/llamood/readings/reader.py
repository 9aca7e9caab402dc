"""Reads emotions off the hidden states of one sequence, position by position."""

from __future__ import annotations

import numpy as np

from llamood.moods.mood import Rows
from llamood.moods.steering import Blend, Steering
from llamood.readings.projector import Projector
from llamood.vectors.emotion_vectors import Float64

HALF_LIFE = 8.0  # tokens; single tokens say little, and in bursts
REACH = round(8 * HALF_LIFE)  # tokens; what lies further back counts for nothing
_COUNTS = 0.5 ** (np.arange(REACH)[::-1] / HALF_LIFE)  # (REACH,), of the last tokens


class Reader:
    """Of ``sequence`` of the projector's context, which has at most ``n_ctx`` positions.

    ``told``: see `Projector`.
    """

    def __init__(self, projector: Projector, *, n_ctx: int, sequence: int = 0) -> None:
        self.probe = projector.probe
        self.names = self.probe.names
        self.told = projector.told
        self._projector = projector
        self._sequence = sequence
        self._moved = np.zeros((n_ctx, len(self.names)))  # of each position, by what was added

    def note(self, position: int, n: int, blend: Blend) -> None:
        """``n`` positions from ``position`` on are decoded under this blend."""
        moved = np.array(blend.weights) @ self._projector.moves(blend) if blend.key else 0.0
        self._moved[position : position + n] = moved

    def note_rows(self, position: int, rows: Rows, steering: Steering) -> None:
        """Positions from ``position`` on are decoded under these weights (n, n_emotion)."""
        moved = rows.astype(np.float64) @ self._projector.moves(steering)
        self._moved[position : position + len(rows)] = moved

    def projections(self, begin: int, end: int) -> Float64:
        """As computed, float64 (end - begin, n_layer_read, n_emotion), NaN where nothing was
        read."""
        read = self._projector.core.read(begin, end - begin, sequence=self._sequence)
        return read.astype(np.float64)

    def scores(self, begin: int, end: int) -> Float64:
        """Z-scores float64 (end - begin, n_emotion), NaN where nothing was read."""
        return self.probe.scores(self.projections(begin, end)) - self._moved[begin:end]

    def heard(self, begin: int, end: int) -> tuple[dict[str, float], dict[str, float]]:
        """By emotion, of the positions before ``end``, of which `REACH` count: the mean score, to
        which those that lie `HALF_LIFE` further back count half, and the score of the last alone.
        Empty where nothing was read."""
        begin = min(max(begin, 1, end - REACH), end)  # the first position of all is an outlier
        scores = self.scores(begin, end)
        if not len(scores):
            return {}, {}
        return self._named(_smoothed(scores)), self._named(scores[-1])

    def reading(self, begin: int, end: int) -> dict[str, float]:
        """The first of `heard`."""
        return self.heard(begin, end)[0]

    def _named(self, scores: Float64) -> dict[str, float]:
        return {} if np.isnan(scores).any() else dict(zip(self.names, scores.tolist(), strict=True))

    def forget(self) -> None:
        """What was read and noted is not that of the context any more."""
        self._projector.core.forget(sequence=self._sequence)
        self._moved[:] = 0.0


def _smoothed(scores: Float64) -> Float64:
    """(n_emotion,): the weighted mean of scores (n, n_emotion) of the last positions."""
    counts = _COUNTS[REACH - len(scores) :]
    is_read = ~np.isnan(scores.sum(axis=1))
    if not is_read.all():
        scores, counts = scores[is_read], counts[is_read]
    if not len(scores):
        return np.full(scores.shape[1], np.nan)
    mean: Float64 = counts @ scores / counts.sum()
    return mean


def smooth(scores: Float64, *, half_life: float = HALF_LIFE) -> Float64:
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

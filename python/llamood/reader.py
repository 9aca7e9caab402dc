"""Reads emotions off the hidden states of one context, position by position."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from llamood import _core
from llamood.increments import as_measured, is_increments
from llamood.palette import Palette
from llamood.probe import Probe
from llamood.steering import Blend, Steering
from llamood.vectors import Float64

HALF_LIFE = 8.0  # tokens; single tokens say little, and in bursts
REACH = 8  # half-lives; what lies further back counts for nothing


class Reader:
    """``unsafe_ctx``: address of a context with ``watch``'s callback, open until `close`.
    ``layer``: the one that is read; None for the probe's own.

    ``told``: emotion -> the z-score that its vector as measured is itself, in the layer that is
    read: that of the answers which it is the mean of, against neutral ones.
    """

    def __init__(
        self,
        watch: _core.GraphWatch,
        probe: Probe,
        palette: Palette,
        *,
        unsafe_ctx: int,
        n_ctx: int,
        layer: int | None = None,
    ) -> None:
        self.probe = probe
        self.layer = probe.layer if layer is None else layer
        self._palette = palette
        at = probe.place(self.layer)
        self._probe = _core.Probe(
            watch, unsafe_ctx, layers=[self.layer], directions=probe.directions[at : at + 1]
        )
        # The probe's emotions in the order of the vectors, and the vectors as they were measured.
        order = [probe.names.index(name) for name in palette.emotions.names]
        scale = np.array(palette.emotions.scale)
        moved = probe.response[:, order, at, :].astype(np.float64)
        there = palette.data.any(axis=2).T  # a layer may have been emptied since
        # (n_layer, n_emotion, n_read)
        self._response = moved * (scale * there)[:, :, np.newaxis]
        own = moved[self.layer, range(len(order)), order]
        if is_increments(palette.emotions):
            measured = as_measured(palette.emotions).data[:, self.layer]
            own = (measured * probe.directions[at, order]).sum(axis=1)
        own = own / probe.spread[at, order]
        self.told = dict(zip(palette.emotions.names, own.tolist(), strict=True))
        self._moved = np.zeros((n_ctx, len(probe.names)))  # of each position, by what was added

    @property
    def names(self) -> tuple[str, ...]:
        return self.probe.names

    def note(self, position: int, weights: npt.ArrayLike, steering: Blend | Steering) -> None:
        """Weights (n, n_emotion) under which positions from ``position`` on are decoded."""
        moves = np.asarray(weights, np.float64) @ self._per_weight(steering)
        self._moved[position : position + len(moves)] = moves

    def scores(self, begin: int, end: int) -> Float64:
        """Z-scores float64 (end - begin, n_emotion), NaN where nothing was read."""
        read = self._probe.read(begin, end - begin)[:, 0].astype(np.float64)
        return self.probe.scores(read - self._moved[begin:end], self.layer)

    def smoothed(self, begin: int, end: int) -> Float64:
        """(n_emotion,): the mean score of the positions before ``end``, of which those that lie
        `HALF_LIFE` further back count half; NaN where nothing was read."""
        begin = max(begin, end - round(REACH * HALF_LIFE))
        return smooth(self.scores(begin, end))[-1] if begin < end else self._nothing

    @property
    def _nothing(self) -> Float64:
        return np.full(len(self.names), np.nan)

    def forget(self) -> None:
        """What was read and noted is not that of the context any more."""
        self._probe.forget()
        self._moved[:] = 0.0

    def close(self) -> None:
        """Forget the context."""
        self._probe.close()

    def _per_weight(self, steering: Blend | Steering) -> Float64:
        """(n_emotion, n_read): by how much a weight of 1 moves each projection."""
        dose = steering.dose if isinstance(steering, Blend) else steering.mood.dose
        palette = self._palette if dose == "stored" else self._palette.relative
        layers = slice(max(steering.first, 1), steering.last + 1)
        moved: Float64 = np.einsum("kl,lkr->kr", palette.factors[:, layers], self._response[layers])
        return moved


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

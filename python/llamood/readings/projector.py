"""Projects the hidden states of one context on the emotions of a probe, while they are computed."""

from __future__ import annotations

import numpy as np

from llamood import _core
from llamood.moods.settings import Dose
from llamood.moods.steering import Blend, Steering
from llamood.moods.steering_vectors import SteeringVectors
from llamood.readings.probe import Probe
from llamood.vectors.emotion_vectors import Float64
from llamood.vectors.increments import as_measured, is_increments


class Projector:
    """``unsafe_ctx``: address of a context with ``watch``'s callback, open until `close`.
    ``n_sequence``: how many sequences are read; with several, their batches are those of a stage
    that has this projector's ``core``.

    ``told``: emotion -> the z-score that its vector as measured is itself, in the layers that are
    read: that of the answers which it is the mean of, against neutral ones. Empty for a probe in
    doubt.
    """

    def __init__(
        self,
        watch: _core.GraphWatch,
        probe: Probe,
        vectors: SteeringVectors,
        *,
        unsafe_ctx: int,
        n_sequence: int = 1,
    ) -> None:
        self.probe = probe
        self._vectors = vectors
        at = list(probe.places)
        self.core = _core.Probe(
            watch,
            unsafe_ctx,
            layers=probe.chosen,
            directions=probe.directions[at],
            n_sequence=n_sequence,
        )
        # The probe's emotions in the order of the vectors, and the vectors as they were measured.
        order = [probe.names.index(name) for name in vectors.emotions.names]
        scale = np.array(vectors.emotions.scale)
        moved = probe.response[:, order][:, :, at].astype(np.float64) * probe.weights
        there = vectors.data.any(axis=2).T  # a layer may have been emptied since
        # (n_layer, n_emotion, n_read)
        self._response = moved.sum(axis=2) * (scale * there)[:, :, np.newaxis]
        each = range(len(order))
        own = [moved[layer, each, place, order] for place, layer in enumerate(probe.chosen)]
        if is_increments(vectors.emotions):
            measured = as_measured(vectors.emotions).data[:, probe.chosen]
            along = np.einsum("kle,lke->lk", measured, probe.directions[at][:, order])
            own = list(along * probe.weights[:, order])
        named = dict(zip(vectors.emotions.names, np.sum(own, axis=0).tolist(), strict=True))
        self.told = {} if probe.doubt else named
        self._moves: dict[tuple[Dose, int, int], Float64] = {}

    def moves(self, steering: Blend | Steering) -> Float64:
        """(n_emotion, n_read): by how much a weight of 1 moves each score."""
        dose = steering.dose if isinstance(steering, Blend) else steering.mood.dose
        key = (dose, steering.first, steering.last)
        if key not in self._moves:
            vectors = self._vectors if dose == "stored" else self._vectors.relative
            layers = slice(max(steering.first, 1), steering.last + 1)
            factors, response = vectors.factors[:, layers], self._response[layers]
            self._moves[key] = np.einsum("kl,lkr->kr", factors, response)
        return self._moves[key]

    def close(self) -> None:
        """Forget the context."""
        self.core.close()

"""Projects the hidden states of one context on the emotions of a probe, while they are computed."""

from __future__ import annotations

import numpy as np

from llamood import _core
from llamood.moods.steering_vectors import SteeringVectors
from llamood.readings.probe import Probe, directions_along
from llamood.vectors.increments import as_measured, is_increments


class Projector:
    """``unsafe_ctx``: address of a context with ``watch``'s callback, open until `close`.
    ``n_sequence``: how many sequences are read; with several, their batches are those of a stage
    that has this projector's ``live``.

    ``probe``: with its emotions in the order of the vectors. ``live``: what projects. ``core``:
    what makes scores of that. ``told``: emotion -> the z-score that its vector as measured is
    itself, in the layers that are read: that of the answers which it is the mean of, against
    neutral ones. Empty for a probe in doubt. ``neutral``: how far neutral text
    goes along the vectors, as far as that was measured.
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
        emotions = vectors.emotions
        self.probe = probe = probe.in_order(emotions.names)
        at = list(probe.places)
        self.live = _core.Probe(
            watch,
            unsafe_ctx,
            layers=probe.chosen,
            directions=probe.directions[at],
            n_sequence=n_sequence,
        )
        # (n_layer, n_emotion, n_layer_read, n_emotion), of vectors as they were measured.
        moved = probe.response[:, :, at].astype(np.float64) * probe.weights
        there = emotions.data.any(axis=2).T  # a layer may have been emptied since
        self.core = _core.Projector(
            probe.chosen,
            mean=probe.mean[at],
            weights=probe.weights,
            response=moved.sum(axis=2) * (np.array(emotions.scale) * there)[:, :, np.newaxis],
            stored=vectors.core,
            probe=self.live,
        )
        each = range(len(emotions.names))
        own = [moved[layer, each, place, each] for place, layer in enumerate(probe.chosen)]
        if is_increments(emotions):
            measured = as_measured(emotions).data[:, probe.chosen]
            along = np.einsum("kle,lke->lk", measured, probe.directions[at])
            own = list(along * probe.weights)
        named = dict(zip(emotions.names, np.sum(own, axis=0).tolist(), strict=True))
        self.told = {} if probe.doubt else named
        self.neutral = _core.NeutralText()
        if probe.vector_median is not None and probe.vector_spread is not None:
            self.neutral = _core.NeutralText(
                directions=directions_along(emotions),
                middle=probe.vector_median.ravel(),
                spread=probe.vector_spread.ravel(),
            )

    def close(self) -> None:
        """Forget the context."""
        self.live.close()

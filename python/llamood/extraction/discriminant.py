"""Which direction of the hidden states tells an emotion from the others, in labelled texts.

What moves a model (the mean difference, a pattern) is not what reads it best (a filter): see Haufe
et al., NeuroImage 87 (2014). The filter is the linear discriminant: the mean difference, whitened
by the covariance within the labels. There are seldom more texts than columns, so the covariance is
shrunk towards its diagonal (Friedman, JASA 84 (1989)); how far, texts that were not fitted to say.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from llamood.errors import ModelError
from llamood.extraction.texts import NEUTRAL
from llamood.vectors.emotion_vectors import Float32, Float64

SHRINKAGES = (0.1, 0.2, 0.4, 0.6, 0.8)  # shares of the diagonal


class Discriminant:
    """Of the hidden states of one layer, float (n_text, n_embd), with a label each.

    The names among the labels are the emotions, and `NEUTRAL`. Raises `ModelError` for a name
    without two texts.
    """

    def __init__(self, states: Float32, labels: Sequence[str], *, names: Sequence[str]) -> None:
        known = np.array(labels)
        means, rest = [], []
        for name in (*names, NEUTRAL):
            of_name = states[known == name].astype(np.float64)
            if len(of_name) < 2:
                raise ModelError(
                    f"to tell {name} from others takes at least two texts, found {len(of_name)}"
                )
            means.append(of_name.mean(axis=0))
            rest.append(of_name - means[-1])
        deviations = np.concatenate(rest)
        self._covariance = deviations.T @ deviations / (len(deviations) - len(means))
        emotional = np.array(means[:-1])
        # One emotion alone is told from neutral; several from each other.
        self._own = emotional - (emotional.mean(axis=0) if len(names) > 1 else means[-1])

    def directions(self, shrinkage: float) -> Float32:
        """Float32 (n_emotion, n_embd), of unit length. Raises `ModelError` where emotions cannot be
        told apart."""
        diagonal = np.diag(np.diag(self._covariance))
        whitener = (1 - shrinkage) * self._covariance + shrinkage * diagonal
        still = np.diag(diagonal) == 0  # columns that never move tell nothing
        whitener[still, still] = 1.0
        own = np.where(still, 0.0, self._own)
        found: Float64 = np.linalg.solve(whitener, own.T).T
        length = np.linalg.norm(found, axis=1, keepdims=True)
        if not (length > 0).all():
            raise ModelError("emotions that cannot be told apart cannot be read")
        unit: Float32 = (found / length).astype(np.float32)
        return unit

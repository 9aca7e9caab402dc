"""Vectors that move the residual stream, at every layer, by just what was measured there.

A vector as measured is the whole difference at the end of its block. What is added in one layer is
still in the stream at the next, so vectors that are added in all layers as measured pile up: the
last layers get the sum of all. Increments are the differences from layer to layer; added in all
layers, they come to the measured difference in each.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from llamood.errors import VectorError
from llamood.vectors.emotion_vectors import EmotionVectors

METHOD = ", in increments"  # how the method of such vectors ends


def increments(emotions: EmotionVectors) -> EmotionVectors:
    """Of each layer what it has beyond the layer before; layer 1 the whole, as nothing is ever
    added in layer 0. Without ceilings, which were those of the whole.

    Raises `VectorError` for vectors that are increments already, or were not measured at the end
    of blocks.
    """
    if is_increments(emotions):
        raise VectorError("these vectors are increments already")
    if emotions.measurement.site != "layer_out":
        raise VectorError(
            f"increments are of differences at the end of blocks (layer_out), these vectors were "
            f"measured at {emotions.measurement.site}"
        )
    data = emotions.data.astype(np.float64)
    data[:, 2:] -= emotions.data[:, 1:-1]
    data[:, 0] = 0.0
    method = (emotions.measurement.method or "not known") + METHOD
    measurement = replace(emotions.measurement, method=method)
    return replace(emotions, data=data.astype(np.float32), measurement=measurement, ceiling=())


def is_increments(emotions: EmotionVectors) -> bool:
    """Whether these vectors are what `increments` makes."""
    method = emotions.measurement.method
    return method is not None and method.endswith(METHOD)


def as_measured(emotions: EmotionVectors) -> EmotionVectors:
    """What was found at each layer (but for layer 0, where they are increments): increments summed
    up, and every ``scale`` taken off. Without ceilings."""
    data = emotions.data.astype(np.float64)
    measurement = emotions.measurement
    if is_increments(emotions):
        data = np.cumsum(data, axis=1)
        method = (measurement.method or "").removesuffix(METHOD)
        measurement = replace(measurement, method=method)
    scale = np.array([each or 1.0 for each in emotions.scale])  # of what was made nothing, nothing
    data = (data / scale[:, np.newaxis, np.newaxis]).astype(np.float32)
    return replace(emotions, data=data, measurement=measurement, scale=(), ceiling=())

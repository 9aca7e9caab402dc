"""Emotion vectors as points of a plane, for the eye."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llamood.vectors.emotion_vectors import EmotionVectors, Float64

NEUTRAL = "neutral"


@dataclass(frozen=True, eq=False)
class PrincipalPlane:
    """``names``: the emotions, and last `NEUTRAL`, where no vector is added. ``places``: float64
    (n_name, 2), in units of the mean length of the vectors. ``shares``: of what sets the points
    apart, how much each of the two axes shows, 0..1."""

    names: tuple[str, ...]
    places: Float64
    shares: tuple[float, float]


def in_two_dimensions(emotions: EmotionVectors) -> PrincipalPlane:
    """Principal components of the vectors and the origin; every layer counts alike, however long
    its vectors are. The signs are such that the first emotion is not left of or below neutral."""
    wide = emotions.data.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=2).mean(axis=0)  # (n_layer,)
    used = lengths > 0
    scaled = (wide[:, used] / lengths[used, np.newaxis]).reshape(emotions.n_emotion, -1)
    points = np.vstack([scaled, np.zeros((1, scaled.shape[1]))]) / np.sqrt(max(used.sum(), 1))
    left, singular, _ = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    places = np.zeros((len(points), 2))
    n = min(2, len(singular))
    places[:, :n] = left[:, :n] * singular[:n]
    places *= np.where(places[0] < places[-1], -1.0, 1.0)
    energy = np.zeros(2)
    energy[:n] = singular[:n] ** 2
    first, second = energy / (np.square(singular).sum() or 1.0)
    return PrincipalPlane((*emotions.names, NEUTRAL), places, (float(first), float(second)))

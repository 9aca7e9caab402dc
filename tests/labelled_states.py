"""Hidden states that were made up, of emotions whose directions are known."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from llamood.extraction.states import States
from llamood.extraction.texts import NEUTRAL
from llamood.vectors.emotion_vectors import Float32

NAMES = ("joy", "fear", "anger")
N_LAYER, N_EMBD = 2, 24


def planted(*, names: tuple[str, ...] = NAMES, seed: int = 0) -> Float32:
    """(n_emotion, n_layer, n_embd): what each emotion adds, of unit length, orthogonal."""
    noise = np.random.default_rng(seed).normal(size=(N_LAYER, N_EMBD, N_EMBD))
    return np.linalg.qr(noise)[0].transpose(2, 0, 1)[: len(names)].astype(np.float32)


def loud(*, seed: int = 1, scale: float = 4.0) -> Float32:
    """(1, n_embd), alike in all columns: in what all texts differ, whatever they express."""
    signs = np.random.default_rng(seed).choice([-1, 1], size=(1, N_EMBD))
    return (scale * signs).astype(np.float32)


def labelled(
    added: Mapping[str, Float32],
    *,
    n: int = 60,
    common: Float32 | None = None,
    noise: float = 0.3,
    seed: int = 2,
    shape: tuple[int, ...] = (N_LAYER, N_EMBD),
) -> States:
    """``n`` texts of each emotion and of neutral, taking turns: what the emotion adds (n_layer,
    n_embd), so much of what is ``common`` to all texts, by chance, and noise."""
    rng = np.random.default_rng(seed)
    labels = (*added, NEUTRAL) * n
    rows = noise * rng.normal(size=(len(labels), *shape))
    if common is not None:
        rows += (rng.normal(size=(len(labels), len(common))) @ common)[:, np.newaxis]
    for row, label in zip(rows, labels, strict=True):
        row += 0 if label == NEUTRAL else added[label]
    return States(labels, rows.astype(np.float32))

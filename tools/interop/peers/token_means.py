"""The rule of llama.cpp's cvector-generator (``--method mean``), once more in PyTorch: the mean,
over all tokens of all pairs, of differences of hidden states at the end of a block, of length one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

EPSILON = 1e-6  # a difference of no column above it is left out, as the generator does


def token_means(
    model: Any, pairs: Sequence[tuple[Sequence[int], Sequence[int]]], *, padding: int
) -> np.ndarray:
    """Float32 (n_layer - 1, n_embd), without the last layer. ``pairs``: tokens of both texts; the
    shorter one is filled up with ``padding``."""
    kept: list[list[np.ndarray]] = [[] for _ in range(model.config.num_hidden_layers - 1)]
    for texts in pairs:
        longest = max(map(len, texts))
        filled = [[*text, *[padding] * (longest - len(text))] for text in texts]
        with torch.no_grad():
            one, other = (
                model(torch.tensor([text]), output_hidden_states=True).hidden_states
                for text in filled
            )
        for layer, rows in enumerate(kept):  # the states of layer n are the n + 1st
            difference = (one[layer + 1] - other[layer + 1])[0].numpy()
            rows.append(difference[(difference > EPSILON).any(axis=1)])
    means = np.array([np.concatenate(rows).mean(axis=0) for rows in kept])
    units: np.ndarray = means / np.linalg.norm(means, axis=1, keepdims=True)
    return units.astype(np.float32)

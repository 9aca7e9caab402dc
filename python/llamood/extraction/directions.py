"""Ways from labelled hidden states to what an emotion adds, layer by layer.

- ``mean difference``: emotional minus neutral; the paper's (arXiv 2502.04075, section 3).
- ``centred``: minus the mean of all emotions, which leaves what is each one's own (2604.07729).
- ``cleaned``: centred, without the leading principal components of neutral text (2604.07729), in
  which all that texts speak of differs.
- ``paired``: the first principal component of differences to neutral texts (repeng's way).
- ``whitened``: centred, whitened by the covariance within labels, which is what reads best.
- ``whitened and shared``: that, and `SHARED` as much of what all emotions have beyond neutral text,
  which centring takes out, and without which those that are hard to show hardly show.
- ``shuffled``: centred, of labels that were dealt out anew among emotional texts (of one emotion
  alone, among all): what a direction does that has seen the same texts and no emotion. A control,
  never chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, get_args

import numpy as np

from llamood.errors import ModelError
from llamood.extraction.discriminant import Discriminant
from llamood.extraction.states import States
from llamood.extraction.texts import NEUTRAL
from llamood.vectors.emotion_vectors import Float32, Float64

Method = Literal[
    "mean difference",
    "centred",
    "cleaned",
    "paired",
    "whitened",
    "whitened and shared",
    "shuffled",
]
METHODS: tuple[Method, ...] = get_args(Method)
WHITENED: Method = "whitened"
SHARED_TOO: Method = "whitened and shared"
SHRINKAGE = 0.6  # of the whitened one: where reading was best on the models that were measured
SHARED = 0.5  # of the length of the whitened ones, along what all emotions share
EXPLAINED = 0.5  # of the variance of neutral text, by the components that are taken out


def directions(states: States, method: Method, *, names: Sequence[str], seed: int = 0) -> Float32:
    """Float32 (n_emotion, n_layer, n_embd). ``seed``: of the labels that are dealt out anew.

    In each layer all but the mean difference are scaled so that the vectors are on average as long
    as the centred ones. Raises `ModelError` for labels without texts.
    """
    labels = np.array(states.labels)
    missing = [name for name in (*names, NEUTRAL) if name not in states.labels]
    if missing:
        raise ModelError(f"there are no texts of {', '.join(missing)}")
    if method == "shuffled":
        labels = dealt_anew(labels, names, seed=seed)
    layers = [
        _layer(states.data[:, layer], labels, method, names) for layer in range(states.n_layer)
    ]
    return np.stack(layers, axis=1).astype(np.float32)


def dealt_anew(labels: np.ndarray, names: Sequence[str], *, seed: int = 0) -> np.ndarray:
    """Labels among emotional texts, or of one emotion alone among all, in another order."""
    dealt = labels != NEUTRAL if len(names) > 1 else np.ones(len(labels), dtype=bool)
    found: np.ndarray = labels.copy()
    found[dealt] = np.random.default_rng(seed).permutation(labels[dealt])
    return found


def _layer(rows: Float32, labels: np.ndarray, method: Method, names: Sequence[str]) -> Float64:
    """(n_emotion, n_embd)."""
    means = np.array([rows[labels == name].mean(axis=0, dtype=np.float64) for name in names])
    neutral = rows[labels == NEUTRAL].astype(np.float64)
    from_neutral: Float64 = means - neutral.mean(axis=0)
    if method == "mean difference":
        return from_neutral
    centred = from_neutral - (from_neutral.mean(axis=0) if len(names) > 1 else 0.0)
    if method in ("centred", "shuffled"):
        return centred
    if method == "cleaned":
        found = _without_components(centred, neutral)
    elif method == "paired":
        found = _paired(rows, labels, neutral, names)
        found = found - (found.mean(axis=0) if len(names) > 1 else 0.0)
    else:
        whitened = Discriminant(rows, labels.tolist(), names=names).directions(SHRINKAGE)
        found = whitened.astype(np.float64)
        if method == SHARED_TOO and len(names) > 1:
            shared = from_neutral.mean(axis=0)
            found = found + SHARED * shared / max(float(np.linalg.norm(shared)), 1e-30)
    return _as_long(found, centred)


def _without_components(vectors: Float64, neutral: Float64) -> Float64:
    """Minus what lies in the principal components that explain `EXPLAINED` of neutral text."""
    squares, components = _principal(neutral - neutral.mean(axis=0))
    explained = np.cumsum(squares) / max(float(squares.sum()), 1e-30)
    leading = components(int(np.searchsorted(explained, EXPLAINED)) + 1)
    cleaned: Float64 = vectors - vectors @ leading.T @ leading
    return cleaned


def _paired(rows: Float32, labels: np.ndarray, neutral: Float64, names: Sequence[str]) -> Float64:
    """The first principal component of the differences of each text to a neutral one, pointing
    where their mean does."""
    found = []
    for name in names:
        of_name = rows[labels == name].astype(np.float64)
        differences = of_name - neutral[np.arange(len(of_name)) % len(neutral)]
        first = _principal(differences)[1](1)[0]
        found.append(first * np.copysign(1.0, first @ differences.mean(axis=0)))
    return np.array(found)


def _principal(rows: Float64) -> tuple[Float64, Callable[[int], Float64]]:
    """Of rows (n, n_embd) the squared singular values, falling, and what gives the first
    components (n_component, n_embd) that are not zero.

    Found in the inner products of whichever are fewer, rows or columns: a tenth of the time of a
    singular value decomposition."""
    is_wide = rows.shape[0] < rows.shape[1]
    squares, found = np.linalg.eigh(rows @ rows.T if is_wide else rows.T @ rows)
    squares, found = np.maximum(squares[::-1], 0.0), found.T[::-1]

    def components(n: int) -> Float64:
        first: Float64 = found[:n] @ rows if is_wide else found[:n]
        lengths = np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-30)
        unit: Float64 = first / lengths
        return unit

    return squares, components


def _as_long(vectors: Float64 | Float32, model: Float64) -> Float64:
    """With the root mean square length of ``model``."""
    own, wanted = (float(np.sqrt(np.square(each).sum())) for each in (vectors, model))
    scaled: Float64 = vectors.astype(np.float64) * (wanted / own if own else 0.0)
    return scaled

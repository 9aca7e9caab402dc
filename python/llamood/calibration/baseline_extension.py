"""A baseline that reads one feeling more, or one less, or what other vectors move, and all else bit
for bit as before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np

from llamood.calibration.baseline import along_vectors
from llamood.calibration.contrast import Contrast
from llamood.calibration.projections import Projections
from llamood.errors import ModelError
from llamood.extraction.states import Progress
from llamood.readings.probe import ADDED, Probe
from llamood.vectors.emotion_vectors import EmotionVectors


def extended(
    probe: Probe,
    model: str | PathLike[str],
    vectors: EmotionVectors,
    contrast: Contrast,
    neutral: Sequence[str],
    *,
    progress: Progress | None = None,
    **llama: Any,
) -> Probe:
    """The probe with the feeling of ``contrast``, at the layers that it can be read at already.

    ``vectors``: those of the probe's emotions and of the new one. ``neutral``: texts for the
    spread, none of which ``contrast`` has. ``progress(done, total)`` while it is measured.
    ``llama``: arguments of ``llama_cpp.Llama``. Raises `ModelError` for a model that cannot be
    read.
    """
    fits = [contrast.fit(layer) for layer in probe.layers]
    names = (*probe.names, contrast.name)
    *own_places, new_place = (vectors.names.index(name) for name in names)
    own = np.stack([fit.direction for fit in fits])[:, np.newaxis]
    directions = np.concatenate([probe.directions, own], axis=1)
    n, n_read, n_layer = len(names), len(probe.layers), vectors.n_layer
    response = np.zeros((n_layer, n, n_read, n), np.float32)
    response[:, :-1, :, :-1] = probe.response
    with Projections(model, vectors, probe.layers, directions, **llama) as read:
        passages = read.passages(neutral)
        tokens = np.concatenate([read(passage) for passage in passages])[:, :, -1]
        mean, spread = tokens.mean(axis=0), tokens.std(axis=0)
        if not (spread > 0).all():
            raise ModelError(f"neutral text never moves what tells {contrast.name}")
        for layer, emotion, moved in read.responses(passages):
            at = names.index(vectors.names[emotion])
            if at == n - 1:
                response[layer, at] = moved
            else:
                response[layer, at, :, -1] = moved[:, -1]
            if progress is not None:
                progress(layer * n + emotion, (probe.layers[-1] + 1) * n)
    areas = np.array([fit.auroc for fit in fits], np.float32)
    chosen = list(probe.places)
    together = ((tokens - mean) / spread)[:, chosen].mean(axis=1).std()
    quality = {"auroc": contrast.area(probe.chosen), "n": contrast.n_own}
    along: dict[str, Any] = {
        name: _beside(probe.along_vectors.get(name, found[:, own_places]), found[:, new_place])
        for name, found in along_vectors(model, vectors, neutral, **llama).items()
    }
    return replace(
        probe,
        names=names,
        directions=directions,
        mean=_beside(probe.mean, mean),
        spread=_beside(probe.spread, spread),
        response=response,
        joint=np.append(probe.joint, np.float32(together)),
        auroc=_beside(probe.auroc, areas),
        **along,
        about={
            **probe.about,
            "method": vectors.measurement.method,
            ADDED: {**probe.about.get(ADDED, {}), contrast.name: quality},
        },
    )


def moved_by(
    probe: Probe,
    model: str | PathLike[str],
    vectors: EmotionVectors,
    neutral: Sequence[str],
    **llama: Any,
) -> Probe:
    """The probe for other ``vectors`` of the same model and emotions: what these move, and how far
    neutral text goes along them, is measured anew; nothing else depends on them.

    ``neutral``: texts. ``llama``: arguments of ``llama_cpp.Llama``. Raises `ModelError` for a model
    that cannot be read.
    """
    response = np.zeros((vectors.n_layer, *probe.response.shape[1:]), np.float32)
    places = [probe.names.index(name) for name in vectors.names]
    with Projections(model, vectors, probe.layers, probe.directions, **llama) as read:
        for layer, emotion, moved in read.responses(read.passages(neutral)):
            response[layer, places[emotion]] = moved
    about = {**probe.about, "method": vectors.measurement.method}
    order = [vectors.names.index(name) for name in probe.names]
    along = along_vectors(model, vectors, neutral, **llama)
    return replace(
        probe,
        response=response,
        about=about,
        **{name: found[:, order] for name, found in along.items()},
    )


def without(probe: Probe, name: str, *, method: str | None) -> Probe:
    """The probe that does not read ``name``. ``method``: of the vectors that are left."""
    kept = [place for place, each in enumerate(probe.names) if each != name]
    about = {**probe.about, "method": method}
    if name in about.get(ADDED, {}):
        about[ADDED] = {key: value for key, value in about[ADDED].items() if key != name}
    return replace(
        probe,
        names=tuple(probe.names[place] for place in kept),
        directions=probe.directions[:, kept],
        mean=probe.mean[:, kept],
        spread=probe.spread[:, kept],
        joint=probe.joint[kept],
        response=probe.response[:, kept][:, :, :, kept],
        auroc=probe.auroc[:, kept],
        **{name: array[:, kept] for name, array in probe.along_vectors.items()},
        about=about,
    )


def _beside(known: np.ndarray, new: np.ndarray) -> np.ndarray:
    """(n_read, n + 1), of (n_read, n) and (n_read,)."""
    return np.concatenate([known, new[:, np.newaxis].astype(np.float32)], axis=1)

"""The baseline that emotions are read against, measured on the model itself with labelled texts.

Which layers are read, and how well they tell, is said by `Fit`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike
from typing import Any

import numpy as np

from llamood.calibration.projections import Projections
from llamood.errors import ModelError
from llamood.extraction.states import Progress, States, in_turn
from llamood.extraction.texts import NEUTRAL, LabelledTexts
from llamood.judges.filters import Odds
from llamood.judges.layer_fits import (
    TELLING,
    Fit,
    fit_layers,
    layers_to_read,
    parts,
    require_enough,
)
from llamood.judges.linear_judge import Judge
from llamood.readings.probe import Probe, directions_along
from llamood.vectors.emotion_vectors import EmotionVectors

WITHIN_ONE = (0.1587, 0.5, 0.8413)  # quantiles, of a normal distribution one deviation apart


def measure(
    model: str | PathLike[str],
    emotions: EmotionVectors,
    texts: LabelledTexts,
    *,
    states: States | None = None,
    judge: Judge | None = None,
    progress: Progress | None = None,
    **llama: Any,
) -> Probe:
    """The probe of a model, from texts of all the emotions and neutral ones.

    ``states``: of these texts, where they are known already. ``judge``: to say how well it tells
    the labels of the third part, for comparison. ``progress``: see `States.measured`. ``llama``:
    arguments of ``llama_cpp.Llama``. Raises `ModelError` for a model that cannot be read, and for
    too few texts.
    """
    require_readable(emotions, texts)
    texts = of_emotions(texts, emotions.names)
    if states is None:
        last = layers_to_read(emotions.n_layer)[-1]
        states = States.measured(model, texts, until=last, progress=progress, **llama)
    fitted, best = fit_layers(states, emotions.names)
    layers = tuple(fit.layer for fit in fitted)
    directions = np.stack([fit.directions for fit in fitted])
    with Projections(model, emotions, layers, directions, **llama) as read:
        passages = read.passages(texts.neutral)
        tokens = np.concatenate([read(passage) for passage in passages])
        mean, spread = tokens.mean(axis=0), tokens.std(axis=0)
        if not (spread > 0).all():
            raise ModelError("neutral text never moves a projection; longer texts are needed")
        response = np.zeros((emotions.n_layer, emotions.n_emotion, *mean.shape))
        for layer, emotion, moved in read.responses(passages):
            response[layer, emotion] = moved
    each = [Fit.of([fit], states.labels, emotions.names).chose.each for fit in fitted]
    probe = Probe(
        names=emotions.names,
        layers=layers,
        directions=directions,
        mean=mean.astype(np.float32),
        spread=spread.astype(np.float32),
        response=response.astype(np.float32),
        auroc=np.array([list(of.values()) for of in each], dtype=np.float32),
        chosen=tuple(fit.layer for fit in best.layers),
        joint=np.ones(emotions.n_emotion, np.float32),
        about={
            "fingerprint": emotions.measurement.model_fingerprint,
            "method": emotions.measurement.method,
            "neutral_tokens": len(tokens),
            "shrinkage": [fit.shrinkage for fit in fitted],
            "quality": _quality(best, texts, judge),
        },
        **along_vectors(model, emotions, texts.neutral, **llama),
    )
    spread_together = probe.scores(tokens[:, list(probe.places)]).std(axis=0)
    probe = replace(probe, joint=spread_together.astype(np.float32))
    odds = Odds.of(probe.scores(best.projected), best.told[1], names=probe.names)
    return replace(probe, about={**probe.about, "odds": odds})


def along_vectors(
    model: str | PathLike[str], emotions: EmotionVectors, neutral: Sequence[str], **llama: Any
) -> dict[str, Any]:
    """``Probe.vector_median`` and ``vector_spread``, of these texts. In the last layer, which holds
    only what asks for logits, nothing is measured. By quantiles: a token that attention leans on,
    such as a text's first, may lie a hundred times as far out as all others. Raises
    `ModelError` for a model that cannot be read."""
    directions = directions_along(emotions)
    layers = np.flatnonzero(directions[:-1].any(axis=(1, 2))).tolist()
    found = np.zeros((2, *directions.shape[:2]), np.float32)
    if layers:
        with Projections(model, emotions, layers, directions[layers], **llama) as read:
            tokens = np.concatenate([read(passage) for passage in read.passages(neutral)])
        low, middle, high = np.quantile(tokens, WITHIN_ONE, axis=0)
        found[:, layers] = middle, (high - low) / 2
    return dict(zip(("vector_median", "vector_spread"), found, strict=True))


def require_readable(emotions: EmotionVectors, texts: LabelledTexts) -> None:
    """Raise `ModelError` for too few texts, and for a model of too few layers."""
    require_enough([label for label, _ in in_turn(texts)], emotions.names)
    if emotions.n_layer < 3:
        raise ModelError("a model of fewer than three layers has none that can be read")


def of_emotions(texts: LabelledTexts, names: Sequence[str]) -> LabelledTexts:
    """Of these emotions only, and the neutral ones."""
    kept = tuple(name for name in texts.names if name in names or name == NEUTRAL)
    return LabelledTexts(kept, {name: texts.texts[name] for name in kept})


def _quality(fit: Fit, texts: LabelledTexts, judge: Judge | None) -> dict[str, Any]:
    """JSON-able: the area under the ROC curve of each emotion against all other texts, and how
    often the highest of the emotions is the right one, by the readings and by the judge."""
    names, areas = fit.names, fit.quality
    scores, truth = fit.told
    felt = [(row, label) for row, label in zip(scores, truth, strict=True) if label in names]
    right = [names[int(row.argmax())] == label for row, label in felt]
    told = {
        "n": len(truth),
        "macro_auroc": areas.macro,
        "auroc": dict(areas.each),
        "accuracy": float(np.mean(right)),
    }
    if judge is not None and set(names) <= set(judge.labels):
        jobs = in_turn(texts)
        part = parts([label for label, _ in jobs])
        tells = [
            job for job, at in zip(jobs, part, strict=True) if at == TELLING and job[0] in names
        ]
        columns = [judge.labels.index(name) for name in names]
        judged = judge.probabilities([text for _, text in tells])[:, columns].argmax(axis=1)
        agreed = [names[at] == label for at, (label, _) in zip(judged, tells, strict=True)]
        told["judge_accuracy"] = float(np.mean(agreed))
    return told

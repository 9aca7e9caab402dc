"""What is added of each emotion, where, and how much of it reads fluently, found by answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from llamood.calibration.calibration import Bounds, Calibration, Explored, calibrated
from llamood.calibration.places import Place
from llamood.calibration.trial_log import TrialLog, model_identity
from llamood.errors import ModelError
from llamood.extraction.candidates import CONTROL, Candidates
from llamood.extraction.queries import everyday
from llamood.extraction.states import Progress
from llamood.extraction.windows import DEPTHS, window
from llamood.judges.filters import Filter
from llamood.judges.jury import jury
from llamood.moods.steering_vectors import SAFE_SUM
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.voices.answering import Answering
from llamood.voices.chat_template import chat_tokens

QUICK_QUESTIONS = 8  # that a first calibration asks
QUICK_TOKENS = 32  # of an answer to them
EXPLORED, BOUNDED = 2, 10  # trials of one emotion, in small ones: for bars
N_CTX = 384


@dataclass(frozen=True)
class Doses:
    """What a calibration found, by emotion. ``places``: what is added, and where. ``bounds``: at
    which doses. ``tried``: place in words -> emotion -> how well it showed there, 0 to 1."""

    places: Mapping[str, Place]
    bounds: Mapping[str, Bounds]
    tried: Mapping[str, Mapping[str, float]]

    def report(self) -> dict[str, Any]:
        """JSON-able."""
        return {
            "tried": {place: dict(shown) for place, shown in self.tried.items()},
            "emotions": {
                name: {"place": str(self.places[name]), **_found(bounds)}
                for name, bounds in self.bounds.items()
            },
        }


def find_doses(
    model: Path,
    candidates: Candidates,
    places: Sequence[Place],
    *,
    n_question: int = QUICK_QUESTIONS,
    max_tokens: int = QUICK_TOKENS,
    seed: int = 0,
    filter: Filter | None = None,
    progress: Progress | None = None,
    settings: Mapping[str, Any] | None = None,
    kept: Path | None = None,
    **llama: Any,
) -> Doses:
    """Of each emotion the place that shows it best, and the largest fluent dose there.

    What shows is told by the bundled judge, and by ``filter`` where that is trusted. ``settings``:
    further arguments of `Calibration`. ``kept``: the file of a `TrialLog`, which is whose to remove
    who is done with what was found. Raises `ModelError` for a model that cannot be asked, and
    where no dose of any emotion was fluent.
    """
    n_explored = len(places) * EXPLORED if len(places) > 1 else 0
    total = (n_explored + BOUNDED) * len(candidates.names)
    done = 0

    def count(is_new: bool) -> None:
        nonlocal done
        done = min(done + 1, total)
        if progress is not None and is_new:
            progress(done, total)

    with ExitStack() as stack:
        answering = stack.enter_context(
            Answering(model, emotions=candidates.together(), n_ctx=N_CTX, **llama)
        )
        seated = stack.enter_context(jury(model, filter, **llama))
        prompts = [
            chat_tokens(answering.llama, [{"role": "user", "content": question}])
            for question in everyday()[:n_question]
        ]
        of = {
            "version": 2,
            "model": model_identity(model),
            "names": answering.emotions.names,
            "vectors": answering.emotions.data,
            **({} if filter is None else {f"filter {key}": v for key, v in vars(filter).items()}),
            "prompts": prompts,
            "max_tokens": max_tokens,
            "seed": seed,
        }
        calibration = Calibration(
            answering,
            prompts,
            judges=list(seated.values()),
            max_tokens=max_tokens,
            seed=seed,
            tried=count,
            log=TrialLog(kept, of=of),
            **(settings or {}),
        )
        explored: dict[Place, dict[str, Explored]] = {}
        if len(places) > 1:
            explored = {place: calibration.explored(place, candidates.names) for place in places}
        best = {name: _best(explored, name, otherwise=places[0]) for name in candidates.names}
        first = {name: explored[place][name].dose for name, place in best.items() if explored}
        bounds = calibration.bounds(best, first=first)
    if not any(each.best for each in bounds.values()):
        raise ModelError("no dose of any emotion was fluent; nothing is written")
    if progress is not None:
        progress(total, total)
    tried = {
        str(place): {name: found.shown for name, found in each.items()}
        for place, each in explored.items()
    }
    return Doses(best, bounds, tried)


def _best(
    explored: Mapping[Place, Mapping[str, Explored]], name: str, *, otherwise: Place
) -> Place:
    """The place that shows an emotion best; what it shows of all emotions counts as much, as of
    few answers of one the difference is chance to a good part."""

    def worth(place: Place) -> float:
        of_all = [found.shown for found in explored[place].values()]
        return explored[place][name].shown + fmean(of_all)

    return max(explored, key=worth, default=otherwise)


def chosen(candidates: Candidates, doses: Doses | None) -> EmotionVectors:
    """The calibrated vectors; without doses the first source's, centred, in the middle of the
    layers, each so that it adds `SAFE_SUM`, which is its ceiling."""
    if doses is not None:
        return calibrated(candidates, doses.bounds, places=doses.places)
    evs = next(evs for way, evs in candidates.ways.items() if way.endswith("centred"))
    first, last = window(DEPTHS[1], n_layer=evs.n_layer)
    data = np.zeros_like(evs.data)
    data[:, first : last + 1] = evs.data[:, first : last + 1]
    rms = np.array(evs.measurement.residual_rms or np.ones(evs.n_layer))
    shares = evs.norms() / np.maximum(rms * math.sqrt(evs.n_embd), 1e-12)
    doses_of = SAFE_SUM / np.maximum(shares[:, first : last + 1].sum(axis=1), 1e-12)
    by_name = dict(zip(evs.names, doses_of.tolist(), strict=True))
    return replace(evs, data=data, ceiling=tuple(by_name.values())) * by_name


def control(candidates: Candidates, vectors: EmotionVectors) -> EmotionVectors:
    """Vectors of shuffled labels, of the first source, in each layer as long as ``vectors``."""
    shuffled = next(evs for way, evs in candidates.ways.items() if way.endswith(CONTROL))
    lengths = np.maximum(shuffled.norms(), 1e-12)
    data = shuffled.data * (vectors.norms() / lengths)[:, :, np.newaxis]
    return replace(
        vectors, data=data.astype(np.float32), measurement=shuffled.measurement, scale=()
    )


def _found(bounds: Bounds) -> dict[str, Any]:
    best = bounds.best
    return {
        "dose": None if best is None else best.dose,
        "perplexity": None if best is None else best.fluency.perplexity,
        "divergence": None if best is None else best.fluency.divergence,
        "shown": None if best is None else best.shown,
        "trials": [[trial.dose, trial.fluency.perplexity] for trial in bounds.trials],
    }

"""The baseline that emotions are read against, measured on the model itself.

Read are answers to questions that the vectors were not made from: the plain ones of the question
set, asked plainly (the baseline) and with each emotion (which layer reads best, and how well).
Half of the questions choose the layer, and the other half tells how well it reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np

from .errors import ModelError
from .extract import LONGEST_PROMPT, LONGEST_TEXT, NEUTRAL, Progress, asked_with
from .judges import Judge
from .listener import Listener
from .llama import Llama
from .measures import macro_auroc
from .parameters import LARGEST
from .probe import Probe, directions_of
from .queries import Queries, load_queries
from .texts import LabelledTexts
from .vectors import EmotionVectors, Float32, Float64

RESPONSE_TOKENS = 300  # of neutral text, read again under each emotion in each layer
RESPONSE_DOSE = 0.1  # of the hidden state's root mean square: so little that it is in proportion
LEAST_PASSAGES = 8  # neutral ones, for a baseline at all
ALIKE = 0.01  # of areas under the ROC curve: layers that read as well as each other


@dataclass(frozen=True)
class Passage:
    """A text to read, after a prefix that is not read. ``label``: its emotion, or neutral.
    ``half``: 0 has a say in which layer is read, 1 tells how well that reads."""

    label: str
    text: str
    prefix: tuple[int, ...]
    tokens: tuple[int, ...]
    half: int


def answers(
    model: str | PathLike[str],
    emotions: Sequence[str],
    *,
    queries: Queries | None = None,
    per_label: int = 24,
    seed: int = 0,
    parallel: int = 16,
    max_tokens: int = 96,
    progress: Progress | None = None,
    **llama: Any,
) -> list[Passage]:
    """What the model says to plain questions, asked plainly and with each emotion, unsteered.

    ``per_label``: how many questions. ``llama``: arguments of ``llama_cpp.Llama``. Raises
    `ModelError` for a model that cannot be asked.
    """
    bundled = load_queries()
    questions = ((queries or bundled).neutral or bundled.neutral)[:per_label]
    jobs = [
        (label, question, number % 2)
        for number, question in enumerate(questions)
        for label in (NEUTRAL, *emotions)
    ]
    passages: list[Passage] = []
    with Listener(
        model, parallel=parallel, n_prompt=LONGEST_PROMPT, n_answer=max_tokens, **llama
    ) as listener:
        for begin in range(0, len(jobs), parallel):
            group = jobs[begin : begin + parallel]
            prompts = [
                listener.prompt(q if label == NEUTRAL else asked_with(q, label))
                for label, q, _ in group
            ]
            seeds = [(seed + begin + i) % 2**32 for i in range(len(group))]
            for (label, question, half), heard in zip(
                group, listener.answers(prompts, seeds=seeds), strict=True
            ):
                # Read as the answer to the plain question: the words, not the instruction.
                prefix = listener.prompt(question)
                tokens = listener.tokens(heard.text, first=False)
                passages.append(Passage(label, heard.text, tuple(prefix), tuple(tokens), half))
            if progress is not None:
                progress(min(begin + parallel, len(jobs)), len(jobs))
    return passages


def held_out(
    model: str | PathLike[str],
    texts: LabelledTexts,
    *,
    used: int,
    as_answer_to: str | None = None,
    per_label: int = 24,
    seed: int = 0,
    **llama: Any,
) -> list[Passage]:
    """Of labelled texts those that were not among the first ``used`` that ``seed`` draws of each
    label. Raises `ModelError` for a model that cannot be read."""
    drawn = texts.sample(used + per_label, seed=seed).texts
    with Listener(
        model, parallel=1, n_prompt=LONGEST_PROMPT, n_answer=LONGEST_TEXT, **llama
    ) as listener:
        prefix = () if as_answer_to is None else tuple(listener.prompt(as_answer_to))
        return [
            Passage(label, text, prefix, tuple(listener.tokens(text, first=not prefix)), number % 2)
            for label, of_label in drawn.items()
            for number, text in enumerate(of_label[used:])
        ]


def measure(
    model: str | PathLike[str],
    emotions: EmotionVectors,
    passages: Sequence[Passage],
    *,
    judge: Judge | None = None,
    progress: Progress | None = None,
    **llama: Any,
) -> Probe:
    """The probe of a model, from neutral and labelled passages.

    ``judge``: to say how well it tells the labels of the second half, for comparison.
    ``llama``: arguments of ``llama_cpp.Llama``. Raises `ModelError` for a model that cannot be
    read, and for too few neutral passages.
    """
    neutral = [p for p in passages if p.label == NEUTRAL and p.tokens]
    if len(neutral) < LEAST_PASSAGES:
        raise ModelError(
            f"a baseline takes at least {LEAST_PASSAGES} neutral texts with something in them, "
            f"found {len(neutral)}"
        )
    with _Projections(model, emotions, **llama) as read:
        of_passage = {}
        total = len(passages) + len(read.layers) * emotions.n_emotion
        for number, passage in enumerate(passages):
            of_passage[passage] = read(passage)
            if progress is not None:
                progress(number + 1, total)
        tokens = np.concatenate([of_passage[p] for p in neutral])
        mean, spread = tokens.mean(axis=0), tokens.std(axis=0)
        if not (spread > 0).all():
            raise ModelError("neutral text never moves a projection; longer texts are needed")
        response = np.zeros((emotions.n_layer, emotions.n_emotion, *mean.shape))
        few = _beginning(neutral, RESPONSE_TOKENS)
        for layer, emotion, moved in read.responses(few, of_passage):
            response[layer, emotion] = moved
            if progress is not None:
                done = len(passages) + (layer - 1) * emotions.n_emotion + emotion + 1
                progress(min(done, total), total)
    scores = {p: ((z - mean) / spread).mean(axis=0) for p, z in of_passage.items() if len(z)}
    auroc, layer, about = _quality(scores, emotions.names, read.layers, judge)
    return Probe(
        names=emotions.names,
        layers=read.layers,
        directions=read.directions,
        mean=mean.astype(np.float32),
        spread=spread.astype(np.float32),
        response=response.astype(np.float32),
        auroc=auroc,
        layer=layer,
        about={
            "fingerprint": emotions.measurement.model_fingerprint,
            "method": emotions.measurement.method,
            "neutral_tokens": len(tokens),
            **about,
        },
    )


class _Projections:
    """A voice whose hidden states are projected in all layers that can be read."""

    def __init__(self, model: str | PathLike[str], emotions: EmotionVectors, **llama: Any) -> None:
        if emotions.n_layer < 3:
            raise ModelError("a model of fewer than three layers has none that can be read")
        self.layers = tuple(range(1, emotions.n_layer - 1))
        self.directions = directions_of(emotions, self.layers)
        self._emotions = emotions
        settings = {"n_ctx": LONGEST_PROMPT + LONGEST_TEXT, "verbose": False, **llama}
        self._llm = Llama(model, emotions=emotions, site="layer_out", **settings)
        self._probe = self._llm._project(self.layers, self.directions)

    def __enter__(self) -> _Projections:
        return self

    def __exit__(self, *_: object) -> None:
        self._probe.close()
        self._llm.close()

    def __call__(self, passage: Passage) -> Float64:
        """Projections (n_token, n_layer_read, n_emotion) of the passage's own tokens."""
        room = self._llm.n_ctx() - len(passage.prefix)
        tokens = [*passage.prefix, *passage.tokens[:room]]
        self._llm.reset()
        self._llm.eval(tokens)
        begin = max(len(passage.prefix), 1)  # the first position of all is an outlier
        return self._probe.read(begin, max(len(tokens) - begin, 0)).astype(np.float64)

    def responses(
        self, passages: Sequence[Passage], plain: Mapping[Passage, Float64]
    ) -> Iterator[tuple[int, int, Float64]]:
        """Layer, emotion, and by how much its vector as measured, added there alone, moves each
        projection (n_layer_read, n_emotion) of these passages."""
        unmoved = np.concatenate([plain[passage] for passage in passages]).mean(axis=0)
        for layer in self.layers:
            for emotion, name in enumerate(self._emotions.names):
                weight = self._small(layer, emotion)
                if weight == 0:
                    continue
                dose = {"constant": weight, "max": LARGEST}
                mood = {name: dose, "$positions": "all", "$layers": [layer, layer], "$max": LARGEST}
                with self._llm.feeling(mood):
                    moved = np.concatenate([self(passage) for passage in passages]).mean(axis=0)
                scale = self._emotions.scale[emotion]
                yield layer, emotion, (moved - unmoved) / (weight * scale)

    def _small(self, layer: int, emotion: int) -> float:
        """A weight that adds a small part of the hidden state there; 0 where there is nothing."""
        vector = self._emotions.data[emotion, layer].astype(np.float64)
        rms = float(np.sqrt(np.square(vector).mean()))
        residual = self._emotions.measurement.residual_rms
        if rms == 0:
            return 0.0
        return min(RESPONSE_DOSE * (residual[layer] if residual else rms) / rms, 100.0)


def _beginning(passages: Sequence[Passage], n_token: int) -> list[Passage]:
    """The first of them, up to so many tokens in all."""
    few: list[Passage] = []
    for passage in passages:
        few.append(passage)
        n_token -= len(passage.tokens)
        if n_token <= 0:
            break
    return few


def _quality(
    scores: Mapping[Passage, Float64],
    names: tuple[str, ...],
    layers: tuple[int, ...],
    judge: Judge | None,
) -> tuple[Float32, int, dict[str, Any]]:
    """AUROC (n_layer_read, n_emotion) on the first half, the layer whose mean is the highest (of
    those within a hundredth of it, the one that gets the most passages right), and how well that
    one reads the second half. Without labelled passages: the layer at two thirds of the depth,
    where most models are read best."""
    choosing = [passage for passage in scores if passage.half == 0]
    auroc = np.full((len(layers), len(names)), np.nan, dtype=np.float32)
    if any(passage.label != NEUTRAL for passage in choosing):
        for at in range(len(layers)):
            found = macro_auroc(
                [scores[p][at] for p in choosing], [p.label for p in choosing], labels=names
            )
            auroc[at] = [found.each.get(name, np.nan) for name in names]
    if np.isnan(auroc).all():
        return auroc, layers[round(2 / 3 * (len(layers) - 1))], {}
    right = [_share_right(scores, choosing, at, names) for at in range(len(layers))]
    best = np.nanmean(auroc, axis=1)
    at = max(np.flatnonzero(best >= best.max() - ALIKE).tolist(), key=lambda each: right[each])
    telling = [passage for passage in scores if passage.half == 1]
    return auroc, layers[at], {"quality": _told_apart(scores, telling, at, names, judge)}


def _told_apart(
    scores: Mapping[Passage, Float64],
    passages: Sequence[Passage],
    at: int,
    names: tuple[str, ...],
    judge: Judge | None,
) -> dict[str, Any]:
    """JSON-able: AUROC of each emotion against all other passages, and how often the highest of
    the emotions is the right one, by the readings and by the judge."""
    found = macro_auroc(
        [scores[p][at] for p in passages], [p.label for p in passages], labels=names
    )
    felt = [passage for passage in passages if passage.label in names]
    told = {"n": len(passages), "macro_auroc": found.macro, "auroc": dict(found.each)}
    if not felt:
        return told
    told["accuracy"] = _share_right(scores, felt, at, names)
    if judge is not None and set(names) <= set(judge.labels):
        columns = [judge.labels.index(name) for name in names]
        judged = judge.probabilities([p.text for p in felt])[:, columns].argmax(axis=1)
        truth = [names.index(p.label) for p in felt]
        told["judge_accuracy"] = float((judged == truth).mean())
    return told


def _share_right(
    scores: Mapping[Passage, Float64], passages: Sequence[Passage], at: int, names: tuple[str, ...]
) -> float:
    """Of the passages with one of these emotions, those whose emotion has the highest score."""
    felt = [passage for passage in passages if passage.label in names]
    right = [names[int(scores[p][at].argmax())] == p.label for p in felt]
    return float(np.mean(right)) if right else 0.0

"""How much of each emotion a model bears: the largest dose at which its answers read fluently.

The paper's intensities are not comparable between models: what one answers fluently at makes
another repeat itself (arXiv 2502.04075, its published answers). So plain questions are answered
at one dose after another, and the vectors are rescaled so that 1.0 is the largest fluent one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .errors import ModelError
from .increments import increments
from .judges import Judge
from .llama import Llama
from .measures import specificity
from .mood import Mood
from .parameters import LARGEST
from .side_effects import collapse
from .vectors import EmotionVectors

# The reference code's settings (arXiv 2502.04075).
TEMPERATURE, TOP_P = 0.6, 0.9
N_QUESTION = 24  # plain ones, of the shipped set the first
FIRST_DOSE = 0.25
LARGEST_DOSE = 64.0
CLOSE = 1.02  # a bracket that is no wider is narrow enough
MOST_TRIALS = 20  # of one emotion

Range = tuple[int, int]
INCREMENT = "{} in increments"  # of the vector beside that of an emotion


@dataclass(frozen=True)
class Spread:
    """Where emotions are added: in ``layers``, both ends included; as measured, or in
    ``increments`` (`llamood.increments`)."""

    layers: Range
    increments: bool = False

    def name(self, emotion: str) -> str:
        """Of the vector."""
        return INCREMENT.format(emotion) if self.increments else emotion


def with_increments(emotions: EmotionVectors) -> EmotionVectors:
    """The vectors, and beside them what a `Spread` in increments adds. Raises `VectorError` as
    `increments` does."""
    names = {name: INCREMENT.format(name) for name in emotions.names}
    beside = increments(emotions).rename(names)
    return emotions.merge(replace(beside, measurement=emotions.measurement))


@dataclass(frozen=True)
class Limits:
    """What still reads fluently, against the same questions answered without steering.

    ``perplexity``: largest ratio of perplexities, both under the unsteered model. ``collapse``:
    largest share of answers that loop. ``shortest`` and ``longest``: ratios of the mean length
    in words.
    """

    perplexity: float = 1.5
    collapse: float = 0.01
    shortest: float = 0.5
    longest: float = 2.0


@dataclass(frozen=True)
class Fluency:
    """Of answers in a mood, as in `Limits`."""

    perplexity: float
    collapse: float
    length: float

    def within(self, limits: Limits) -> bool:
        return (
            self.perplexity <= limits.perplexity
            and self.collapse <= limits.collapse
            and limits.shortest <= self.length <= limits.longest
        )


@dataclass(frozen=True)
class Trial:
    """Answers at one dose; ``texts`` in the order of the questions."""

    dose: float
    fluency: Fluency
    texts: tuple[str, ...]


@dataclass(frozen=True)
class Bounds:
    """What was found for one emotion: every trial, and of these the largest fluent one; None
    where not even the smallest was."""

    trials: tuple[Trial, ...]
    best: Trial | None


class Calibration:
    """One voice, asked the same questions again and again.

    ``prompts``: the questions as tokens, up to where the answer begins. Equal seeds give equal
    answers. Raises `ModelError` for a voice without emotions, and for too few questions.
    """

    def __init__(
        self,
        llm: Llama,
        prompts: Sequence[Sequence[int]],
        *,
        limits: Limits | None = None,
        max_tokens: int = 96,
        seed: int = 0,
    ) -> None:
        if llm.emotions is None:
            raise ModelError("there are no emotions to calibrate; pass Llama(..., emotions=...)")
        if len(prompts) < 4:
            raise ModelError(f"at least 4 questions are needed, found {len(prompts)}")
        self._llm = llm
        self._prompts = [list(prompt) for prompt in prompts]
        self._limits = limits or Limits()
        self._max_tokens = max_tokens
        self._seed = seed
        plain = self._answers(Mood())
        self._perplexity = self._nll(plain)
        self._n_word = float(np.mean([len(text.split()) for text, _ in plain]))
        if not self._n_word:
            raise ModelError("the model answers these questions with nothing at all")

    def trial(self, emotion: str, dose: float, spread: Spread) -> Trial:
        """Answer every question with this much of an emotion."""
        mood = {
            spread.name(emotion): {"constant": dose, "max": LARGEST},
            "$layers": spread.layers,
            "$max": LARGEST,
        }
        answers = self._answers(Mood(mood))
        texts = tuple(text for text, _ in answers)
        return Trial(
            dose,
            Fluency(
                perplexity=math.exp(min(self._nll(answers) - self._perplexity, 50.0)),
                collapse=float(np.mean([collapse(text).collapsed for text in texts])),
                length=float(np.mean([len(text.split()) for text in texts])) / self._n_word,
            ),
            texts,
        )

    def bounds(
        self, emotion: str, spread: Spread, *, tried: Callable[[int], None] | None = None
    ) -> Bounds:
        """The largest fluent dose, within 2 %: doubled until it is too much, then bisected.

        ``tried``: told after each trial how many there were.
        """
        trials: list[Trial] = []
        low: Trial | None = None
        high: float | None = None
        dose = FIRST_DOSE
        while len(trials) < MOST_TRIALS:
            trial = self.trial(emotion, dose, spread)
            trials.append(trial)
            if tried is not None:
                tried(len(trials))
            if trial.fluency.within(self._limits):
                low = trial
            else:
                high = dose
            if high is None:
                if dose >= LARGEST_DOSE:
                    break
                dose = 2 * dose
            elif low is None:
                if dose <= FIRST_DOSE / 64:
                    break
                dose = dose / 2
            elif high / low.dose <= CLOSE:
                break
            else:
                dose = math.sqrt(low.dose * high)
        return Bounds(tuple(trials), low)

    def specificity(self, found: Mapping[str, Bounds], judge: Judge) -> float:
        """Share of the best trials' answers whose likeliest label is the emotion asked for."""
        asked = [name for name, bounds in found.items() if bounds.best and name in judge.labels]
        texts = [text for name in asked for text in found[name].best.texts]  # type: ignore[union-attr]
        if not texts:
            return 0.0
        labels = np.repeat(asked, len(self._prompts))
        return specificity(judge.probabilities(texts), labels, labels=judge.labels)

    def _answers(self, mood: Mood) -> list[tuple[str, list[int]]]:
        """For each question the text and the tokens of the answer."""
        answers = []
        for number, prompt in enumerate(self._prompts):
            text = self._llm.create_completion(
                prompt,
                mood=mood,
                max_tokens=self._max_tokens,
                temperature=TEMPERATURE,
                top_p=TOP_P,
                seed=(self._seed + number) % 2**32,
            )["choices"][0]["text"]
            tokens = self._llm.tokenize(text.encode(), add_bos=False, special=False)
            answers.append((text.strip(), list(tokens)))
        return answers

    def _nll(self, answers: Sequence[tuple[str, list[int]]]) -> float:
        """Mean over answers of the mean negative log likelihood of a token, unsteered."""
        means = [
            float(self._llm.surprise(prompt, tokens).mean())
            for prompt, (_, tokens) in zip(self._prompts, answers, strict=True)
            if tokens
        ]
        return float(np.mean(means)) if means else math.inf


def candidates(n_layer: int, *, increments: bool = True) -> list[Spread]:
    """What is worth trying: all layers, halves and thirds of the depth, what lies behind its
    middle; and, unless they cannot be had, increments in all layers."""
    last = n_layer - 1
    shares = [(0.0, 1.0), (0.0, 0.5), (0.25, 0.5), (1 / 3, 2 / 3), (0.5, 1.0), (0.55, 0.85)]
    ranges = [(max(round(a * last), 1), max(round(b * last), 1)) for a, b in shares]
    made = [Spread(layers) for layers in dict.fromkeys(ranges)]
    return [*made, Spread((1, last), increments=True)] if increments else made


def calibrated(
    emotions: EmotionVectors, found: Mapping[str, Bounds], *, spread: Spread
) -> EmotionVectors:
    """The vectors with the largest fluent dose of each as 1.0, which is its ceiling; with nothing
    outside of the layers. An emotion that was never fluent stays as it is, without a ceiling.
    """
    doses = {name: bounds.best.dose for name, bounds in found.items() if bounds.best is not None}
    ceiling = tuple(doses.get(name) for name in emotions.names)
    made = increments(emotions) if spread.increments else emotions
    first, last = spread.layers
    if spread.layers == (1, emotions.n_layer - 1):
        first = 0  # never added, but kept in the files
    data = np.zeros_like(made.data)
    data[:, first : last + 1] = made.data[:, first : last + 1]
    return replace(made, data=data, ceiling=ceiling) * doses

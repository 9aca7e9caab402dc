"""How emotions are best added to a model, and how much of each it bears.

The paper's intensities are not comparable between models: what one answers fluently at makes
another repeat itself (arXiv 2502.04075, its published answers). So plain questions are answered
under candidate after candidate, at doses that the model just bears; the one whose answers show best
which emotion was asked for is taken, and rescaled so that 1.0 is the largest fluent dose.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from llamood.calibration.places import Place
from llamood.calibration.trial_log import TrialLog
from llamood.errors import ModelError
from llamood.extraction.candidates import Candidates
from llamood.extraction.side_effects import collapse
from llamood.judges.judging import Judging
from llamood.judges.measures import emotion_probability
from llamood.vectors.emotion_vectors import EmotionVectors, Float32
from llamood.vectors.increments import METHOD, increments
from llamood.voices.answering import Answering, Reply, Request

LARGEST_DOSE, SMALLEST_DOSE = 64.0, 1 / 64
TOKENS = 48  # of an answer, at most
KL_TOKENS = 32  # of an answer, over which divergences are measured
KL_ANSWERS = 1
EXPLORING = 4  # questions, the first ones, that are asked in each place
KL_START = 2.0  # nats at the 95th percentile: near where models begin to break, and the limit
MOST_ROUNDS = 6
DOWN, UP = 0.5, 1.6  # times a dose, from one trial to the next, at most
_ROUNDING = 1e-9
CLOSE = 1.1  # doses that are as close are one: eight answers tell no more


@dataclass(frozen=True)
class Limits:
    """What still reads fluently, against the same questions answered without steering.

    ``perplexity``: largest ratio of perplexities, both under the unsteered model. ``divergence``:
    largest 95th percentile, in nats, of how far predictions turn at the tokens of an unsteered
    answer. ``collapse``: largest share of answers that loop. ``shortest`` and ``longest``: ratios
    of the mean length in words.
    """

    perplexity: float = 1.5
    divergence: float = KL_START
    collapse: float = 0.01
    shortest: float = 0.5
    longest: float = 2.0


@dataclass(frozen=True)
class Fluency:
    """Of answers in a mood, as in `Limits`."""

    perplexity: float
    divergence: float
    collapse: float
    length: float

    def within(self, limits: Limits) -> bool:
        return (
            self.perplexity <= limits.perplexity
            and self.divergence <= limits.divergence
            and self.collapse <= limits.collapse
            and limits.shortest <= self.length <= limits.longest
        )


@dataclass(frozen=True)
class Trial:
    """Answers at one dose. ``shown``: the mean probability of the emotion by the judges, 0 to 1;
    None where they do not know it. ``texts``: in the order of the questions."""

    dose: float
    fluency: Fluency
    shown: float | None
    texts: tuple[str, ...]

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Trial:
        """Of ``dataclasses.asdict``, as JSON has it."""
        texts, fluency = tuple(found["texts"]), Fluency(**found["fluency"])
        return cls(found["dose"], fluency, found["shown"], texts)


@dataclass(frozen=True)
class Bounds:
    """What was found for one emotion: every trial, and of these the largest fluent one; None
    where not even the smallest was."""

    trials: tuple[Trial, ...]
    best: Trial | None


class Explored(NamedTuple):
    """``shown``: how well an emotion shows in a place, 0 to 1. ``dose``: about the largest fluent
    one there."""

    shown: float
    dose: float


class _Plain(NamedTuple):
    """The answers without steering: ``nll`` and ``n_word`` of each; ``said``: of the first
    `KL_ANSWERS` the tokens over which divergences are measured."""

    nll: list[float]
    n_word: list[int]
    said: list[list[int]]


class Calibration:
    """One model, asked the same questions again and again.

    ``answering``: open with the vectors of ``Candidates.together``. ``prompts``: the questions as
    tokens, up to where the answer begins. ``judges``: who tell what answers show. ``tried``: told
    after each trial of one emotion, with whether it was made now. ``log``: of what was found with
    the same model, vectors, prompts, judges, ``max_tokens`` and ``seed``, which is not tried again.
    Equal seeds give equal answers, to the last bit, whatever is in it. Raises `ModelError` for too
    few questions, and for a model that answers nothing.
    """

    def __init__(
        self,
        answering: Answering,
        prompts: Sequence[Sequence[int]],
        *,
        judges: Sequence[Judging],
        limits: Limits | None = None,
        max_tokens: int = TOKENS,
        seed: int = 0,
        tried: Callable[[bool], None] | None = None,
        log: TrialLog | None = None,
    ) -> None:
        if len(prompts) < 4:
            raise ModelError(f"at least 4 questions are needed, found {len(prompts)}")
        self._answering = answering
        self._prompts = [list(prompt) for prompt in prompts]
        self._judges = judges
        self._limits = limits or Limits()
        self._max_tokens = max_tokens
        self._seed = seed
        self._tried = tried or (lambda is_new: None)
        self._log = log or TrialLog(None, of={})
        self._plain = _Plain(**self._log.recall("plain answers", self._answered_plainly))
        if not any(self._plain.n_word):
            raise ModelError("the model answers these questions with nothing at all")

    def trials(
        self,
        places: Mapping[str, Place],
        doses: Mapping[str, float],
        *,
        n_question: int | None = None,
    ) -> dict[str, Trial]:
        """Answer every question, or the first ``n_question``, with so much of each emotion, added
        in its place, all side by side."""
        n = n_question or len(self._prompts)
        asked = {
            "n_question": n,
            "trials": {name: [str(places[name]), dose] for name, dose in doses.items()},
        }
        if self._log.knows(asked):
            for _ in doses:
                self._tried(False)
        found = self._recall(asked, lambda: self._tried_now(places, doses, n))
        return {name: Trial.of(each) for name, each in found.items()}

    def _tried_now(
        self, places: Mapping[str, Place], doses: Mapping[str, float], n: int
    ) -> dict[str, dict[str, Any]]:
        """JSON-able."""
        moods = [places[name].mood(name, dose) for name, dose in doses.items()]
        replies = self._answering.answers(self._requests(moods, n))
        nlls = self._nlls(replies, n)
        found = {}
        for number, (name, dose) in enumerate(doses.items()):
            own = slice(number * n, (number + 1) * n)
            fluency = self._fluency(replies[own], nlls[own], moods[number])
            texts = tuple(reply.text.strip() for reply in replies[own])
            found[name] = asdict(Trial(dose, fluency, self._shown(name, texts), texts))
            self._tried(True)
        return found

    def bounds(
        self, places: Mapping[str, Place], *, first: Mapping[str, float] | None = None
    ) -> dict[str, Bounds]:
        """Of each emotion the largest fluent dose in its place, within 10 % or what `MOST_ROUNDS`
        trials tell, from ``first`` or where the model's predictions begin to break on.

        How perplexing eight answers are is chance to a good part, and the largest dose of several
        that were within the limit would be one that was lucky. So each trial says at which dose the
        limit lies, and no dose is taken beyond the mean of what all say.
        """
        first = first or {name: self.first_dose(name, place) for name, place in places.items()}
        searches = {name: _Search(first[name]) for name in places}
        for _ in range(MOST_ROUNDS):
            doses = {
                name: dose
                for name, search in searches.items()
                if (dose := search.next()) is not None
            }
            if not doses:
                break
            for name, trial in self.trials(places, doses).items():
                is_fluent = trial.fluency.within(self._limits)
                searches[name].hear(trial, is_fluent, aimed=self._aimed(trial))
        return {
            name: Bounds(tuple(search.trials), search.best) for name, search in searches.items()
        }

    def first_dose(self, name: str, place: Place) -> float:
        """At which the model's predictions turn by about `KL_START`: small divergences grow with
        the square of the dose, so that one measurement tells the next dose. Raises `ModelError`
        for a vector that moves nothing."""
        asked = {"first dose": [name, str(place)]}
        return float(self._recall(asked, lambda: self._first_dose_now(name, place)))

    def _first_dose_now(self, name: str, place: Place) -> float:
        first, last = place.layers
        added = self._answering.emotions[place.vector(name)][first : last + 1]
        dose = 1.0
        for _ in range(2):
            turned = self._divergence(place.mood(name, dose)) if added.any() else 0.0
            if turned == 0:
                raise ModelError(f"{name} moves nothing ({place}); measure the vectors again")
            dose *= float(np.clip(math.sqrt(KL_START / turned), 1 / 8, 8))
        return float(np.clip(dose, SMALLEST_DOSE, LARGEST_DOSE))

    def explored(self, place: Place, names: Sequence[str]) -> dict[str, Explored]:
        """How well each emotion shows in this place: what judges see near the largest fluent dose,
        less in so far as that was too much; where no judge knows it, nothing. With few questions
        and two doses."""
        places = dict.fromkeys(names, place)
        doses = {name: self.first_dose(name, place) for name in names}
        first = self.trials(places, doses, n_question=EXPLORING)
        aimed = {name: self._aimed(trial) for name, trial in first.items()}
        second = self.trials(places, aimed, n_question=EXPLORING)
        return {
            name: Explored(
                max(self._worth(each[name]) for each in (first, second)), self._aimed(second[name])
            )
            for name in names
        }

    def _worth(self, trial: Trial) -> float:
        """What was seen; of a dose that was too much the share that is left of it where it would be
        at its limit."""
        if trial.shown is None or trial.fluency.collapse > 0:
            return 0.0
        return trial.shown / max(self._used(trial), 1.0) ** 2

    def _aimed(self, trial: Trial) -> float:
        """The dose at which what is `_used` would be all that is allowed, if it grew with the
        square of the dose."""
        factor = math.sqrt(1 / max(self._used(trial), 1e-6))
        return float(np.clip(trial.dose * np.clip(factor, DOWN, UP), SMALLEST_DOSE, LARGEST_DOSE))

    def _used(self, trial: Trial) -> float:
        """Of the perplexity (its logarithm) or the divergence that is allowed, of whichever more:
        1 at the limit."""
        turned = math.log(max(trial.fluency.perplexity, 1.0))
        allowed = max(math.log(self._limits.perplexity), 1e-6)
        return max(turned / allowed, trial.fluency.divergence / max(self._limits.divergence, 1e-6))

    # -- answers ---------------------------------------------------------------------------

    def _recall(self, asked: Any, find: Callable[[], Any]) -> Any:
        """See `TrialLog.recall`. What is found is the same whatever was asked before."""

        def find_afresh() -> Any:
            assert self._still  # which is looked at before what is kept is forgotten
            self._answering.forget()
            return find()

        return self._log.recall(asked, find_afresh)

    def _answered_plainly(self) -> dict[str, Any]:
        """JSON-able: `_Plain`."""
        self._answering.forget()
        replies = self._answering.answers(self._requests([{}], len(self._prompts)))
        return _Plain(
            nll=self._nlls(replies, len(self._prompts)),
            n_word=[len(reply.text.split()) for reply in replies],
            said=[list(reply.tokens[:KL_TOKENS]) for reply in replies[:KL_ANSWERS]],
        )._asdict()

    @cached_property
    def _still(self) -> list[tuple[list[int], list[int], Float32]]:
        """Prompts, the beginnings of plain answers, and the logits that these follow on."""
        self._answering.forget()
        return [
            (prompt, answer, self._answering.logits(prompt, answer))
            for prompt, answer in zip(self._prompts, self._plain.said, strict=False)
        ]

    def _requests(self, moods: Sequence[Mapping[str, object]], n_question: int) -> list[Request]:
        return [
            Request(
                prompt=prompt,
                mood=dict(mood),
                max_tokens=self._max_tokens,
                seed=(self._seed + number) % 2**32,
            )
            for mood in moods
            for number, prompt in enumerate(self._prompts[:n_question])
        ]

    def _nlls(self, replies: Sequence[Reply], n_question: int) -> list[float]:
        prompts = [self._prompts[i % n_question] for i in range(len(replies))]
        tokens = [reply.tokens for reply in replies]
        return [float(each) for each in self._answering.nll(prompts, tokens)]

    def _fluency(
        self, replies: Sequence[Reply], nlls: Sequence[float], mood: Mapping[str, object]
    ) -> Fluency:
        """Of answers to as many questions, the first ones."""
        n = len(replies)
        said = [each for each in nlls if not math.isnan(each)]
        nll = float(np.mean(said)) if said else math.inf
        plain = float(np.nanmean(self._plain.nll[:n]))
        n_word = max(float(np.mean(self._plain.n_word[:n])), 1.0)
        return Fluency(
            perplexity=math.exp(min(nll - plain, 50.0)),
            divergence=self._divergence(mood),
            collapse=float(np.mean([collapse(reply.text).collapsed for reply in replies])),
            length=float(np.mean([len(reply.text.split()) for reply in replies])) / n_word,
        )

    def _shown(self, name: str, texts: Sequence[str]) -> float | None:
        seen = [
            emotion_probability(judge.probabilities(texts), name, labels=judge.labels)
            for judge in self._judges
            if name in judge.labels
        ]
        return float(np.mean(seen)) if seen else None

    def _divergence(self, mood: Mapping[str, object]) -> float:
        """The 95th percentile of how far a mood turns the predictions of plain answers, in nats."""
        prompts, answers, plain = zip(*self._still, strict=True)
        moods = [dict(mood)] * len(answers)
        turned = np.concatenate(self._answering.kl(prompts, answers, moods, plain=plain))
        return float(np.quantile(turned, 0.95)) if len(turned) else 0.0


class _Search:
    """For the largest fluent dose of one emotion: from a first guess on."""

    def __init__(self, first: float) -> None:
        self.trials: list[Trial] = []
        self._fluent: list[Trial] = []
        self._aims: list[float] = []
        self._least_broken = math.inf  # of the doses at which answers loop or change their length
        self._first = first

    @property
    def _goal(self) -> float:
        """Where all trials together say that the limit lies; those that were far from it say only
        on which side."""
        factors = [aim / each.dose for aim, each in zip(self._aims, self.trials, strict=True)]
        near = [
            math.log(aim)
            for aim, factor in zip(self._aims, factors, strict=True)
            if DOWN * (1 + _ROUNDING) < factor < UP * (1 - _ROUNDING)
        ]
        mean = math.exp(sum(near) / len(near)) if near else self._aims[-1]
        return min(mean, self._least_broken / CLOSE)

    @property
    def best(self) -> Trial | None:
        """The largest fluent one that is not beyond the goal; where all are, the smallest."""
        least = min(self._fluent, key=lambda trial: trial.dose, default=None)
        return self._within_goal or least

    @property
    def _within_goal(self) -> Trial | None:
        known = [trial for trial in self._fluent if trial.dose <= self._goal * (1 + _ROUNDING)]
        return max(known, key=lambda trial: trial.dose, default=None)

    def next(self) -> float | None:
        """The dose to try; None where all is known."""
        if not self.trials:
            return self._first
        dose, best = self._goal, self._within_goal
        if not self._fluent:  # down as fast as the last one says
            dose = min(dose, self._aims[-1])
        if best is not None and dose <= best.dose * CLOSE:
            return None
        tried = [trial.dose for trial in self.trials if trial not in self._fluent]
        while any(1 / CLOSE**0.5 < each / dose < CLOSE**0.5 for each in tried):
            dose /= CLOSE  # chance was against it
        if best is not None and dose <= best.dose:
            return None
        return dose if SMALLEST_DOSE <= dose <= LARGEST_DOSE else None

    def hear(self, trial: Trial, is_fluent: bool, *, aimed: float) -> None:
        """``aimed``: the dose at which this trial would have been at the limit."""
        self.trials.append(trial)
        self._aims.append(aimed)
        if is_fluent:
            self._fluent.append(trial)
        elif aimed >= trial.dose:
            self._least_broken = min(trial.dose, self._least_broken)


def calibrated(
    candidates: Candidates, found: Mapping[str, Bounds], *, places: Mapping[str, Place]
) -> EmotionVectors:
    """Each emotion in its place, with the largest fluent dose as 1.0, which is its ceiling; with
    nothing outside of its layers. One that was never fluent stays as it is, without a ceiling.
    """
    doses = {name: bounds.best.dose for name, bounds in found.items() if bounds.best is not None}
    some = next(iter(candidates.ways.values()))
    data = np.zeros_like(some.data)
    for number, name in enumerate(some.names):
        place = places[name]
        made = candidates.ways[place.way]
        made = increments(made) if place.increments else made
        inside = slice(place.layers[0], place.layers[1] + 1)
        data[number, inside] = made.data[number, inside]
    chosen = [places[name] for name in some.names]
    stepwise = all(place.increments for place in chosen)  # as `increments` makes them, and says
    shown = [str(replace(place, increments=False)) if stepwise else str(place) for place in chosen]
    method = "; ".join(dict.fromkeys(shown)) + (METHOD if stepwise else "")
    ceiling = tuple(doses.get(name) for name in some.names)
    measurement = replace(some.measurement, method=method)
    pairs = tuple(candidates.ways[place.way].pairs[i] for i, place in enumerate(chosen))
    made = replace(some, data=data, ceiling=ceiling, measurement=measurement, pairs=pairs)
    return made * doses

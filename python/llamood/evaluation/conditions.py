"""What an evaluation compares: the emotion at several doses, and what it must be better than.

The controls are no steering at all, the prompt that asks for the emotion, that prompt together
with the vector, the prompt that also says how much of it, a random vector that is as long in each
layer, and, where they were measured, a vector from shuffled labels of the same texts, which is as
long too, and what arXiv 2502.04075 would add: the mean difference in all layers.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from llamood.errors import ModelError
from llamood.extraction.extraction import asked_with
from llamood.moods.affect import FEWEST, AffectMap
from llamood.moods.mood import Mood
from llamood.moods.parameters import LARGEST
from llamood.vectors.emotion_vectors import BASE, EmotionVectors

Kind = Literal[
    "unsteered",
    "vector",
    "prompt only",
    "prompt + vector",
    "graded prompt",
    "random vector",
    "shuffled labels",
    "paper's vector",
    "affect",
]
Range = tuple[int, int]

KINDS = get_args(Kind)
UNSTEERED, VECTOR, PROMPT, BOTH, GRADED, RANDOM, SHUFFLED, PAPER, AFFECT = KINDS
INTENSITIES = (0.0, 0.25, 0.5, 0.75, 1.0)
# Of vectors beside that of an emotion.
BESIDE_NAMES = {RANDOM: "random {}", SHUFFLED: "shuffled {}", PAPER: "paper's {}"}
RANDOM_NAME = BESIDE_NAMES[RANDOM]
WITH_VECTORS = (VECTOR, BOTH, *BESIDE_NAMES)
# The paper's own (arXiv 2502.04075): of the mean of all vectors, and of each.
PAPER_BASE, PAPER_EACH = (-1.0, 1.0, 2.0, 4.0), (1.0, 2.0, 4.0)
# Valence and arousal, all around the neutral middle; within what emotions reach (Russell and
# Mehrabian 1977), mostly.
POINTS = tuple((v, a) for v in (-0.5, 0.0, 0.5) for a in (-0.5, 0.0, 0.5) if v or a)
_DEGREES = ("slight", "moderate", "strong", "extreme")


@dataclass(frozen=True)
class Condition:
    """One way to answer. ``emotion``: None for the unsteered one, and for a point of affect.
    ``intensity``: as a multiple of the emotion's top dose. ``dose``: what the vector is
    multiplied by, 0 without a vector. ``point``: the valence and arousal asked for."""

    kind: Kind
    emotion: str | None
    intensity: float
    dose: float
    point: tuple[float, float] | None = None

    def turn(self, question: str) -> str:
        """What the user says."""
        if self.emotion is None or self.kind not in (PROMPT, BOTH, GRADED):
            return question
        return asked_with(question, self._asked(self.emotion))

    def mood(self, layers: Range | None) -> Mood:
        """What is felt; no ceiling holds an emotion below what is asked."""
        where = {} if layers is None else {"$layers": layers}
        if self.point is not None:
            valence, arousal = self.point
            return Mood({"valence": valence, "arousal": arousal, **where})
        if self.emotion is None or not self.dose:
            return Mood()
        name = BESIDE_NAMES.get(self.kind, "{}").format(self.emotion)
        return Mood({name: {"constant": self.dose, "max": LARGEST}, "$max": LARGEST, **where})

    def _asked(self, emotion: str) -> str:
        """In words and in numbers, as people and models understand either."""
        if self.kind != GRADED:
            return emotion
        degree = _DEGREES[min(max(math.ceil(4 * self.intensity) - 1, 0), 3)]
        return f"{degree} {emotion} ({round(100 * self.intensity)} out of 100)"


def controlled(
    emotions: EmotionVectors,
    *,
    intensities: Sequence[float] = INTENSITIES,
    kinds: Collection[Kind] = (),
) -> tuple[Condition, ...]:
    """Unsteered first, and once; then for each emotion the intensities above 0 and the controls;
    with four emotions or more that affect is known of, also points of affect.

    ``kinds``: `SHUFFLED` and `PAPER` where their vectors are at hand; the paper's are added as
    measured. The top dose of an emotion is its ceiling if it has one, else 1. Controls with a
    vector have the largest of the intensities, the random one also half of that. Of a graded
    prompt the largest intensity is 100 out of 100. Raises `ModelError` for intensities that are
    negative or not finite, and where none is above 0.
    """
    if not all(math.isfinite(each) and each >= 0 for each in intensities):
        raise ModelError(f"intensities are {list(intensities)}, expected none below 0")
    grid = sorted({float(each) for each in intensities} - {0.0})
    if not grid:
        raise ModelError("no intensity above 0 was given, so there is nothing to compare")
    made = [Condition(UNSTEERED, None, 0.0, 0.0)]
    for name, ceiling in zip(emotions.names, emotions.ceiling, strict=True):
        top = 1.0 if ceiling is None else ceiling
        if top * grid[-1] > LARGEST:
            raise ModelError(f"{name}: a dose of {top * grid[-1]:g}; {LARGEST:g} is the largest")
        made += [Condition(VECTOR, name, each, each * top) for each in grid]
        made.append(Condition(PROMPT, name, 0.0, 0.0))
        made.append(Condition(BOTH, name, grid[-1], grid[-1] * top))
        made += [Condition(GRADED, name, each / grid[-1], 0.0) for each in grid]
        made += [Condition(RANDOM, name, each, each * top) for each in (grid[-1] / 2, grid[-1])]
        if SHUFFLED in kinds:
            made.append(Condition(SHUFFLED, name, grid[-1], grid[-1] * top))
        if PAPER in kinds:
            made.append(Condition(PAPER, name, 1.0, 1.0))
    if len(AffectMap.fit(emotions).names) >= FEWEST:
        made += [Condition(AFFECT, None, 0.0, 0.0, point) for point in POINTS]
    return tuple(made)


def paper_axes(emotions: EmotionVectors) -> tuple[Condition, ...]:
    """Those of arXiv 2502.04075, as multiples of the vectors as stored: the mean of all vectors
    at -1, 0, 1, 2 and 4, each emotion at 0, 1, 2 and 4."""
    made = [Condition(UNSTEERED, None, 0.0, 0.0)]
    made += [Condition(VECTOR, BASE, each, each) for each in PAPER_BASE]
    for name in emotions.names:
        made += [Condition(VECTOR, name, each, each) for each in PAPER_EACH]
    return tuple(made)


def random_beside(emotions: EmotionVectors, *, seed: int) -> EmotionVectors:
    """For each emotion a vector of random direction and of the same norm in each layer.

    They are named as `RANDOM_NAME` says. Normally distributed, so that no direction is likelier;
    that of an emotion depends on its name and the seed only.
    """
    data = np.empty(emotions.data.shape)
    for row, name in enumerate(emotions.names):
        rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
        data[row] = rng.standard_normal(data.shape[1:])
    data *= (emotions.norms() / np.linalg.norm(data, axis=2))[:, :, np.newaxis]
    names = tuple(RANDOM_NAME.format(name) for name in emotions.names)
    measurement = replace(emotions.measurement, method="random")
    return EmotionVectors(names, data.astype(np.float32), measurement)


def beside(
    emotions: EmotionVectors, others: Mapping[Kind, EmotionVectors], *, seed: int
) -> EmotionVectors:
    """The vectors, and those of controls, named as `BESIDE_NAMES` says; random ones unless they are
    given. Raises `VectorError` for others of another shape or without one of the emotions."""
    made = emotions
    for kind, vectors in others.items():
        names = {name: BESIDE_NAMES[kind].format(name) for name in emotions.names}
        own = vectors.select(emotions.names).rename(names)
        plain = replace(own, ceiling=(), measurement=emotions.measurement)
        made = made.merge(plain)
    return made.merge(replace(random_beside(emotions, seed=seed), measurement=emotions.measurement))

"""What an evaluation compares: the emotion at several doses, and what it must be better than.

The controls are no steering at all, the prompt that asks for the emotion, that prompt together
with the vector, and a random vector that is as long in each layer.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from .errors import ModelError
from .extract import asked_with
from .mood import Mood
from .parameters import LARGEST
from .vectors import EmotionVectors

Kind = Literal["unsteered", "vector", "prompt only", "prompt + vector", "random vector"]
Range = tuple[int, int]

UNSTEERED, VECTOR, PROMPT, BOTH, RANDOM = KINDS = get_args(Kind)
INTENSITIES = (0.0, 0.25, 0.5, 0.75, 1.0)
RANDOM_NAME = "random {}"  # of the vector beside that of an emotion


@dataclass(frozen=True)
class Condition:
    """One way to answer. ``emotion``: None for the unsteered one. ``intensity``: as a multiple of
    the emotion's top dose. ``dose``: what the vector is multiplied by, 0 without a vector."""

    kind: Kind
    emotion: str | None
    intensity: float
    dose: float

    def turn(self, question: str) -> str:
        """What the user says."""
        if self.emotion is None or self.kind not in (PROMPT, BOTH):
            return question
        return asked_with(question, self.emotion)

    def mood(self, layers: Range | None) -> Mood:
        """What is felt; no ceiling holds it below what is asked."""
        if self.emotion is None or not self.dose:
            return Mood()
        name = RANDOM_NAME.format(self.emotion) if self.kind == RANDOM else self.emotion
        where = {} if layers is None else {"$layers": layers}
        return Mood({name: {"constant": self.dose, "max": LARGEST}, "$max": LARGEST, **where})


def conditions(emotions: EmotionVectors, intensities: Sequence[float]) -> tuple[Condition, ...]:
    """Unsteered first, and once; then for each emotion the intensities above 0 and the controls.

    The top dose of an emotion is its ceiling if it has one, else 1. Controls with a vector have
    the largest of the intensities, the random one also half of that. Raises `ModelError` for
    intensities that are negative or not finite, and where none is above 0.
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
        made += [Condition(RANDOM, name, each, each * top) for each in (grid[-1] / 2, grid[-1])]
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

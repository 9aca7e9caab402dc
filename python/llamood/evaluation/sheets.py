"""The answers of an evaluation, by condition, as arrays of what each of them shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from llamood.errors import LlamoodError
from llamood.evaluation.answer_log import Answer
from llamood.evaluation.conditions import UNSTEERED
from llamood.extraction.side_effects import collapse, side_effects
from llamood.judges.judging import Judging

Float64 = npt.NDArray[np.float64]


class Key(NamedTuple):
    """Of one condition; see `conditions.Condition`."""

    kind: str
    emotion: str | None
    intensity: float
    point: tuple[float, float] | None = None


PLAIN = Key(UNSTEERED, None, 0.0)


@dataclass(frozen=True, eq=False)
class Sheet:
    """Answers of one condition, or of several emotions in it.

    ``questions``: their numbers, rising; (n_question,). ``probabilities``: (n_question, n_emotion,
    n_label). The others: (n_question, n_emotion); NaN where there is nothing to say: ``nll``
    of an answer of no token, ``topic`` where nobody measured it.
    """

    questions: npt.NDArray[np.int64]
    probabilities: Float64
    nll: Float64
    topic: Float64
    n_word: Float64
    collapsed: Float64
    disclaimer: Float64
    refusal: Float64

    @classmethod
    def of(cls, answers: Sequence[Answer], probabilities: Float64, topic: Float64) -> Sheet:
        """``probabilities``: (n_answer, n_label); ``topic``: (n_answer,)."""
        effects = [side_effects(answer.text) for answer in answers]
        return cls(
            questions=np.array([answer.number for answer in answers], dtype=np.int64),
            probabilities=probabilities[:, np.newaxis],
            nll=_column(answer.nll for answer in answers),
            topic=topic[:, np.newaxis],
            n_word=_column(effect.n_word for effect in effects),
            collapsed=_column(collapse(answer.text).collapsed for answer in answers),
            disclaimer=_column(effect.disclaimer for effect in effects),
            refusal=_column(effect.refusal for effect in effects),
        )

    @classmethod
    def joined(cls, sheets: Sequence[Sheet], *, beside: bool) -> Sheet:
        """All their emotions: ``beside`` each other, question by question, where all have the same
        questions, or else one below the other."""
        arrays = {
            field.name: np.concatenate(
                [getattr(sheet, field.name) for sheet in sheets], axis=1 if beside else 0
            )
            for field in fields(cls)
            if field.name != "questions"
        }
        questions = [sheet.questions for sheet in sheets]
        return cls(questions=questions[0] if beside else np.concatenate(questions), **arrays)


def sheets_of(
    answers: Sequence[Answer], judge: Judging, topics: npt.ArrayLike | None = None
) -> dict[Key, Sheet]:
    """By condition. ``topics``: (n_answer,), see `measures.topic_adherence`.

    Raises `LlamoodError` where a question has two answers in one condition.
    """
    probabilities = np.asarray(judge.probabilities([a.text for a in answers]), dtype=np.float64)
    unknown = np.full(len(answers), np.nan)
    topic = unknown if topics is None else np.asarray(topics, dtype=np.float64)
    places: dict[Key, list[int]] = {}
    for place, answer in enumerate(answers):
        key = Key(answer.kind, answer.emotion, answer.intensity, answer.point)
        places.setdefault(key, []).append(place)
    for key, of_key in places.items():
        of_key.sort(key=lambda place: answers[place].number)
        if len({answers[place].number for place in of_key}) < len(of_key):
            raise LlamoodError(f"{named(key)}: two answers to one question; expected one")
    return {
        key: Sheet.of([answers[place] for place in of_key], probabilities[of_key], topic[of_key])
        for key, of_key in places.items()
    }


def named(key: Key) -> str:
    """For a person."""
    point = () if key.point is None else tuple(f"{each:g}" for each in key.point)
    emotion = () if key.emotion is None else (key.emotion,)
    return " ".join((key.kind, *emotion, *(point or (f"at {key.intensity:g}",))))


def _column(values: Iterable[float | None]) -> Float64:
    numbers = [np.nan if value is None else float(value) for value in values]
    return np.array(numbers)[:, np.newaxis]

"""What the answers of an evaluation show: measures with intervals, as JSON.

Each figure is a mean over questions, and its interval a bootstrap over them
(`llamood.intervals`). Ratios are to the unsteered answers to the same questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from typing import Any

import numpy as np
import numpy.typing as npt

from llamood.errors import LlamoodError
from llamood.evaluation.answer_log import Answer
from llamood.evaluation.conditions import AFFECT, KINDS, UNSTEERED
from llamood.evaluation.intervals import Interval, interval, ratio_interval
from llamood.evaluation.sheets import PLAIN, Float64, Key, Sheet, named, sheets_of
from llamood.judges.judging import Judging
from llamood.judges.measures import (
    asked_versus_got,
    confusion,
    emotion_probability,
    emotion_strength,
    specificity,
)
from llamood.moods.affect import ANCHORS
from llamood.vectors.emotion_vectors import BASE

GRADES = 2  # intensities of a kind above 0, from which asked can be compared with got


def results(
    answers: Sequence[Answer],
    *,
    judge: Judging,
    topics: npt.ArrayLike | None = None,
    n_draw: int = 2000,
) -> dict[str, Any]:
    """JSON-able; intervals are ``{"estimate", "low", "high", "undefined"}``, or None where there
    is nothing to say.

    ``topics``: of each answer its cosine with the question (`measures.topic_adherence`).
    ``n_draw``: of the bootstrap.

    ``rows``: for each emotion each condition, the unsteered answers among them, then the same
    over all emotions (``emotion`` None): ``eps``, ``eas`` and ``specificity`` as in
    `llamood.measures`; ``perplexity`` (geometric), ``topic`` and ``length`` (words) as ratios;
    shares ``collapse``, ``disclaimer`` and ``refusal``. ``asked_versus_got``: for each kind that
    has several intensities, and each emotion, Spearman's rho from the unsteered answers up: over
    all ``answers``, and over the ``means`` of each intensity. ``confusion``: of each kind of
    condition at its largest intensity. ``affect``: valence and arousal asked and got, the latter
    by the judge's probabilities and the coordinates of its labels. ``unsteered``: the perplexity,
    and words an answer, that the ratios are to.

    An emotion named ``base`` that the judge has no label for is measured by its strength alone.
    Raises `LlamoodError` where a condition has not just one answer to each question, or an emotion
    no label.
    """
    study = _Study(sheets_of(answers, judge, topics), tuple(judge.labels), n_draw)
    study.check()
    doses = {(a.kind, a.emotion, a.intensity): a.dose for a in answers}

    def row(emotion: str | None, kind: str, at: float) -> dict[str, Any]:
        asked = study.emotions if emotion is None else (emotion,)
        dose = None if emotion is None else doses.get((kind, emotion, at), 0.0)
        head = {"emotion": emotion, "condition": kind, "intensity": at, "dose": dose}
        return head | study.figures(asked, kind, at)

    plain = study.joined([study.plain(name) for name in study.emotions])
    return {
        "n_question": study.n_question,
        "labels": list(study.labels),
        "n_draw": n_draw,
        "unsteered": {
            "perplexity": None if plain is None else _perplexity(plain.nll),
            "words": None if plain is None else float(plain.n_word.mean()),
        },
        "rows": [
            row(emotion, *place)
            for emotion in (*(each for each in study.asked), None)
            for place in study.places(emotion)
        ],
        "asked_versus_got": study.asked_versus_got(),
        "confusion": study.confusion(),
        "affect": study.affect(),
    }


@dataclass(frozen=True)
class _Study:
    sheets: Mapping[Key, Sheet]
    labels: tuple[str, ...]
    n_draw: int

    @cached_property
    def asked(self) -> tuple[str, ...]:
        """All that was asked for, in order of appearance."""
        named = (key.emotion for key in self.sheets if key.kind != UNSTEERED)
        return tuple(dict.fromkeys(name for name in named if name is not None))

    @cached_property
    def emotions(self) -> tuple[str, ...]:
        """Of these, what the judge has a label for."""
        return tuple(name for name in self.asked if name in self.labels)

    @property
    def n_question(self) -> int:
        return len({int(number) for sheet in self.sheets.values() for number in sheet.questions})

    def check(self) -> None:
        unknown = [name for name in self.asked if name not in (*self.labels, BASE)]
        if unknown:
            raise LlamoodError(
                f"the judge has no label {', '.join(unknown)}; it has {', '.join(self.labels)}"
            )
        if not self.emotions:
            raise LlamoodError("no answer was asked to express an emotion; expected one at least")
        for key, sheet in self.sheets.items():
            plain = self.plain(key.emotion)
            if plain is not None and not np.array_equal(sheet.questions, plain.questions):
                raise LlamoodError(
                    f"{named(key)}: {len(sheet.questions)} answers for the "
                    f"{len(plain.questions)} questions of the unsteered ones; expected one for each"
                )

    def plain(self, emotion: str | None) -> Sheet | None:
        """The unsteered answers that those of an emotion are compared with."""
        return self.sheets.get(Key(UNSTEERED, emotion, 0.0), self.sheets.get(PLAIN))

    def places(self, emotion: str | None) -> list[tuple[str, float]]:
        """Conditions of an emotion, or of any that the judge knows, in the order of the kinds."""
        names = self.emotions if emotion is None else (emotion,)
        found = {(key.kind, key.intensity) for key in self.sheets if key.emotion in names}
        if self.plain(emotion or self.asked[0]) is not None:
            found.add((UNSTEERED, 0.0))
        return sorted(found, key=lambda place: (list(KINDS).index(place[0]), place[1]))

    def joined(self, sheets: Sequence[Sheet | None]) -> Sheet | None:
        """None where one is missing."""
        known = [sheet for sheet in sheets if sheet is not None]
        if not known or len(known) < len(sheets):
            return None
        alike = all(np.array_equal(each.questions, known[0].questions) for each in known)
        return Sheet.joined(known, beside=alike)

    def figures(self, asked: Sequence[str], kind: str, at: float) -> dict[str, Any]:
        """Of the answers in a condition and the plain ones to the same questions; over those of
        the emotions that have it."""
        pairs = {
            name: (
                self.plain(name) if kind == UNSTEERED else self.sheets.get(Key(kind, name, at)),
                self.plain(name),
            )
            for name in asked
        }
        pairs = {name: pair for name, pair in pairs.items() if pair[0] is not None}
        sheet = self.joined([pair[0] for pair in pairs.values()])
        assert sheet is not None
        plain = self.joined([pair[1] for pair in pairs.values()])
        names = [[name] * len(pair[0].questions) for name, pair in pairs.items() if pair[0]]
        beside = sheet.nll.shape[1] > 1 or len(pairs) == 1
        wanted = np.array(names).T if beside else np.concatenate(names)[:, np.newaxis]
        return {**self._effects(sheet, wanted), **self._side_effects(sheet, plain)}

    def _effects(self, sheet: Sheet, asked: npt.NDArray[np.str_]) -> dict[str, Any]:
        """``asked``: (n_question, n_emotion)."""
        # One number a question, all of equally many answers: their mean is the measure of all.
        each = list(zip(sheet.probabilities, asked, strict=True))
        spread = partial(interval, statistic=_mean, n_draw=self.n_draw)
        strength = [emotion_strength(rows, labels=self.labels) for rows, _ in each]
        if asked.size and asked[0, 0] not in self.labels:  # the mean of all: no label to compare
            return {"eps": None, "eas": _json(spread(strength)), "specificity": None}
        got = [emotion_probability(rows, names, labels=self.labels) for rows, names in each]
        top = [specificity(rows, names, labels=self.labels) for rows, names in each]
        return {
            "eps": _json(spread(got)),
            "eas": _json(spread(strength)),
            "specificity": _json(spread(top)),
        }

    def _side_effects(self, sheet: Sheet, plain: Sheet | None) -> dict[str, Any]:
        spread = partial(interval, n_draw=self.n_draw)
        ratio = partial(ratio_interval, statistic=_mean, n_draw=self.n_draw)
        return {
            "perplexity": plain and _json(spread(sheet.nll - plain.nll, statistic=_perplexity)),
            "topic": plain and _json(ratio(sheet.topic, plain.topic)),
            "collapse": _mean(sheet.collapsed),
            "length": plain and _json(ratio(sheet.n_word, plain.n_word)),
            "disclaimer": _mean(sheet.disclaimer),
            "refusal": _mean(sheet.refusal),
        }

    def asked_versus_got(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in self.emotions:
            for kind in KINDS:
                keys = sorted(key for key in self.sheets if key[:2] == (kind, name))
                plain = self.plain(name)
                if kind != UNSTEERED and len(keys) >= GRADES and plain is not None:
                    found.setdefault(kind, {})[name] = self._rho(plain, keys)
        return found

    def _rho(self, plain: Sheet, keys: Sequence[Key]) -> dict[str, Any]:
        sheets = [plain, *(self.sheets[key] for key in keys)]
        intensities = np.array([0.0, *(key.intensity for key in keys)])
        column = self.labels.index(str(keys[0].emotion))
        got = np.stack([sheet.probabilities[:, 0, column] for sheet in sheets], axis=1)

        def of_means(drawn: Float64) -> float | None:
            return asked_versus_got(intensities, drawn.mean(axis=0))

        rho = partial(asked_versus_got, intensities)
        return {
            "answers": _json(interval(got, rho, n_draw=self.n_draw)),
            "means": _json(interval(got, of_means, n_draw=self.n_draw)),
        }

    def confusion(self) -> dict[str, Any]:
        found = {}
        for kind in KINDS:
            of_kind = [
                key for key in self.sheets if key.kind == kind and key.emotion in self.labels
            ]
            if kind in (UNSTEERED, AFFECT) or not of_kind:
                continue
            top = max(key.intensity for key in of_kind)
            keys = [key for key in of_kind if key.intensity == top]
            rows = np.concatenate([self.sheets[key].probabilities[:, 0] for key in keys])
            asked = np.repeat(
                [str(key.emotion) for key in keys],
                [len(self.sheets[key].questions) for key in keys],
            )
            shown = confusion(rows, asked, labels=self.labels)
            found[kind] = {
                "asked": list(shown.asked),
                "got": list(shown.got),
                "n_answer": list(shown.n_answer),
                "shares": shown.shares.tolist(),
            }
        return found

    def affect(self) -> dict[str, Any] | None:
        keys = [key for key in self.sheets if key.point is not None]
        if not keys or not set(self.labels) & set(ANCHORS):
            return None
        neutral = (0.0, 0.0, 0.0)
        places = np.array([ANCHORS.get(label, neutral)[:2] for label in self.labels])
        asked = np.array([key.point for key in keys])
        # (n_question, n_point, 2)
        got = np.stack([self.sheets[key].probabilities[:, 0] @ places for key in keys], axis=1)
        spread = partial(interval, n_draw=self.n_draw)
        axes = ("valence", "arousal")

        def correlation(axis: int) -> Interval | None:
            return spread(got[:, :, axis], lambda drawn: _pearson(asked[:, axis], drawn))

        return {
            "points": [
                {
                    "asked": dict(zip(axes, asked[i].tolist(), strict=True)),
                    "got": {
                        axis: _json(spread(got[:, i, column], _mean))
                        for column, axis in enumerate(axes)
                    },
                }
                for i in range(len(keys))
            ],
            "correlation": {axis: _json(correlation(i)) for i, axis in enumerate(axes)},
        }


def _pearson(asked: Float64, got: Float64) -> float | None:
    """Of what was asked, (n_point,), and the means of what was got, (n_question, n_point)."""
    means = got.mean(axis=0)
    if np.ptp(asked) == 0 or np.ptp(means) == 0:
        return None
    return float(np.corrcoef(asked, means)[0, 1])


def _mean(values: Float64) -> float:
    return float(np.mean(values))


def _perplexity(nll: Float64) -> float | None:
    """Geometric mean over the answers that have one, of nats or of differences of nats."""
    known = nll[~np.isnan(nll)]
    return float(np.exp(known.mean())) if len(known) else None


def _json(found: Interval | None) -> dict[str, float] | None:
    return None if found is None else asdict(found)

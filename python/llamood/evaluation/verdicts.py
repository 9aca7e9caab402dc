"""What several judges make of the same answers, how good each is at what is known, and where they
disagree.

A judge of one kind alone misleads: words give some emotions away and others not, and a model that
judges may take any text of its own for one. What two of different kinds agree on counts for more.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

from llamood.errors import LlamoodError
from llamood.evaluation.answer_log import Answer
from llamood.evaluation.results import results
from llamood.evaluation.sheets import Float64
from llamood.extraction.texts import LabelledTexts
from llamood.judges.judging import Judging

BY_JUDGE = ("eps", "eas", "specificity")  # figures of a row that depend on who judges
VIEWS = ("asked_versus_got", "confusion", "affect")  # results that do
N_EXAMPLE = 5


@dataclass(frozen=True)
class Trial:
    """A judge on texts whose label is known. ``right``: the share of ``n_text`` texts whose
    likeliest label is their own; ``chance``: what guessing comes to, labels being as frequent as
    they are."""

    n_text: int
    n_label: int
    right: float
    chance: float


@dataclass(frozen=True, eq=False)
class Verdicts:
    """Of one judge. ``rows``: (n_answer, n_label), in the order of the answers. ``trial``: None
    where it was not tried."""

    name: str
    labels: tuple[str, ...]
    rows: Float64
    trial: Trial | None

    @classmethod
    def of(
        cls, name: str, judge: Judging, answers: Sequence[Answer], *, known: LabelledTexts | None
    ) -> Verdicts:
        """``known``: texts to try the judge on."""
        rows = np.asarray(judge.probabilities([each.text for each in answers]), dtype=np.float64)
        return cls(name, tuple(judge.labels), rows, None if known is None else tried(judge, known))

    def probabilities(self, texts: Iterable[str]) -> Float64:
        """As `Judging`, of the answers that were judged and no others."""
        n = sum(1 for _ in texts)
        if n != len(self.rows):
            raise LlamoodError(f"{len(self.rows)} answers were judged, and {n} are asked for")
        return self.rows


def tried(judge: Judging, known: LabelledTexts) -> Trial | None:
    """The judge on all of these texts whose label it has; None where it has not two of them."""
    labels = [label for label in judge.labels if known.texts.get(label)]
    if len(labels) < 2:
        return None
    texts = [text for label in labels for text in known.texts[label]]
    own = np.repeat(labels, [len(known.texts[label]) for label in labels])
    rows = np.asarray(judge.probabilities(texts), dtype=np.float64)
    columns = [list(judge.labels).index(label) for label in labels]
    got = np.array(labels)[rows[:, columns].argmax(axis=1)]
    shares = np.array([np.mean(own == label) for label in labels])
    return Trial(
        n_text=len(texts),
        n_label=len(labels),
        right=float(np.mean(got == own)),
        chance=float(np.square(shares).sum()),
    )


def joint_findings(
    answers: Sequence[Answer],
    verdicts: Sequence[Verdicts],
    *,
    topics: npt.ArrayLike | None = None,
    n_draw: int = 2000,
) -> dict[str, Any]:
    """`results` by the first judge, and beside them ``judges``: of each its name, labels, trial
    and, of all but the first, `VIEWS`. Where there are several, each of ``rows`` has ``judges``
    too, by name what `BY_JUDGE` lists, and ``disagreements`` are those of each pair.

    JSON-able. Raises as `results`, for any of the judges.
    """
    found = [results(answers, judge=each, topics=topics, n_draw=n_draw) for each in verdicts]
    first, *others = found
    judges: list[dict[str, Any]] = [
        {
            "name": each.name,
            "labels": list(each.labels),
            "trial": None if each.trial is None else asdict(each.trial),
        }
        for each in verdicts
    ]
    for judge, other in zip(judges[1:], others, strict=True):
        judge |= {view: other[view] for view in VIEWS}
    if others:
        for rows in zip(*(each["rows"] for each in found), strict=True):
            rows[0]["judges"] = {
                each.name: {key: row[key] for key in BY_JUDGE}
                for each, row in zip(verdicts, rows, strict=True)
            }
    pairs = combinations(verdicts, 2)
    return {
        **first,
        "judges": judges,
        "disagreements": [disagreement(answers, *pair) for pair in pairs],
    }


def disagreement(answers: Sequence[Answer], one: Verdicts, other: Verdicts) -> dict[str, Any]:
    """JSON-able. ``share``: of the answers whose likeliest label differs, of the labels that both
    have; ``emotions``: that for what was asked for, None being nothing; ``examples``: answers of
    which both are surest, one for each of that as far as there are any."""
    common = [label for label in one.labels if label in other.labels]
    if not common:
        raise LlamoodError(f"the judges {one.name} and {other.name} have no label in common")
    tops = [_likeliest(each, common) for each in (one, other)]
    differs = tops[0].places != tops[1].places
    sure = tops[0].odds * tops[1].odds
    by_emotion: dict[str | None, list[int]] = {}
    for place, answer in enumerate(answers):
        by_emotion.setdefault(answer.emotion, []).append(place)
    surest = [
        max((place for place in places if differs[place]), key=lambda place: float(sure[place]))
        for places in by_emotion.values()
        if differs[places].any()
    ]
    surest.sort(key=lambda place: -float(sure[place]))
    return {
        "judges": [one.name, other.name],
        "share": float(differs.mean()),
        "emotions": [
            {"emotion": emotion, "n_answer": len(places), "share": float(differs[places].mean())}
            for emotion, places in by_emotion.items()
        ],
        "examples": [
            {
                "emotion": answers[place].emotion,
                "condition": answers[place].kind,
                "intensity": answers[place].intensity,
                "text": answers[place].text,
                "labels": [common[int(top.places[place])] for top in tops],
            }
            for place in surest[:N_EXAMPLE]
        ],
    }


@dataclass(frozen=True, eq=False)
class _Likeliest:
    """Of each answer the place of its likeliest label, and how likely that is."""

    places: npt.NDArray[np.intp]
    odds: Float64


def _likeliest(verdicts: Verdicts, labels: Sequence[str]) -> _Likeliest:
    rows = verdicts.rows[:, [verdicts.labels.index(label) for label in labels]]
    return _Likeliest(rows.argmax(axis=1), rows.max(axis=1))


def judge_in_words(judge: Mapping[str, Any]) -> str:
    """One of ``judges``: its name, and how good it is."""
    trial = judge["trial"]
    if trial is None:
        return str(judge["name"])
    return (
        f"{judge['name']} (right on {100 * trial['right']:.0f} % of {trial['n_text']} labelled "
        f"lines with {trial['n_label']} labels; by chance {100 * trial['chance']:.0f} %)"
    )

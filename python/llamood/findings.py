"""What the answers of an evaluation show: measures with intervals, as numbers and as a table.

A judge is any object with ``labels`` and ``probabilities(texts)``. Each figure is a mean over
questions, and its interval a bootstrap over them (`llamood.intervals`). Ratios are to the
unsteered answers to the same questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from .answer_log import Answer
from .conditions import BOTH, PROMPT, RANDOM, UNSTEERED, VECTOR
from .errors import LlamoodError
from .intervals import Interval, interval, ratio_interval
from .measures import (
    asked_versus_got,
    confusion,
    emotion_probability,
    emotion_strength,
    specificity,
)
from .side_effects import collapse, side_effects

Float64 = npt.NDArray[np.float64]
Key = tuple[str, str | None, float]  # kind, emotion, intensity


class Judging(Protocol):
    """``probabilities`` gives (n_text, n_label), columns as in ``labels``."""

    @property
    def labels(self) -> Sequence[str]: ...

    def probabilities(self, texts: Iterable[str]) -> npt.ArrayLike: ...


@dataclass(frozen=True, eq=False)
class Sheet:
    """Answers in one condition, for one emotion or several.

    ``probabilities``: (n_question, n_emotion, n_label). The others: (n_question, n_emotion);
    ``surprise`` is NaN for an answer of no token.
    """

    probabilities: Float64
    surprise: Float64
    n_word: Float64
    collapsed: Float64
    disclaimer: Float64
    refusal: Float64

    @classmethod
    def beside(cls, sheets: Sequence[Sheet]) -> Sheet:
        """All their emotions, in this order."""
        fields = [vars(sheet) for sheet in sheets]
        return cls(
            **{name: np.concatenate([f[name] for f in fields], axis=1) for name in fields[0]}
        )


def findings(answers: Sequence[Answer], *, judge: Judging, n_draw: int = 2000) -> dict[str, Any]:
    """JSON-able; intervals are ``{"estimate", "low", "high", "undefined"}``, or None.

    ``rows``: for each emotion each condition, the unsteered answers among them, then the same
    over all emotions (``emotion`` None): ``eps``, ``eas`` and ``specificity`` as in
    `llamood.measures`; ``perplexity`` (geometric) and ``length`` (words) as ratios; shares
    ``collapse``, ``disclaimer`` and ``refusal``. ``asked_versus_got``: Spearman's rho of each
    emotion, over the unsteered answers and all intensities of its vector. ``confusion``: of each
    kind of condition at its largest intensity. ``unsteered``: the perplexity, and words an
    answer, that the ratios are to. ``n_draw``: of the bootstrap.

    Raises `LlamoodError` where a condition lacks answers, or an emotion has no label.
    """
    sheets = _sheets(answers, judge)
    labels = tuple(judge.labels)
    emotions = tuple(dict.fromkeys(key[1] for key in sheets if key[1] is not None))
    unknown = [name for name in emotions if name not in labels]
    if unknown:
        raise LlamoodError(
            f"the judge has no label {', '.join(unknown)}; it has {', '.join(labels)}"
        )
    places = list(dict.fromkeys((kind, at) for kind, emotion, at in sheets if emotion is not None))
    needed: list[Key] = [(UNSTEERED, None, 0.0)]
    needed += [(kind, name, at) for name in emotions for kind, at in places]
    kinds = {kind for kind, _ in places}
    if not (sheets.keys() >= set(needed) and kinds >= {VECTOR, PROMPT, BOTH, RANDOM}):
        raise LlamoodError(
            "these are not the answers of a whole evaluation; expected every emotion in every "
            "condition, and the unsteered answers"
        )
    plain = sheets[UNSTEERED, None, 0.0]
    doses = {(a.kind, a.emotion, a.intensity): a.dose for a in answers}

    def row(emotion: str | None, kind: str, at: float) -> dict[str, Any]:
        asked = emotions if emotion is None else (emotion,)
        steered = [plain if kind == UNSTEERED else sheets[kind, name, at] for name in asked]
        return {
            "emotion": emotion,
            "condition": kind,
            "intensity": at,
            "dose": None if emotion is None else doses.get((kind, emotion, at), 0.0),
            **_figures(
                Sheet.beside(steered),
                Sheet.beside([plain] * len(asked)),
                asked,
                labels,
                n_draw=n_draw,
            ),
        }

    return {
        "n_question": len(plain.n_word),
        "labels": list(labels),
        "n_draw": n_draw,
        "unsteered": {
            "perplexity": _perplexity(plain.surprise),
            "words": float(plain.n_word.mean()),
        },
        "rows": [
            row(emotion, *at) for emotion in (*emotions, None) for at in [(UNSTEERED, 0.0), *places]
        ],
        "asked_versus_got": {name: _rho(sheets, name, labels, n_draw=n_draw) for name in emotions},
        "confusion": {
            kind: _confusion(
                [sheets[kind, name, max(at for k, at in places if k == kind)] for name in emotions],
                emotions,
                labels,
            )
            for kind in (VECTOR, PROMPT, BOTH, RANDOM)
        },
    }


def _sheets(answers: Sequence[Answer], judge: Judging) -> dict[Key, Sheet]:
    """Those of one emotion each; the unsteered one has the emotion None."""
    probabilities = np.asarray(judge.probabilities([a.text for a in answers]), dtype=np.float64)
    places: dict[Key, list[int]] = {}
    for place, answer in enumerate(answers):
        places.setdefault((answer.kind, answer.emotion, answer.intensity), []).append(place)
    asked = sorted({answer.number for answer in answers})
    for key, of_key in places.items():
        of_key.sort(key=lambda place: answers[place].number)
        if [answers[place].number for place in of_key] != asked:
            raise LlamoodError(
                f"{' '.join(str(part) for part in key if part is not None)}: {len(of_key)} answers "
                f"for {len(asked)} questions; expected one for each"
            )
    return {
        key: _sheet([answers[place] for place in of_key], probabilities[of_key])
        for key, of_key in places.items()
    }


def _sheet(answers: Sequence[Answer], probabilities: Float64) -> Sheet:
    effects = [side_effects(answer.text) for answer in answers]

    def column(values: Iterable[float | None]) -> Float64:
        numbers = [np.nan if value is None else float(value) for value in values]
        return np.array(numbers)[:, np.newaxis]

    return Sheet(
        probabilities=probabilities[:, np.newaxis],
        surprise=column(answer.surprise for answer in answers),
        n_word=column(effect.n_word for effect in effects),
        collapsed=column(collapse(answer.text).collapsed for answer in answers),
        disclaimer=column(effect.disclaimer for effect in effects),
        refusal=column(effect.refusal for effect in effects),
    )


def _figures(
    sheet: Sheet,
    plain: Sheet,
    asked: tuple[str, ...],
    labels: Sequence[str],
    *,
    n_draw: int,
) -> dict[str, Any]:
    """Of answers and the plain ones to the same questions."""
    # One number a question, all of equally many answers: their mean is the measure of all.
    questions = sheet.probabilities
    got = np.array([emotion_probability(each, asked, labels=labels) for each in questions])
    strength = np.array([emotion_strength(each, labels=labels) for each in questions])
    top = np.array([specificity(each, asked, labels=labels) for each in questions])
    spread = partial(interval, n_draw=n_draw)
    ratio = partial(ratio_interval, n_draw=n_draw)
    return {
        "eps": _json(spread(got, _mean)),
        "eas": _json(spread(strength, _mean)),
        "specificity": _json(spread(top, _mean)),
        "perplexity": _json(spread(sheet.surprise - plain.surprise, _perplexity)),
        "collapse": _mean(sheet.collapsed),
        "length": _json(ratio(sheet.n_word, plain.n_word, _mean)),
        "disclaimer": _mean(sheet.disclaimer),
        "refusal": _mean(sheet.refusal),
    }


def _rho(
    sheets: Mapping[Key, Sheet], emotion: str, labels: Sequence[str], *, n_draw: int
) -> dict[str, float] | None:
    keys: list[Key] = [(UNSTEERED, None, 0.0)]
    keys += [key for key in sheets if key[:2] == (VECTOR, emotion)]
    column = list(labels).index(emotion)
    got = np.stack([sheets[key].probabilities[:, 0, column] for key in keys], axis=1)
    intensities = np.array([key[2] for key in keys])
    return _json(interval(got, lambda drawn: asked_versus_got(intensities, drawn), n_draw=n_draw))


def _confusion(
    sheets: Sequence[Sheet], emotions: Sequence[str], labels: Sequence[str]
) -> dict[str, Any]:
    found = confusion(Sheet.beside(sheets).probabilities, list(emotions), labels=labels)
    return {
        "asked": list(found.asked),
        "got": list(found.got),
        "n_answer": list(found.n_answer),
        "shares": found.shares.tolist(),
    }


def _mean(values: Float64) -> float:
    return float(values.mean())


def _perplexity(surprise: Float64) -> float | None:
    """Geometric mean over the answers that have one, of nats or of differences of nats."""
    known = surprise[~np.isnan(surprise)]
    return float(np.exp(known.mean())) if len(known) else None


def _json(found: Interval | None) -> dict[str, float] | None:
    return None if found is None else asdict(found)


# -- as a table ----------------------------------------------------------------------------

COLUMNS = (
    "emotion", "condition", "intensity", "EPS", "EAS", "top-1", "perplexity", "loops", "length",
    "disclaimers", "refusals", "rho",
)  # fmt: skip


def to_markdown(found: Mapping[str, Any], *, caption: str) -> str:
    """The rows of `findings` as a table, the last ones over all emotions, under its caption.

    ``caption``: what was asked of which model, and how; what the columns mean is added to it.
    """
    top = max(row["intensity"] for row in found["rows"] if row["condition"] == VECTOR)
    lines = [
        "# Whether steering works",
        "",
        f"{caption} {_meaning(found)}",
        "",
        f"| {' | '.join(COLUMNS)} |",
        f"|{'---|' * 3}{'---:|' * (len(COLUMNS) - 3)}",
    ]
    for row in found["rows"]:
        at_top = row["condition"] == VECTOR and row["intensity"] == top
        rho = found["asked_versus_got"].get(row["emotion"]) if at_top else None
        cells = (
            (row["emotion"] or "all").replace("|", "\\|"),
            row["condition"],
            f"{row['intensity']:g}",
            _cell(row["eps"]),
            _cell(row["eas"], digits=0),
            _cell(row["specificity"]),
            _cell(row["perplexity"]),
            f"{100 * row['collapse']:.0f} %",
            _cell(row["length"]),
            f"{100 * row['disclaimer']:.0f} %",
            f"{100 * row['refusal']:.0f} %",
            _cell(rho) if at_top and row["emotion"] is not None else "",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _meaning(found: Mapping[str, Any]) -> str:
    plain = found["unsteered"]
    perplexity = "none" if plain["perplexity"] is None else f"{plain['perplexity']:.3g}"
    few = " With fewer than 20 questions they are somewhat too narrow."
    return (
        f"In brackets: 95 % bootstrap intervals over {found['n_question']} questions, "
        f"{found['n_draw']} draws.{few if found['n_question'] < 20 else ''} "
        "EPS: mean probability of the emotion asked for; EAS: 100 (1 - that of neutral); top-1: "
        "share of answers whose likeliest label is the one asked for; all by a text classifier "
        f"with the labels {', '.join(found['labels'])}, not by people. Perplexity: of the answer, "
        "after the prompt that it was given, under the unsteered model; it and length (words) are "
        f"ratios to the unsteered answers, which have perplexity {perplexity} and "
        f"{plain['words']:.3g} words. Rho: Spearman's, of intensity and probability, over the "
        "unsteered answers and all intensities of the vector. Intensity: in units of each "
        "emotion's top dose. Random vector: another direction for each emotion, as long in each "
        "layer."
    )


def _cell(found: Mapping[str, float] | None, *, digits: int = 2) -> str:
    if found is None:
        return "-"
    estimate, low, high = (f"{found[key]:.{digits}f}" for key in ("estimate", "low", "high"))
    return f"{estimate} [{low}, {high}]"

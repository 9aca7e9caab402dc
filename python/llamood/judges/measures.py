"""The measures by which anyone sees whether steering works, over numbers from a judge or a probe.

Probabilities have shape ``(..., n_label)``: any axes of answers, then the labels of the judge.
With the questions as the first axis, `llamood.intervals` says how far a measure can be trusted.

A measure that good data leave undefined (a correlation with a constant, say) is None. Data that
make no sense, and empty data, raise `LlamoodError`.

EPS and EAS are those of arXiv 2502.04075. Correlations are scipy's (extra ``eval``),
which is loaded when it is first needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from llamood.errors import LlamoodError
from llamood.extras import to_install

NEUTRAL = "neutral"

Float64 = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

_T = TypeVar("_T", bound=np.generic)

_ROUNDING = 1e-6  # what a float32 softmax may stray beyond 0..1


@dataclass(frozen=True, eq=False)
class Confusion:
    """What was got for what was asked.

    ``asked``: the n_asked labels that were asked at all, in the judge's order. ``got``: its
    n_label labels. ``n_answer``: answers for each label asked. ``shares``: read-only
    (n_asked, n_label); ``shares[a, g]`` of the answers to ``asked[a]`` have the top label
    ``got[g]``, so each row sums to 1.
    """

    asked: tuple[str, ...]
    got: tuple[str, ...]
    n_answer: tuple[int, ...]
    shares: Float64


@dataclass(frozen=True)
class MacroAuroc:
    """``macro``: the mean of ``each`` label's AUROC, 0..1, None if there is none.

    ``left_out``: labels that all texts have, or none.
    """

    macro: float | None
    each: Mapping[str, float]
    left_out: tuple[str, ...]


def emotion_probability(
    probabilities: npt.ArrayLike, asked: npt.ArrayLike, *, labels: Sequence[str]
) -> float:
    """EPS: the mean probability of the emotion asked, 0..1.

    ``asked``: one label, or an array of labels that fits the axes of answers as in numpy's
    broadcasting: for ``(n_question, n_emotion, n_label)``, the n_emotion labels.
    """
    rows = _probabilities(probabilities, labels)
    columns = _columns(asked, labels, rows.shape[:-1])
    return float(np.take_along_axis(rows, columns[..., np.newaxis], axis=-1).mean())


def emotion_strength(
    probabilities: npt.ArrayLike, *, labels: Sequence[str], neutral: str = NEUTRAL
) -> float:
    """EAS: how emotional the answers are, whatever the emotion; mean of 1 - P(neutral), 0..100."""
    return 100.0 * (1.0 - emotion_probability(probabilities, neutral, labels=labels))


def specificity(
    probabilities: npt.ArrayLike, asked: npt.ArrayLike, *, labels: Sequence[str]
) -> float:
    """Share of answers whose top label is the one asked, 0..1.

    ``asked``: as for `emotion_probability`. Of equal probabilities the first is the top.
    """
    rows = _probabilities(probabilities, labels)
    return float((rows.argmax(axis=-1) == _columns(asked, labels, rows.shape[:-1])).mean())


def confusion(
    probabilities: npt.ArrayLike, asked: npt.ArrayLike, *, labels: Sequence[str]
) -> Confusion:
    """The top labels got for each label asked; arguments as for `specificity`."""
    rows = _probabilities(probabilities, labels)
    counts = np.zeros((len(labels), len(labels)), dtype=np.intp)  # asked, got
    np.add.at(counts, (_columns(asked, labels, rows.shape[:-1]), rows.argmax(axis=-1)), 1)
    n_answer = counts.sum(axis=1)
    occurs = n_answer > 0
    shares = counts[occurs] / n_answer[occurs, np.newaxis]
    shares.flags.writeable = False
    return Confusion(
        asked=tuple(label for label, n in zip(labels, n_answer, strict=True) if n),
        got=tuple(labels),
        n_answer=tuple(n_answer[occurs].tolist()),
        shares=shares,
    )


def asked_versus_got(intensities: npt.ArrayLike, got: npt.ArrayLike) -> float | None:
    """Spearman's rho of intensity asked and probability got, for one emotion, -1..1.

    ``got``: (..., n_intensity), in all n_question * n_intensity points. ``intensities``:
    (n_intensity,), or the shape of ``got``. None if either is the same in all points.
    """
    y = _numbers(got, "probabilities got")
    x = _fitted(_numbers(intensities, "intensities"), y.shape, "intensities")
    if (x == x.flat[0]).all() or (y == y.flat[0]).all():
        return None
    rank = _stats().rankdata  # ten times as fast as spearmanr, which also finds a p-value
    return float(np.corrcoef(rank(x.ravel()), rank(y.ravel()))[0, 1])


def topic_adherence(questions: npt.ArrayLike, answers: npt.ArrayLike) -> Float64:
    """Cosine of each question's embedding with its answer's, (n,), each -1..1.

    ``questions``, ``answers``: (n, n_embd), of the same texts in the same order. An
    embedding that is all zero has cosine 0.
    """
    a = _numbers(questions, "embeddings of questions")
    b = _numbers(answers, "embeddings of answers")
    if a.ndim != 2 or a.shape != b.shape:
        raise LlamoodError(
            f"embeddings of questions have shape {a.shape}, of answers {b.shape}; "
            "expected (n, n_embd) twice"
        )
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosines = (a * b).sum(axis=1) / np.where(lengths == 0, 1.0, lengths)
    return np.asarray(cosines.clip(-1.0, 1.0), dtype=np.float64)


def auroc(scores: npt.ArrayLike, is_label: npt.ArrayLike) -> float | None:
    """How surely a score tells texts of a label from the rest, 0..1; 0.5 is chance.

    The probability that a text of the label scores higher than one of the rest; equal
    scores count half. ``scores``: (n,), any scale. ``is_label``: bool (n,). None where no
    text, or every text, has the label.
    """
    values = _numbers(scores, "scores")
    of_label = np.asarray(is_label)
    if values.ndim != 1 or of_label.shape != values.shape or of_label.dtype != np.bool_:
        raise LlamoodError(
            f"scores have shape {values.shape}, is_label has {of_label.shape} of type "
            f"{of_label.dtype}; expected (n,) and (n,) of type bool"
        )
    n_of_label = int(of_label.sum())
    n_rest = len(of_label) - n_of_label
    if n_of_label == 0 or n_rest == 0:
        return None
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]  # equal scores share the mean rank
    above = ranks[of_label].sum() - n_of_label * (n_of_label + 1) / 2  # the U of Mann and Whitney
    return float(above / (n_of_label * n_rest))


def macro_auroc(
    scores: npt.ArrayLike, truth: Sequence[str], *, labels: Sequence[str]
) -> MacroAuroc:
    """The `auroc` of each label against the rest, and their mean.

    ``scores``: (n, n_label), columns as in ``labels``. ``truth``: what each of the n texts
    is; a text whose truth has no column counts with the rest for every label.
    """
    names = _labels(labels)
    values = _numbers(scores, "scores")
    if values.shape != (len(truth), len(names)):
        raise LlamoodError(
            f"scores have shape {values.shape}, expected {(len(truth), len(names))}: "
            f"{len(truth)} texts, {len(names)} labels"
        )
    is_label = np.array(truth, dtype=np.str_)[:, np.newaxis] == np.array(names)
    found = {label: auroc(values[:, i], is_label[:, i]) for i, label in enumerate(names)}
    each = {label: area for label, area in found.items() if area is not None}
    return MacroAuroc(
        macro=float(np.mean(list(each.values()))) if each else None,
        each=MappingProxyType(each),
        left_out=tuple(label for label, area in found.items() if area is None),
    )


def _stats() -> Any:
    try:
        from scipy import stats
    except ImportError:
        raise LlamoodError(
            f"this measure needs scipy, which is not installed: {to_install('eval')}"
        ) from None
    return stats


def _numbers(given: npt.ArrayLike, what: str) -> Float64:
    """As float64, at least one number, all finite."""
    try:
        array = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise LlamoodError(f"{what} are not one array of numbers: {error}") from None
    if array.size == 0:
        raise LlamoodError(f"{what} have shape {array.shape}, expected at least one number")
    if not np.isfinite(array).all():
        n = int((~np.isfinite(array)).sum())
        raise LlamoodError(f"{what} have {n} NaN or infinite of {array.size}, expected none")
    return array


def _probabilities(given: npt.ArrayLike, labels: Sequence[str]) -> Float64:
    """(..., n_label), 0..1; rows need not sum to 1, for a judge may give several labels."""
    rows = _numbers(given, "probabilities")
    n_label = len(_labels(labels))
    if rows.ndim < 2 or rows.shape[-1] != n_label:
        raise LlamoodError(
            f"probabilities have shape {rows.shape}, expected (..., {n_label}) for "
            f"the labels {', '.join(labels)}"
        )
    if rows.min() < -_ROUNDING or rows.max() > 1 + _ROUNDING:
        raise LlamoodError(
            f"probabilities are {rows.min():g} to {rows.max():g}, expected 0 to 1; "
            "logits must go through a softmax first"
        )
    return rows


def _labels(labels: Sequence[str]) -> tuple[str, ...]:
    names = tuple(labels)
    if isinstance(labels, str) or not names or len(set(names)) != len(names):
        raise LlamoodError(f"labels are {labels!r}, expected different names, at least one")
    return names


def _columns(asked: npt.ArrayLike, labels: Sequence[str], shape: tuple[int, ...]) -> Indices:
    """The column of the label asked for each answer, of this shape."""
    names = np.asarray(asked, dtype=np.str_)
    column = {label: i for i, label in enumerate(labels)}
    unknown = sorted(set(names.flat) - set(column))
    if unknown:
        raise LlamoodError(
            f"{', '.join(unknown)} was asked, expected some of the labels {', '.join(labels)}"
        )
    columns = np.array([column[name] for name in names.flat], dtype=np.intp)
    return _fitted(columns.reshape(names.shape), shape, "asked")


def _fitted(array: npt.NDArray[_T], shape: tuple[int, ...], what: str) -> npt.NDArray[_T]:
    try:
        return np.broadcast_to(array, shape)
    except ValueError:
        raise LlamoodError(
            f"the shape of {what} is {array.shape}, expected one that fits {shape}"
        ) from None

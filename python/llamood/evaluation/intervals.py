"""How far a measure can be trusted: bootstrap intervals over questions.

The percentile bootstrap of Efron and Tibshirani, "An Introduction to the Bootstrap" (1993),
chapter 13. Answers to one question resemble each other, so all of them are drawn together; taken
as independent they would make the intervals too narrow. With fewer than about 20 questions
intervals are still somewhat too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from llamood.errors import LlamoodError

FEWEST_DRAWS = 100  # of fewer, only one or two lie beyond each end of a 95 % interval

Indices = npt.NDArray[np.intp]
Statistic = Callable[[npt.NDArray[Any]], float | None]


@dataclass(frozen=True)
class Interval:
    """A statistic with its confidence interval, from ``low`` to ``high``.

    ``undefined``: share of the draws that leave the statistic undefined, 0..1. They do not
    count, so where it is not small the interval is too narrow.
    """

    estimate: float
    low: float
    high: float
    undefined: float = 0.0


def interval(
    values: npt.ArrayLike,
    statistic: Statistic,
    *,
    level: float = 0.95,
    n_draw: int = 2000,
    seed: int = 0,
) -> Interval | None:
    """The interval of a statistic, drawing questions with all that belongs to them.

    ``values``: (n_question, ...), at least two questions. Where a statistic needs several
    arrays, give the indices of the questions. ``statistic``: takes as many rows of
    ``values``, some of them repeated; gives a number, or None (or NaN) where it is undefined.
    ``level``: how often such intervals hold the truth, between 0 and 1.

    None where the statistic of ``values`` themselves is undefined, or that of every draw.
    Raises `LlamoodError` for fewer questions, another level, or under `FEWEST_DRAWS` draws.
    """
    array = _questions(values, "values")
    return _bootstrap(
        lambda drawn: statistic(array[drawn]), len(array), level=level, n_draw=n_draw, seed=seed
    )


def ratio_interval(
    values: npt.ArrayLike,
    base: npt.ArrayLike,
    statistic: Statistic,
    *,
    level: float = 0.95,
    n_draw: int = 2000,
    seed: int = 0,
) -> Interval | None:
    """The interval of ``statistic(values) / statistic(base)``, drawing the same questions in both.

    Both have the same questions in the same order, so what a question does to both cancels
    out. The ratio is undefined where the statistic of ``base`` is 0. Otherwise as `interval`.
    """
    array, below = _questions(values, "values"), _questions(base, "base")
    if len(array) != len(below):
        raise LlamoodError(
            f"values have {len(array)} questions and base has {len(below)}, "
            "expected the same questions in both"
        )

    def ratio(drawn: Indices) -> float | None:
        numerator, denominator = statistic(array[drawn]), statistic(below[drawn])
        return numerator / denominator if numerator is not None and denominator else None

    return _bootstrap(ratio, len(array), level=level, n_draw=n_draw, seed=seed)


def _questions(values: npt.ArrayLike, what: str) -> npt.NDArray[Any]:
    array = np.asarray(values)
    if array.ndim == 0 or len(array) < 2:
        raise LlamoodError(
            f"{what} have shape {array.shape}, expected (n_question, ...) with 2 questions or more"
        )
    return array


def _bootstrap(
    measure: Callable[[Indices], float | None],
    n_question: int,
    *,
    level: float,
    n_draw: int,
    seed: int,
) -> Interval | None:
    """``measure`` takes indices of questions, of shape (n_question,).

    Not scipy's bootstrap: that draws numbers, not rows, and gives NaN as soon as one draw is
    undefined, or (with BCa) where all draws agree, as for a share that is 0 throughout.
    """
    if not 0 < level < 1:
        raise LlamoodError(f"level is {level}, expected a number between 0 and 1")
    if n_draw < FEWEST_DRAWS:
        raise LlamoodError(f"n_draw is {n_draw}, expected {FEWEST_DRAWS} or more")
    estimate = measure(np.arange(n_question))
    if estimate is None or not math.isfinite(estimate):
        return None
    rng = np.random.default_rng(seed)
    drawn = (measure(rng.integers(n_question, size=n_question)) for _ in range(n_draw))
    draws = [draw for draw in drawn if draw is not None and math.isfinite(draw)]
    if not draws:
        return None
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(estimate), float(low), float(high), 1 - len(draws) / n_draw)

"""What a mood will come to at each token of an answer, before there is one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from llamood.errors import MoodError
from llamood.moods.mood import Rows
from llamood.moods.performance import Performance
from llamood.moods.steering import Notice, Steering


@dataclass(frozen=True, eq=False)
class Forecast:
    """``asked`` and ``applied``: float32 (n_token, n_emotion), the weights that are asked for, and
    what limits and inertia leave of them. ``notices``: what limits take away, in words."""

    asked: Rows
    applied: Rows
    notices: tuple[str, ...]


def forecast(steering: Steering, *, n_token: int) -> Forecast:
    """Of the first ``n_token`` tokens of an answer that begins neutral, and in which none of the
    texts appears that the mood listens for, and nothing is read that it waits for. Raises
    `MoodError` for a mood that holds a reading, whose weights depend on what is read."""
    for name in steering.regulators:
        raise MoodError(name, "holds a reading, so that its weights cannot be foreseen")
    notices: list[Notice] = []
    n_emotion = len(steering.names)
    performance = Performance(
        steering, position=0, before=np.zeros(n_emotion), notice=notices.append
    )
    rows = [performance.row(token) for token in range(n_token)]
    asked, applied = np.array(rows).reshape(n_token, 2, n_emotion).swapaxes(0, 1)
    told = {notice.what: notice.text for notice in reversed(notices)}
    return Forecast(asked, applied, tuple(reversed(told.values())))

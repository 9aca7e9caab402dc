"""A mood over the tokens of one answer: what was asked and what is applied at each of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from llamood.moods.mood import Rows
from llamood.moods.phrase_matcher import PhraseMatcher
from llamood.moods.regulator import Regulation
from llamood.moods.steering import Blend, Notice, Steering, rounded
from llamood.vectors.emotion_vectors import Float64

BLOCK = 256  # tokens that are evaluated ahead
MOST_AHEAD = 2**31  # where nothing need be heard

# Of the positions from the first on, before the second: emotion -> smoothed z-score, or nothing.
Reading = Callable[[int, int], Mapping[str, float]]


class Performance:
    """The rows of one answer. Token 0 is the last one of the prompt, at ``position``.

    ``before``: the weights (n_emotion,) that were applied last, as multiples of the vectors as
    stored; where the mood has inertia it moves on from there. ``notice`` is told what a limit
    takes away. ``reading``: what is read, which a mood that holds readings must have.

    Rows never depend on how many are asked for at once. Where readings are held, the row of a
    token can be asked for only once the token before it was decoded; a reading is that of the
    answer, from its position on.
    """

    def __init__(
        self,
        steering: Steering,
        *,
        position: int,
        before: Float64,
        notice: Callable[[Notice], None],
        reading: Reading | None = None,
    ) -> None:
        self.steering = steering
        self.is_felt = not steering.mood.is_neutral  # until now, at some token
        self.position = position
        self.spoken = -1  # the last token that was decoded, as far as is known
        self._begin = 0  # the token at which this mood began
        self._before = before
        self._notice = notice
        self._reading = reading
        self._asked: list[Float64] = []
        self._limited: list[Float64] = []
        self._applied: list[Float64] = []
        self._scale: list[Float64] = []  # of each token, the units of its vectors
        self._held: list[Mapping[str, Regulation]] = []
        self._softened: list[tuple[int, float]] = []  # from which token on, what is left
        self._matcher = PhraseMatcher()

    @property
    def start(self) -> int:
        """The position from which the prompt is steered."""
        return 0 if self.steering.mood.positions == "all" else self.position

    @property
    def listens(self) -> bool:
        """Whether generated tokens must be heard."""
        return self.steering.mood.listens

    @property
    def n_heard(self) -> int:
        """Generated tokens that have been heard."""
        return self._matcher.n_heard

    @property
    def is_foreseen(self) -> bool:
        """Whether the row of a token may be asked for before those before it are decoded."""
        return not self.steering.regulators

    def ahead(self, token: int) -> int:
        """How many tokens from ``token`` on need not be heard before they are decoded."""
        return 0 if self.listens else MOST_AHEAD

    def change(self, steering: Steering, token: int) -> None:
        """Another mood from ``token`` on, where its own token 0 is. Whatever a mood's function
        raises there leaves all as it was."""
        self._fill(token)
        self._forget(token)
        before = self.steering, self._begin
        self.steering, self._begin = steering, token
        try:
            if steering.mood.listens:
                self._fill(token + 1)
        except BaseException:
            self.steering, self._begin = before
            raise
        self.is_felt = self.is_felt or not steering.mood.is_neutral

    def soften(self, token: int, factor: float) -> None:
        """Go back to ``token``, the last one that is kept, and leave only ``factor`` of the mood,
        0 to 1, from there on; of a mood that steers the prompt too, from its beginning on."""
        self._forget(token)
        self._matcher.forget(token)
        self._begin = min(self._begin, token)
        self.spoken = min(self.spoken, token - 1)
        first = 0 if self.steering.mood.positions == "all" else token
        self._softened = [each for each in self._softened if each[0] < first]
        self._softened.append((first, factor))

    def hear(self, token: int, *, piece: bytes) -> None:
        """The text of generated token ``token`` (from 1 on), the next to hear or one to hear
        anew, which takes those after it back."""
        if self.steering.mood.listens:
            self._forget(max(token, self._begin))  # what was played under another mood stays
            self._matcher.forget(token - 1)
            self._matcher.hear(piece, self.steering.texts)

    def blend(self, token: int) -> Blend:
        """What is added at ``token``."""
        if self.steering.still is not None and self._factor(token) == 1:
            return self.steering.still
        return self.steering.blend(self._row(token) * self._factor(token))

    def block(self, token: int, n: int) -> tuple[Rows, npt.NDArray[np.int64]]:
        """Of ``n`` tokens from ``token`` on, at most `ahead`: the weights applied, float32
        (n, n_emotion), and the keys of their blends."""
        self._fill(token + n)
        rows = rounded(np.array(self._applied[token : token + n]) * self._factor(token))
        known: dict[bytes, int] = {}
        keys = np.zeros(n, dtype=np.int64)
        for i, row in enumerate(rows):
            bits = row.tobytes()
            if bits not in known:
                known[bits] = self.steering.blend(row).key
            keys[i] = known[bits]
        return rows, keys

    def is_still(self, token: int) -> bool:
        """Whether what is added changes no more from ``token`` on."""
        if self.steering.still is not None:
            return True
        if not self.steering.mood.is_constant or token == 0:
            return False
        goal = self.steering.beginning.limited[0]  # of which a factor leaves as much, everywhere
        return bool((rounded(self._row(token - 1)) == rounded(goal)).all())

    def row(self, token: int) -> tuple[Rows, Rows]:
        """The weights asked and those applied at ``token``, float32 (n_emotion,) each."""
        applied = self._row(token) * self._factor(token)
        return rounded(self._of(self._asked, token)), rounded(applied)

    def mixes(self, token: int) -> tuple[dict[str, float], dict[str, float]]:
        """`row` by emotion, without those of 0."""
        self._fill(token + 1)
        if self._is_resting(token) and self._factor(token) == 1:
            asked, applied = self.steering.resting_mixes
            return asked.copy(), applied.copy()
        asked, applied = (self.steering.named(row) for row in self.row(token))
        return asked, applied

    def overdose(self, token: int) -> float | None:
        """How many times as much as reads fluently is added at ``token``, see
        `Steering.overdose`."""
        factor = self._factor(token)
        if self._is_resting(token):
            rest = self.steering.resting_overdose
            return None if rest is None else rest * factor
        return self.steering.overdose(self._row(token) * factor)

    def after(self, token: int) -> Float64:
        """The weights applied at ``token``, as multiples of the vectors as stored."""
        factor = self._factor(token)
        if self._is_resting(token):
            return self.steering.resting if factor == 1 else self.steering.resting * factor
        return self._row(token) * factor / self._scale[token]

    def _is_resting(self, token: int) -> bool:
        return self.steering.still is not None and token >= self._begin

    def _factor(self, token: int) -> float:
        return next((left for first, left in reversed(self._softened) if first <= token), 1.0)

    # -- rows, made as they are needed -----------------------------------------------------

    def _row(self, token: int) -> Float64:
        return self._of(self._applied, token)

    def _of(self, rows: Sequence[Float64], token: int) -> Float64:
        self._fill(token + 1)
        return rows[token]

    def _forget(self, n: int) -> None:
        for rows in (self._asked, self._limited, self._applied, self._scale, self._held):
            del rows[n:]

    def _fill(self, n: int) -> None:
        """Make the rows before ``n``, and some more where they are known already."""
        begin = len(self._applied)
        if n <= begin:
            return
        if not self.steering.mood.listens and n > 1:
            n = max(n, begin + BLOCK)
        if self.is_foreseen:
            self._extend(begin, n, {})
        else:
            for token in range(begin, n):
                self._extend(token, token + 1, self._regulated(token))

    def _extend(self, begin: int, n: int, held: Mapping[str, Regulation]) -> None:
        """Make the rows from ``begin``, the first that is missing, to ``n``."""
        tokens = np.arange(begin, n) - self._begin
        weights = {name: state.weight for name, state in held.items()}
        target = self.steering.target(tokens, self._matcher.heard().since(self._begin), weights)
        for notice in target.notices:
            self._notice(notice)
        units = self.steering.vectors.units
        last = (self._applied[-1] / self._scale[-1] if begin else self._before) * units
        kept = _kept(self.steering.mood.inertia)
        for asked, goal in zip(target.asked, target.limited, strict=True):
            last = goal + kept * (last - goal) if kept else goal
            self._asked.append(asked)
            self._limited.append(goal)
            self._applied.append(last)
            self._scale.append(units)
            self._held.append(held)

    # -- readings that are held ------------------------------------------------------------

    def _regulated(self, token: int) -> dict[str, Regulation]:
        """What holds each reading at ``token``, the one before it being decoded."""
        assert self._reading is not None
        read = self._reading(self.position, self.position + token)
        return {
            name: regulator.step(self._so_far(name, token), reading=read.get(name, math.nan))
            for name, regulator in self.steering.regulators.items()
        }

    def _so_far(self, name: str, token: int) -> Regulation:
        """The state that a regulator goes on from: what was really applied counts."""
        regulator = self.steering.regulators[name]
        at, units = self.steering.names.index(name), self.steering.vectors.units
        if token == 0:  # no answer begins with what was felt before it, unless that is asked for
            inert = self.steering.mood.inertia is not None
            return regulator.start(self._before[at] * units[at] if inert else regulator.expected)
        if token == self._begin:
            return regulator.start(self.after(token - 1)[at] * units[at])
        state, factor = self._held[token - 1][name], self._factor(token - 1)
        asked, limited, applied = (
            rows[token - 1][at] for rows in (self._asked, self._limited, self._applied)
        )
        return regulator.follow(
            state,
            allowed=state.weight + (limited * factor - asked),
            weight=state.weight + (applied * factor - asked),
        )


def _kept(inertia: float | None) -> float:
    """What one token leaves of the distance to what is asked."""
    return 0.0 if inertia is None else float(0.5 ** (1 / inertia))

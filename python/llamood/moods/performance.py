"""A mood over the tokens of one answer: what was asked and what is applied at each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from llamood import _core
from llamood.moods.steering import Notice, Steering
from llamood.vectors.emotion_vectors import Float64

BLOCK = 256  # tokens that are evaluated ahead
MOST_AHEAD = 2**31  # where nothing need be heard

# Of the positions from the first on, before the second: emotion -> smoothed z-score, or nothing.
Reading = Callable[[int, int], Mapping[str, float]]
# Of the text that is answered: emotion -> mean z-score, or nothing.
Said = Callable[[], Mapping[str, float]]


class Performance(_core.Performance):
    """The rows of one answer. Token 0 is the last one of the prompt, at ``position``.

    ``before``: the weights (n_emotion,) that were applied last, as multiples of the vectors as
    stored; where the mood has inertia it moves on from there. ``notice`` is told what a limit
    takes away. ``reading`` and ``said``: what is read, for a mood that goes by it; nothing, unless
    they are given.

    Rows never depend on how many are asked for at once. Where readings are held or waited for, the
    row of a token can be asked for only once the token before it was decoded; a reading is that of
    the answer, from its position on.
    """

    def __init__(
        self,
        steering: Steering,
        *,
        position: int,
        before: Float64,
        notice: Callable[[Notice], None],
        reading: Reading | None = None,
        said: Said | None = None,
    ) -> None:
        super().__init__(steering, before, position)
        self.steering = steering
        self.spoken = -1  # the last token that was decoded, as far as is known
        self.notice = notice  # asked by the core, as the others are
        self.reading = reading or _nothing_read
        self.said = said or _nothing_read

    def ahead(self, token: int) -> int:
        """How many tokens from ``token`` on need not be heard before they are decoded."""
        return 0 if self.listens else MOST_AHEAD

    def change(self, steering: _core.Steering, token: int) -> None:
        """Another mood from ``token`` on, where its own token 0 is. Whatever a mood's function
        raises there leaves all as it was."""
        super().change(steering, token)
        assert isinstance(steering, Steering)
        self.steering = steering


def _nothing_read(*positions: int) -> Mapping[str, float]:
    return {}

"""How much of prompts is read in a step: where others speak what takes as long as their tokens.

A step takes as many tokens of prompts as a batch has room for, and whoever speaks waits for all of
them: of a long prompt seconds for a token. So prompts get as much of the time as those who speak.
Who comes while nobody speaks waits for a step, too, which so has a limit.
"""

from __future__ import annotations

# Tokens of prompts in a step, however long they take: of fewer a prompt takes many steps, and with
# two of them eight who ask at once were answered a third slower.
LEAST = 8
FIRST = 64  # where nothing is known yet
LONGEST = 0.5  # seconds of a step in which nobody speaks, unless `FIRST` takes longer
MOST = 2**20  # tokens: more than any batch
_KEPT = 0.8  # of what was measured before, at each step


class Pace:
    """Told of each step, in one thread."""

    def __init__(self) -> None:
        self._alone: float | None = None  # seconds of a step without prompts
        self._seconds = 0.0  # that prompts took, and
        self._n = 0.0  # so many tokens of them; both less the longer ago they were

    def room(self, *, is_said: bool) -> int:
        """Tokens of prompts that one step may have; ``is_said``: somebody speaks."""
        seconds, least = (self._alone, LEAST) if is_said else (LONGEST, FIRST)
        if seconds is None or not self._n:
            return FIRST if is_said else MOST
        return max(int(min(seconds * self._n / max(self._seconds, 1e-9), MOST)), least)

    def stepped(self, seconds: float, *, n_said: int, n_read: int) -> None:
        """A step had tokens of so many voices that speak, and so many tokens of prompts."""
        if n_read:
            took = seconds - (self._alone or 0.0) if n_said else seconds
            self._seconds = _KEPT * self._seconds + max(took, 0.0)
            self._n = _KEPT * self._n + n_read
        elif self._alone is None:
            self._alone = seconds
        else:
            self._alone = _KEPT * self._alone + (1 - _KEPT) * seconds

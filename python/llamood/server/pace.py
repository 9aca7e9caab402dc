"""How much of prompts is read in a step: where others speak what takes as long as their tokens.

A step takes as many tokens of prompts as a batch has room for, and whoever speaks waits for all of
them: of a long prompt seconds for a token. So prompts get as much of the time as those who speak.
Who comes while nobody speaks waits for a step, too, which so has a limit.
"""

from __future__ import annotations

# Tokens of prompts in a step at least, as fewer take hardly less time. Where they take longer than
# prompts may, none are read in the steps after it.
LEAST = 8
FIRST = 48  # where nothing is known yet
LONGEST = 0.1  # seconds of a step in which nobody speaks, unless `FIRST` takes longer
MOST = 2**20  # tokens: more than any batch
_KEPT = 0.8  # of what was measured before, at each step


class Pace:
    """Told of each step, in one thread."""

    def __init__(self) -> None:
        self._alone: float | None = None  # seconds of a step without prompts
        self._seconds = 0.0  # that prompts took, and
        self._n = 0.0  # so many tokens of them; both less the longer ago they were
        self._due = 0.0  # seconds that prompts may take beside who speaks

    def room(self, *, is_said: bool) -> int:
        """Tokens of prompts that one step may have; ``is_said``: somebody speaks."""
        if not self._n:
            return FIRST if is_said else MOST
        each = max(self._seconds / self._n, 1e-9)
        if not is_said:
            return max(int(min(LONGEST / each, MOST)), FIRST)
        if self._alone is None:
            return FIRST
        n = int(min(self._due / each, MOST))
        return n if n >= LEAST else 0

    def stepped(self, seconds: float, *, n_said: int, n_read: int) -> None:
        """A step had tokens of so many voices that speak, and so many tokens of prompts."""
        took = 0.0
        if n_read:
            took = max(seconds - (self._alone or 0.0) if n_said else seconds, 0.0)
            self._seconds = _KEPT * self._seconds + took
            self._n = _KEPT * self._n + n_read
        elif self._alone is None:
            self._alone = seconds
        else:
            self._alone = _KEPT * self._alone + (1 - _KEPT) * seconds
        if n_said:
            alone = self._alone or 0.0
            least = (LEAST + 1) * self._seconds / self._n if self._n else 0.0
            due = max(self._due - took, -LONGEST) + alone  # one step that hung is soon paid
            self._due = min(due, max(alone, least))

"""How much of prompts is read in a step: where others speak what takes as long as their tokens.

A step takes as many tokens of prompts as a batch has room for, and whoever speaks waits for all of
them: of a long prompt seconds for a token. So prompts get as much of the time as those who speak.
Who comes while nobody speaks waits for a step, too, which so has a limit.
"""

from __future__ import annotations

# Tokens of prompts in a step at least, as fewer take hardly less time. Where they take longer than
# prompts may, none are read in the steps after it.
LEAST = 8
FIRST = 48  # beside who speaks while nothing is known yet; and at least where nobody speaks
LONGEST = 0.1  # seconds of a step in which nobody speaks, unless `FIRST` takes longer
MOST = 2**20  # tokens: more than any batch
IN_A_ROW = 16  # steps with prompts, after which one has none, so that it is known what it takes
_KEPT = 0.8  # of what was measured before, at each step
_BELIEVED = 4.0  # times what was measured before: what takes longer hung


class Pace:
    """Told of each step, in one thread."""

    def __init__(self) -> None:
        self._alone: float | None = None  # seconds of a step without prompts
        self._seconds = 0.0  # that prompts took, and
        self._n = 0.0  # so many tokens of them; both less the longer ago they were
        self._due = 0.0  # seconds that prompts may take beside who speaks
        self._n_in_a_row = 0  # steps beside who speaks that had prompts

    @property
    def _each(self) -> float:
        """Seconds of a token of a prompt."""
        return max(self._seconds / self._n, 1e-9)

    def room(self, *, is_said: bool) -> int:
        """Tokens of prompts that one step may have; ``is_said``: somebody speaks."""
        if not self._n:
            return FIRST if is_said else MOST
        if not is_said:
            return max(int(min(LONGEST / self._each, MOST)), FIRST)
        if self._n_in_a_row >= IN_A_ROW:
            return 0
        if self._alone is None:
            return FIRST
        n = int(min(self._due / self._each, MOST))
        return n if n >= LEAST else 0

    def stepped(self, seconds: float, *, n_said: int, n_read: int, is_for_all: bool = True) -> None:
        """A step had tokens of so many voices that speak, ``is_for_all``: of all of them; and so
        many tokens of prompts."""
        alone = self._alone or 0.0
        took = 0.0
        if n_read:
            took = max(seconds - alone, 0.0) if n_said else seconds
            known = _BELIEVED * self._each * n_read if self._n else took
            self._seconds = _KEPT * self._seconds + min(took, max(known, LONGEST))
            self._n = _KEPT * self._n + n_read
        elif n_said and is_for_all and self._alone is None:
            self._alone = seconds
        elif n_said and is_for_all:
            seen = _KEPT * alone + (1 - _KEPT) * min(seconds, _BELIEVED * alone)
            self._alone = min(seen, _BELIEVED * seconds)
        if not n_said:
            return
        self._n_in_a_row = self._n_in_a_row + 1 if n_read else 0
        alone = self._alone or 0.0
        due = max(self._due - took, -LONGEST) + (alone if n_read else min(seconds, alone))
        self._due = min(due, max(alone, (LEAST + 1) * self._each if self._n else 0.0))

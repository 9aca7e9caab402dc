"""Looks at an answer while it is spoken, and takes the mood back where it collapses."""

from __future__ import annotations

from typing import Any

from .guard import Alarm, Backoff, Guard

GRID = 16  # tokens from one look to the next, until something is wrong


class Watch:
    """Hears the tokens of one answer, numbered from 1, and can hear some anew.

    It looks at every `GRID`-th token, so that those between them can be decoded without asking,
    and at every token once there was an alarm. What it says of a token depends on the tokens up
    to it and on nothing else.
    """

    def __init__(self) -> None:
        self._guard = Guard()
        self._backoffs = [Backoff()]  # of each token; of token 0 nothing was heard
        self._alarms: dict[int, Alarm] = {}  # by token, those that were looked at

    @property
    def n_heard(self) -> int:
        return len(self._backoffs) - 1

    def hear(self, token: int, *, token_id: int, piece: bytes) -> None:
        """The text of generated token ``token``, the next to hear or one to hear anew, which takes
        those after it back."""
        if token <= self.n_heard:
            self._guard.forget(token - 1)
            del self._backoffs[token:]
            self._alarms = {at: alarm for at, alarm in self._alarms.items() if at < token}
        alarm = self._guard.hear(token_id, piece=piece)
        backoff = self._backoffs[-1]
        if backoff.n_alarm or token % GRID == 0:
            if alarm is not None:
                self._alarms[token] = alarm
            backoff = backoff.after(alarmed=alarm is not None)
        self._backoffs.append(backoff)

    def factor(self, token: int) -> float:
        """What is left of the mood at ``token``, 0 to 1; beyond what was heard it is as it was."""
        return self._backoffs[min(token, self.n_heard)].factor

    def ahead(self, token: int) -> int:
        """How many tokens from ``token`` on need not be heard before they are decoded."""
        return 0 if self._backoffs[-1].n_alarm else -token % GRID

    def told(self, upto: int) -> dict[str, Any] | None:
        """JSON-able, None where all is well up to this token: of the first alarm its ``token``,
        ``kind`` and ``text``, the number of ``alarms``, and the ``factor`` that is left of the
        mood. (A draft model's guesses are heard beyond what is said in the end.)"""
        first = min(self._alarms, default=upto + 1)
        if first > upto:
            return None
        backoff = self._backoffs[min(upto, self.n_heard)]
        return {
            "token": first,
            "kind": self._alarms[first].kind,
            "text": self._alarms[first].text,
            "alarms": backoff.n_alarm,
            "factor": backoff.factor,
        }

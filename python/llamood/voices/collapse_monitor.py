"""Goes back to before an answer collapsed; it goes on in less of its mood, or is stopped."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

from llamood._core import Alarm, Guard
from llamood.errors import LlamoodError

Care = Literal["rescue", "stop"]
CARES: tuple[Care, ...] = get_args(Care)

# What is left of the mood after each rescue; an answer that loops without any is stopped. One that
# the model finds unlikely even then is its own way of speaking.
FACTORS = (0.5, 0.25, 0.0)
_SHARES = {0.5: "at half the dose", 0.25: "at a quarter of the dose", 0.0: "without the mood"}


def care_of(guard: bool | str) -> Care | None:
    """What ``guard=`` asks for: True is ``rescue``, False nothing. Raises `LlamoodError`."""
    if isinstance(guard, bool):
        return "rescue" if guard else None
    for care in CARES:
        if guard == care:
            return care
    raise LlamoodError(f"guard is {guard!r:.60}, expected 'rescue', 'stop', True or False")


class Rescue(NamedTuple):
    """An answer collapsed at ``token``, counted from 1, and goes back to the first ``kept`` tokens;
    it goes on with ``factor`` of its mood, or is over where that is None."""

    token: int
    kept: int
    factor: float | None
    alarm: Alarm

    @property
    def words(self) -> str:
        to = f"token {self.kept}" if self.kept else "its beginning"
        went = f"collapsed at token {self.token} ({self.alarm.text}); went back to {to}"
        on = "stopped there" if self.factor is None else f"went on {_SHARES[self.factor]}"
        return f"{went} and {on}"


class CollapseMonitor:
    """Hears the tokens of one answer in order as they are drawn, and says how many of them may be
    told. What it says depends on the tokens, and on the rescues before them, alone."""

    def __init__(self, care: Care) -> None:
        self._care = care
        self._guard = Guard()
        self._unheard: list[tuple[int, bytes]] = []  # taken since the last that was heard
        self._n_sound = 0
        self._rescues: list[Rescue] = []

    @property
    def n_sound(self) -> int:
        """How many tokens may be told: all, unless something smells; never fewer than before."""
        return self._n_sound

    def hear(
        self,
        token_id: int,
        *,
        piece: bytes,
        logprob: float | None = None,
        overdose: float | None = None,
    ) -> Rescue | None:
        """The next token, see `Guard.hear`. Where the answer has collapsed, the tokens that are not
        kept were never said."""
        guard = self._guard
        for taken, said in self._unheard:
            guard.hear(taken, piece=said)
        self._unheard.clear()
        if self._rescues and overdose is not None and overdose <= 1:
            overdose = None  # of an answer that collapsed nothing is presumed fluent
        alarm = guard.hear(token_id, piece=piece, logprob=logprob, overdose=overdose)
        is_last = len(self._rescues) == len(FACTORS)
        if is_last and alarm is not None and alarm.kind == "salad":
            self._n_sound = guard.n_heard
            return None
        if alarm is None:
            if guard.suspect_from is None:
                self._n_sound = guard.n_heard
            else:
                self._n_sound = max(self._n_sound, guard.suspect_from - 1)
            return None
        rescues = self._care == "rescue" and not is_last
        factor = FACTORS[len(self._rescues)] if rescues else None
        self._rescues.append(Rescue(guard.n_heard, self._n_sound, factor, alarm))
        guard.forget(self._n_sound)
        return self._rescues[-1]

    def take(self, token_id: int, *, piece: bytes) -> None:
        """The next token, which is told whatever it does to the answer, and so is listened to only
        where another is heard after it."""
        self._unheard.append((token_id, piece))
        self.pass_all()

    def pass_all(self) -> None:
        """All that was heard may be told: the answer is over, or there is no room to wait."""
        self._n_sound = self._guard.n_heard + len(self._unheard)

    @property
    def told(self) -> dict[str, Any] | None:
        """JSON-able; None where nothing collapsed. ``words``: what happened, for a person;
        ``factor``: what is left of the mood; ``stopped``: whether the answer was ended; of each
        of the ``rescues`` the ``token`` at which it was noticed, the number of tokens ``kept``,
        and the ``kind`` and ``text`` of what was heard (see `Alarm`)."""
        if not self._rescues:
            return None
        first, *more = (rescue.words for rescue in self._rescues)
        last = self._rescues[-1].factor
        before = FACTORS[len(self._rescues) - 2] if len(self._rescues) > 1 else 1.0
        return {
            "words": ". ".join([f"The answer {first}", *(f"It {again}" for again in more)]) + ".",
            "factor": before if last is None else last,
            "stopped": last is None,
            "rescues": [
                {
                    "token": rescue.token,
                    "kept": rescue.kept,
                    "kind": rescue.alarm.kind,
                    "text": rescue.alarm.text,
                }
                for rescue in self._rescues
            ],
        }

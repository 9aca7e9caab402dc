"""Conversations whose mood lives on from request to request."""

from __future__ import annotations

import secrets
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from llamood.moods.mood import Mood
from llamood.server.errors import ApiError
from llamood.server.session_folder import Kept, SessionFolder

KEPT = 600.0  # seconds without a request in which a session makes no room for others
_OWNERS = 8  # so many times as many as one may have are there at most


@dataclass(eq=False)
class Session:
    """``mood``: what was asked last; ``felt``: the weights applied last, as ``Character.felt``.
    ``on_change``: told of every change, in the thread that makes it."""

    name: str
    mood: Mood = field(default_factory=Mood)
    felt: Mapping[str, float] = field(default_factory=dict)
    on_change: Callable[[Session], None] = lambda session: None

    def asked(self, mood: Mood) -> None:
        self.mood = mood
        self.on_change(self)

    def has_felt(self, felt: Mapping[str, float]) -> None:
        self.felt = felt
        self.on_change(self)


class Sessions:
    """At most ``most`` of them of one owner; one that is not asked for in ``seconds`` is forgotten.
    Nobody sees those of another owner, and nobody's new session takes the place of one that was
    asked for in the last ``kept`` seconds. An owner whom others may pass for goes on by `known`
    alone, in what `begin` named. Used by one thread. ``folder``, where there is one, has them all,
    and those of before that are not too old."""

    def __init__(
        self,
        *,
        most: int,
        seconds: float,
        kept: float = KEPT,
        now: Callable[[], float] = time.monotonic,
        folder: SessionFolder | None = None,
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._kept = min(kept, seconds)
        self._now = now
        # Whose, and its name -> when it was asked for; the one of the longest ago first.
        self._known: OrderedDict[tuple[str, str], tuple[float, Session]] = OrderedDict()
        self._n_of: Counter[str] = Counter()
        self._folder = folder

    def restore(self, kept: Iterable[Kept]) -> None:
        """Sessions of before, the longest unused first."""
        ago = time.time() - self._now()
        for each in kept:
            session = self._new(each.owner, each.name)
            session.mood, session.felt = each.mood, each.felt
            self._known[each.owner, each.name] = (min(each.used - ago, self._now()), session)
        self._forget_old()

    def __len__(self) -> int:
        return len(self._known)

    def begin(self, *, owner: str = "") -> Session:
        """A new session, whose name nobody guesses. Raises `ApiError` where there is no room for
        another."""
        return self.get(secrets.token_urlsafe(24), owner=owner)

    def end(self, session: Session) -> None:
        """One that nobody was told of."""
        for key, (_, each) in self._known.items():
            if each is session:
                self._forget(key)
                return

    def known(self, name: str, *, owner: str = "") -> Session:
        """The session of this name. Raises `ApiError` where it is not known (any more)."""
        self._forget_old()
        if (owner, name) not in self._known:
            raise ApiError(
                404,
                "no session has this name (any more); begin one with session: true, and go on in "
                "it by the name that its answer has in llamood.session",
                param="llamood.session",
                code="session_not_found",
            )
        return self.get(name, owner=owner)

    def get(self, name: str, *, owner: str = "") -> Session:
        """The session of this name, a new one where it is not known (any more). Raises `ApiError`
        where there is no room for another."""
        self._forget_old()
        now, key = self._now(), (owner, name)
        if key in self._known:
            _, session = self._known.pop(key)
        else:
            self._make_room(owner, now)
            session = self._new(owner, name)
        self._known[key] = (now, session)
        session.on_change(session)
        return session

    def _new(self, owner: str, name: str) -> Session:
        self._n_of[owner] += 1
        folder = self._folder
        if folder is None:
            return Session(name)

        def keep(session: Session) -> None:
            folder.keep(Kept(owner, name, session.mood, session.felt, time.time()))

        return Session(name, on_change=keep)

    def _forget_old(self) -> None:
        now = self._now()
        while self._known:
            oldest, (used, _) = next(iter(self._known.items()))
            if now - used < self._seconds:
                break
            self._forget(oldest)

    def _make_room(self, owner: str, now: float) -> None:
        is_mine = self._n_of[owner] >= self._most
        if not is_mine and len(self._known) < self._most * _OWNERS:
            return
        oldest = next((key for key in self._known if not is_mine or key[0] == owner), None)
        if oldest is None or now - self._known[oldest][0] < self._kept:
            raise ApiError(
                429,
                "there are as many sessions as there may be, all of them asked for lately; go on "
                "in one of them, leave session out, or try again later",
                param="llamood.session",
                code="sessions_full",
                headers={"Retry-After": str(int(self._kept))},
            )
        self._forget(oldest)

    def _forget(self, key: tuple[str, str]) -> None:
        del self._known[key]
        if self._folder is not None:
            self._folder.forget(*key)
        self._n_of[key[0]] -= 1
        if not self._n_of[key[0]]:
            del self._n_of[key[0]]

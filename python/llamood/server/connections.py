"""Connections: how long each part of one may take, and who makes room for others."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import socket
import struct
import sys
from asyncio.trsock import TransportSocket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

# What a connection is at. head: a request is waited for, or has begun; body: a body is coming;
# thrown away: it is coming still though the request is answered; answering: a request is whole.
Phase = Literal["thrown away", "head", "body", "answering"]
_FIRST_TO_GO: tuple[Phase, ...] = ("thrown away", "head", "body")
_PAUSE = 48 * 2**10  # bytes that asyncio sends at least between a pause of writing and its end
_MOST_TICK = 1.0  # seconds between two looks
_MOST = 1000  # connections
# A part of them goes at once: to find who waits longest takes as long as to accept so many.
_ROOM = 50
AT_ONCE = 128  # connections are accepted, one after the other, before anything else is done
# That may wait to be accepted. Who finds no place there tries again after a second.
_BACKLOG = 1024
_OTHER_FILES = 64  # that a service has open


@dataclass(frozen=True, kw_only=True)
class Patience:
    """Seconds, bytes, and bytes a second. ``head``: from the connection, or the answer before, to
    the end of a head. ``body``: to the end of a body; the gate tells who is late, this is for what
    nobody reads. ``late`` and ``n_late``: how long, and how much, of a body comes in when its
    request is answered. ``unread``: in each such time ``slowest`` times as many bytes of answers
    that wait have to be taken. ``most``: connections at once."""

    head: float = 30.0
    body: float = 40.0
    late: float = 2.0
    n_late: int = 2**20
    unread: float = 30.0
    slowest: int = 512
    most: int = _MOST


def affordable() -> int:
    """How many connections this process can have open, for which it raises its limit of open files
    where it may: beyond that none could be accepted."""
    if sys.platform == "win32":
        return _MOST
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST + AT_ONCE + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        return max(soft - AT_ONCE - _OTHER_FILES, 1)
    return _MOST


def let_wait(sockets: Iterable[TransportSocket | socket.socket]) -> None:
    """Let as many wait to be accepted as is said here; asyncio accepts all that wait at once, and
    so has few wait."""
    for each in sockets:
        with each.dup() as listening:
            listening.listen(_BACKLOG)


def patient(patience: Patience) -> type[asyncio.Protocol]:
    """The protocol of connections that are closed when they take longer than that. uvicorn waits
    for ever: who opens many so takes all that there may be. Beyond ``most`` those that have waited
    longest without a whole request go, a few; those that are being answered stay."""

    return type("Connection", (_Watched,), {"_patience": patience, "_all": set()})


class _Watched(H11Protocol):
    _patience: Patience
    _all: set[_Watched]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._key: tuple[object, Phase] = (None, "head")
        self._since = self.loop.time()
        self._n_in = 0  # bytes of this phase
        self._n_left = 0  # bytes of answers that waited when they were looked at last
        self._n_taken = 0  # and that were taken since `_unread`
        self._unread = self._since
        self._all.add(self)
        if len(self._all) > self._patience.most:
            self._make_room()
        least = min(self._patience.head, self._patience.late, self._patience.unread)
        self._tick = min(_MOST_TICK, least / 4)
        self._timer = self.loop.call_later(self._tick, self._look)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._note()
        self._n_in += len(data)
        if self.phase == "thrown away" and self._n_in > self._patience.n_late:
            self._go()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._n_taken += _PAUSE

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self._all.discard(self)
        super().connection_lost(exc)

    @property
    def phase(self) -> Phase:
        theirs, ours = self.conn.their_state, self.conn.our_state
        if theirs is h11.IDLE:
            return "head"
        if theirs is not h11.SEND_BODY:
            return "answering"
        is_answered = ours not in (h11.IDLE, h11.SEND_RESPONSE, h11.SEND_BODY)
        return "thrown away" if is_answered else "body"

    def _note(self) -> None:
        """Whether another phase has begun."""
        key = (self.cycle, self.phase)
        if key != self._key:
            self._key, self._since, self._n_in = key, self.loop.time(), 0

    def _look(self) -> None:
        self._note()
        seconds: dict[Phase, float] = {
            "head": self._patience.head,
            "body": self._patience.body,
            "thrown away": self._patience.late,
        }
        took = self.loop.time() - self._since
        if self._is_unread_for_long():
            self._forget_unread()
            return
        if took > seconds.get(self.phase, float("inf")):
            self._go()
            return
        self._timer = self.loop.call_later(self._tick, self._look)

    def _is_unread_for_long(self) -> bool:
        """Whether what was answered is taken too slowly, which also keeps a closed connection."""
        now, n_left = self.loop.time(), self.transport.get_write_buffer_size()
        self._n_taken += max(self._n_left - n_left, 0)
        self._n_left = n_left
        is_slow = self._n_taken < self._patience.slowest * self._patience.unread
        if not n_left or now - self._unread > self._patience.unread:
            is_over, self._unread, self._n_taken = bool(n_left) and is_slow, now, 0
            return is_over
        return False

    def _make_room(self) -> None:
        """Let those go that have waited longest; who has answered requests before goes last."""

        def order(one: _Watched) -> tuple[bool, int, float]:
            return one.cycle is not None and one.phase == "head", _rank(one.phase), one._since

        waiting = [one for one in self._all - {self} if one.phase != "answering"] or [self]
        n = max(self._patience.most // _ROOM, 1)
        for one in heapq.nsmallest(n, waiting, key=order):
            one._go()

    def _forget_unread(self) -> None:
        """Go, and let the system forget what it holds for who does not read."""
        at_once = struct.pack("ii", 1, 0)
        with contextlib.suppress(OSError):
            connection = self.transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        self._go()

    def _go(self) -> None:
        """At once: what is not sent yet is not waited for, which may be for ever."""
        self._all.discard(self)
        self.transport.abort()


def _rank(phase: Phase) -> int:
    return _FIRST_TO_GO.index(phase)

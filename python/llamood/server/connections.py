"""Connections of clients who begin a request and do not go on."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol


def patient(seconds: float) -> type[asyncio.Protocol]:
    """The protocol of a connection that is closed where the head of a request does not come in
    this time. uvicorn waits for ever: who opens many so takes all that there may be."""

    class Connection(H11Protocol):
        _end: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            self._rest()

        def _wait(self) -> None:
            if self.conn.their_state is not h11.IDLE:
                self._rest()
            elif self._end is None:
                self._end = self.loop.call_later(seconds, self.transport.close)

        def _rest(self) -> None:
            if self._end is not None:
                self._end.cancel()
                self._end = None

    return Connection

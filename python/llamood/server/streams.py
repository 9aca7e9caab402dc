"""An answer in chunks, as server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from llamood.server.answers import Choice, Heard, Writer
from llamood.server.errors import ApiError, error_body
from llamood.voices.event import Event

SECONDS = 4.0  # of silence, while a place is waited for or a prompt is decoded
_ALIVE = b": still here\n\n"  # a comment, which readers of such streams leave out


async def chunks(
    writer: Writer,
    choices: Sequence[Choice],
    told: AsyncIterator[tuple[Choice, Event, Heard]],
    *,
    is_counted: bool,
    tells_all: bool,
) -> AsyncIterator[bytes]:
    """``tells_all``: also of tokens that add no text yet."""
    for choice in choices:
        opening = writer.opening(choice)
        if opening is not None:
            yield _event(opening)
    try:
        async for choice, event, heard in told:
            if heard.is_worth_telling or choice.reason or tells_all:
                yield _event(writer.chunk(choice, event, heard))
    except ApiError as error:
        yield _event(error.body())
        return
    except Exception:
        yield _event(error_body(500, "the server failed at this request"))
        raise
    if is_counted:
        yield _event(writer.closing(choices))
    yield b"data: [DONE]\n\n"


async def alive(said: AsyncIterator[bytes], *, seconds: float = SECONDS) -> AsyncIterator[bytes]:
    """What is said, and a comment wherever that is nothing for ``seconds``: so that no proxy takes
    the connection for dead."""
    awaited = None
    try:
        while True:
            awaited = awaited or asyncio.ensure_future(anext(said))
            done, _ = await asyncio.wait({awaited}, timeout=seconds)
            if not done:
                yield _ALIVE
                continue
            finished, awaited = awaited, None
            try:
                chunk = finished.result()
            except StopAsyncIteration:
                return
            yield chunk
    finally:
        if awaited is not None:
            awaited.cancel()
            await asyncio.gather(awaited, return_exceptions=True)


class Stream(StreamingResponse):
    """Its head is sent at once, before anything is said. ``done`` is called however it ends: also
    where the client went while it was being sent."""

    def __init__(self, said: AsyncIterator[bytes], done: Callable[[], None]) -> None:
        super().__init__(alive(said), media_type="text/event-stream")
        self.headers["cache-control"] = "no-cache"
        self.headers["x-accel-buffering"] = "no"  # nginx would hold chunks back
        self._done = done

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._done()


def _event(data: Mapping[str, Any]) -> bytes:
    return f"data: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()

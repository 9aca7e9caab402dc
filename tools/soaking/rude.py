"""Clients who leave, who read slowly, and who do not say what a service understands."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

sys.path.append(str(Path(__file__).resolve().parents[1] / "bench"))

from attacks import ODD, STRANGE

from soaking.answer import Cut, Refused, Wrong, events, streamed

if TYPE_CHECKING:
    from soaking.client import Client

_PAUSE = 0.1  # seconds between what a slow client reads
_NO_HTTP = (b"NOT HTTP\r\n\r\n", b"\0" * 300, b"GET / HTTP/9\r\n\r\n")
_ANSWER = 1.0  # seconds that he waits for a word
_ANSWERED = (200, 400, 404, 413, 422, 429, 503)


def _long(client: Client) -> dict[str, Any]:
    return {
        "messages": [{"role": "user", "content": f"A long story of {client.label}, please."}],
        "max_tokens": 200,
        "temperature": 1.2,
        "mood": "joy=0.6",
        "stream": True,
        "readings": True,
    }


async def gone(client: Client) -> None:
    """A stream of which he reads a little."""
    n = client.choose.randrange(1, 12)
    with _connected():
        async with client.line.sent(_long(client)) as response:
            async for line in response.aiter_lines():
                n -= line.startswith("data: ")
                if n <= 0:
                    break


async def cancelled(client: Client) -> None:
    """He waits for a while, and then no more."""
    body = {**_long(client), "stream": False, "n": client.choose.choice((1, 3))}
    seconds = client.choose.uniform(0.0, 0.6)
    with _connected(), contextlib.suppress(TimeoutError, asyncio.TimeoutError):
        await asyncio.wait_for(client.line.ask(body, stream=False, official=False), seconds)


async def slow(client: Client) -> None:
    """A stream that he reads line by line, with pauses: all of it is there at the end."""
    body = {**_long(client), "max_tokens": 24}
    with _connected():
        async with client.line.sent(body) as response:
            lines = []
            async for line in response.aiter_lines():
                lines.append(line)
                if len(lines) < 20:
                    await asyncio.sleep(_PAUSE)
        streamed(events(lines))


async def odd(client: Client) -> None:
    """A body that is wrong, deep or large: he is told so in words."""
    body = client.choose.choice(ODD)
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, told = await client.line.send(
        "POST",
        "/v1/chat/completions",
        content=data,
        headers={"Content-Type": "application/json"},
    )
    if status in (429, 503):
        raise Refused(status, told)
    is_told = isinstance(told, dict) and ("choices" in told or "message" in told.get("error", {}))
    if status not in _ANSWERED or not is_told:
        raise Wrong("failed", f"{data[:200]!r} was told {status}: {told!r:.200}")


async def strange(client: Client) -> None:
    """Bytes that are no request, or one that nobody should make: the connection ends."""
    sent = client.choose.choice((*STRANGE, *_NO_HTTP))
    service = client.place.service
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(sent)
        with contextlib.suppress(TimeoutError, asyncio.TimeoutError):
            await asyncio.wait_for(reader.read(2**16), _ANSWER)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
    except ConnectionError as error:
        raise Cut(repr(error)) from None


@contextlib.contextmanager
def _connected() -> Any:
    try:
        yield
    except httpx.TransportError as error:
        raise Cut(repr(error)) from None

"""Streams: what is sent before, and while, nothing is said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from test_server_faults import ENDLESS

import tiny_chat
from llamood.server.streams import alive
from servers import PATIENCE, serving


async def slowly(*parts: bytes | float) -> AsyncIterator[bytes]:
    """What is said, with the seconds between."""
    for part in parts:
        if isinstance(part, bytes):
            yield part
        else:
            await asyncio.sleep(part)


def heard(said: AsyncIterator[bytes], *, seconds: float) -> list[bytes]:
    async def gather() -> list[bytes]:
        return [chunk async for chunk in alive(said, seconds=seconds)]

    return asyncio.run(gather())


def test_silence_is_filled_with_comments_and_nothing_is_lost() -> None:
    said = heard(slowly(b"a", 0.5, b"b", b"c", 0.5), seconds=0.1)
    assert [chunk for chunk in said if not chunk.startswith(b":")] == [b"a", b"b", b"c"]
    first = said.index(b"b")
    assert first > 2  # some, while it was silent
    assert said[first + 1] == b"c"  # none, while it spoke
    assert all(chunk.endswith(b"\n\n") for chunk in said if chunk.startswith(b":"))


def test_who_speaks_all_the_time_is_left_alone() -> None:
    assert heard(slowly(b"a", b"b"), seconds=10) == [b"a", b"b"]


def test_a_fault_comes_through() -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"a"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        heard(failing(), seconds=1)


def test_what_is_awaited_is_given_up_with_it() -> None:
    ended = []

    async def endless() -> AsyncIterator[bytes]:
        try:
            await asyncio.sleep(PATIENCE)
            yield b"a"
        finally:
            ended.append(True)

    async def leave() -> None:
        said = alive(endless(), seconds=0.01)
        await anext(said)
        await said.aclose()  # type: ignore[attr-defined]

    asyncio.run(leave())
    assert ended == [True]


@pytest.mark.slow
def test_who_waits_for_a_place_hears_that_the_service_lives() -> None:
    """Its head at once, and a comment every few seconds."""
    how: dict[str, Any] = {"json": {**ENDLESS, "stream": True}, "timeout": PATIENCE}
    with serving(tiny_chat.MODEL, "--ctx", "8192", "--voices", "1") as server:
        url = f"{server.url}/v1/chat/completions"
        with httpx.stream("POST", url, **how), httpx.stream("POST", url, **how) as waiting:
            server.settles("llamood_waiting", 1)
            assert waiting.headers["x-accel-buffering"] == "no"
            assert waiting.headers["content-type"].startswith("text/event-stream")
            lines = (line for line in waiting.iter_lines() if line)
            assert '"role":"assistant"' in next(lines)
            alive_for = [next(lines), next(lines)]
            assert all(line.startswith(":") for line in alive_for)
            assert server.metric("llamood_waiting") == 1

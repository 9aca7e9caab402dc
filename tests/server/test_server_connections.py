"""Connections of clients who begin, and do not go on."""

from __future__ import annotations

import asyncio

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llamood.server.connections import patient
from servers import PATIENCE

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"


@pytest.mark.parametrize(
    ("begun", "answered"),
    [
        (b"", 0),
        (b"POST / HT", 0),
        (HEAD[:-2], 0),
        (HEAD + b"abc", 1),
        (HEAD + b"abc" + HEAD[:9], 1),
    ],
)
def test_who_does_not_go_on_is_not_waited_for(begun: bytes, answered: int) -> None:
    said = asyncio.run(_told(begun, then=b""))
    assert said.count(b"200 OK") == answered
    assert said.count(b"abc") == answered


def test_only_the_head_has_to_come_at_once() -> None:
    assert b"abc" in asyncio.run(_told(HEAD + b"a", then=b"bc"))


async def _told(begun: bytes, *, then: bytes) -> bytes:
    """What is answered until the connection is closed by the server."""
    seconds = 0.1
    app = Starlette(routes=[Route("/", _read, methods=["POST"])])
    config = uvicorn.Config(
        app, port=0, http=patient(seconds), timeout_keep_alive=1, log_config=None, lifespan="off"
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    (socket,) = server.servers[0].sockets
    reader, writer = await asyncio.open_connection(*socket.getsockname())
    writer.write(begun)
    if then:
        await asyncio.sleep(3 * seconds)
        writer.write(then)
    said = await asyncio.wait_for(reader.read(), PATIENCE)
    writer.close()
    server.should_exit = True
    await serving
    return said


async def _read(request: Request) -> Response:
    return Response(await request.body())

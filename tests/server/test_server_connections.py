"""Connections of clients who begin, and do not go on."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from llamood.server.connections import Patience, let_wait, patient
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


# Answered before its body has come.
EARLY = b"GET /early HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n"
IN_CHUNKS = b"GET /early HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("begun", "again"),
    [(EARLY, b"a"), (IN_CHUNKS, b"1\r\na\r\n"), (EARLY, b"a" * 60_000), (HEAD[:9], b"a")],
    ids=["length", "chunks", "flood", "head"],
)
def test_who_goes_on_for_ever_is_not_listened_to(begun: bytes, again: bytes) -> None:
    async def told() -> bytes:
        async with _serving(Patience(head=0.2, late=0.2)) as address:
            reader, writer = await asyncio.open_connection(*address)
            writer.write(begun)
            said = b""
            with contextlib.suppress(ConnectionError):
                while not reader.at_eof():
                    writer.write(again)
                    await writer.drain()
                    with contextlib.suppress(asyncio.TimeoutError):
                        said += await asyncio.wait_for(reader.read(1000), 0.02)
            writer.close()
            return said

    said = asyncio.run(asyncio.wait_for(told(), PATIENCE))
    assert said.count(b"200 OK") == (b"early" in begun)


def test_a_body_that_comes_after_the_answer_leaves_the_connection_open() -> None:
    async def told() -> bytes:
        async with _serving(Patience(late=PATIENCE)) as address:
            reader, writer = await asyncio.open_connection(*address)
            writer.write(EARLY.replace(b"3000000", b"3"))
            said = await reader.readuntil(b"early")
            writer.write(b"abc" + HEAD + b"xyz")
            said += await reader.readuntil(b"xyz")
            writer.close()
            return said

    assert asyncio.run(told()).count(b"200 OK") == 2


@pytest.mark.slow
@pytest.mark.parametrize("is_read", [False, True])
def test_an_answer_that_nobody_reads_is_given_up(is_read: bool) -> None:
    async def told() -> int:
        async with _serving(Patience(unread=0.3)) as address:
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
            connection.connect(address)
            with connection:
                connection.setblocking(False)
                loop = asyncio.get_running_loop()
                await loop.sock_sendall(connection, b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n")
                n = 0
                with contextlib.suppress(ConnectionError):
                    while n < LONG:
                        await asyncio.sleep(0 if is_read else 2)
                        got = len(await loop.sock_recv(connection, 2**20))
                        n += got
                        if not got:
                            break
                return n

    n = asyncio.run(asyncio.wait_for(told(), PATIENCE))
    assert (n >= LONG) == is_read


def test_who_has_waited_longest_makes_room() -> None:
    async def told() -> tuple[list[bytes], bytes]:
        async with _serving(Patience(most=3)) as address:
            begun = []
            for _ in range(5):
                begun.append(await asyncio.open_connection(*address))
                begun[-1][1].write(HEAD[:9])
                await asyncio.sleep(0.05)
            left = [await asyncio.wait_for(_rest(reader), PATIENCE) for reader, _ in begun[:2]]
            begun[-1][1].write(HEAD[9:] + b"abc")
            said = await asyncio.wait_for(begun[-1][0].readuntil(b"abc"), PATIENCE)
            for _, writer in begun:
                writer.close()
            return left, said

    left, said = asyncio.run(told())
    assert left == [b"", b""]
    assert b"200 OK" in said


def test_of_many_a_few_go_at_once_and_never_who_comes() -> None:
    async def told() -> list[bytes]:
        async with _serving(Patience(most=100)) as address, AsyncExitStack() as stack:
            begun = []
            for n in range(101):
                reader, writer = await asyncio.open_connection(*address)
                stack.callback(writer.close)
                writer.write(HEAD[:9] if n else b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
                begun.append((reader, writer))
                await asyncio.sleep(0.005)
            left = [await asyncio.wait_for(_rest(reader), PATIENCE) for reader, _ in begun[1:3]]
            for _, writer in begun[3:]:
                writer.write(HEAD[9:] + b"abc")
            for reader, _ in begun[3:]:
                left.append(await asyncio.wait_for(reader.readuntil(b"abc"), PATIENCE))
            return left

    said = asyncio.run(told())
    assert said[:2] == [b"", b""]
    assert all(b"200 OK" in each for each in said[2:])


def test_who_is_being_answered_makes_no_room() -> None:
    async def told() -> bytes:
        async with _serving(Patience(most=2)) as address:
            first, writer = await asyncio.open_connection(*address)
            writer.write(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
            others = []
            for _ in range(5):
                await asyncio.sleep(0.02)
                others.append(await asyncio.open_connection(*address))
            said = await asyncio.wait_for(first.readuntil(b"slow"), PATIENCE)
            for _, one in [*others, (first, writer)]:
                one.close()
            return said

    assert b"200 OK" in asyncio.run(told())


async def _rest(reader: asyncio.StreamReader) -> bytes:
    with contextlib.suppress(ConnectionError):
        return await reader.read()
    return b""


async def _told(begun: bytes, *, then: bytes) -> bytes:
    """What is answered until the connection is closed by the server."""
    seconds = 0.1
    async with _serving(Patience(head=seconds)) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(begun)
        if then:
            await asyncio.sleep(3 * seconds)
            writer.write(then)
        said = await asyncio.wait_for(_rest(reader), PATIENCE)
        writer.close()
        return said


LONG = 40 * 2**20  # bytes, more than the system holds for a connection


@contextlib.asynccontextmanager
async def _serving(patience: Patience) -> AsyncIterator[Any]:
    """The address of a server."""

    async def early(_: Request) -> Response:
        return Response("early")

    async def long(_: Request) -> Response:
        return Response(b"a" * LONG)

    async def slow(_: Request) -> Response:
        await asyncio.sleep(0.5)
        return Response("slow")

    routes = [Route("/early", early), Route("/long", long), Route("/slow", slow)]
    app = Starlette(routes=[*routes, Route("/", _read, methods=["POST"])])
    config = uvicorn.Config(
        app,
        port=0,
        http=patient(patience),
        timeout_keep_alive=1,
        log_config=None,
        lifespan="off",
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    (listening,) = server.servers[0].sockets
    yield listening.getsockname()
    server.should_exit = True
    await serving


async def _read(request: Request) -> Response:
    return Response(await request.body())


def test_many_may_wait_to_be_accepted() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1) as listening, ExitStack() as stack:
        let_wait([listening])
        for _ in range(100):  # one that finds no place is let wait for a second
            stack.enter_context(socket.create_connection(listening.getsockname(), 0.5))

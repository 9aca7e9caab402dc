"""The service while clients try to keep others out: they are sent away, others are answered."""

from __future__ import annotations

import json
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

import tiny_chat
from servers import PATIENCE, Server, serving

KEY = "a-key-of-the-tests"
N_CLIENT = 8
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(
        tiny_chat.MODEL, "--ctx", "2048", "--voices", "8", "--api-key", KEY, key=KEY
    ) as server:
        yield server


@pytest.fixture(autouse=True)
def is_well_after(server: Server) -> Iterator[None]:
    yield
    assert server.process.poll() is None
    server.settles("llamood_speaking", 0)
    server.settles("llamood_waiting", 0)
    assert not _said_500(server)


def _said_500(server: Server) -> bool:
    _, text = server.get("/metrics", Authorization=f"Bearer {KEY}")
    return 'status="500"' in text


@contextmanager
def answered(server: Server) -> Iterator[list[str]]:
    """Meanwhile a client asks the same again and again; what it was answered, which is the same in
    peace. It is answered at least once after the block."""
    said: list[str] = []
    is_over = threading.Event()

    def ask() -> None:
        with server.client() as client:
            while not is_over.is_set():
                answer = client.chat.completions.create(
                    model="tiny_chat",
                    messages=[{"role": "user", "content": "Tell me about bread."}],
                    max_tokens=4,
                    temperature=0,
                )
                said.append(str(answer.choices[0].message.content))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield said
        n = len(said)
        end = time.monotonic() + PATIENCE
        while len(said) < n + 2 and asking.is_alive() and time.monotonic() < end:
            time.sleep(0.01)
        assert len(said) >= n + 2
    finally:
        is_over.set()
        asking.join(PATIENCE)
    assert len(set(said)) == 1


def at_once(work: Callable[[], Any], n: int = N_CLIENT) -> list[Any]:
    found: list[Any] = []
    clients = [threading.Thread(target=lambda: found.append(work())) for _ in range(n)]
    for client in clients:
        client.start()
    for client in clients:
        client.join(2 * PATIENCE)
    assert len(found) == n
    return found


def ask(server: Server, **asked: Any) -> tuple[int, Any]:
    body = {"model": "tiny_chat", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 4}
    return server.post("/v1/chat/completions", body | asked, Authorization=f"Bearer {KEY}")


# -- connections ---------------------------------------------------------------------------------

_LENGTH = "Content-Length: 200000\r\n\r\n"
_KEYED = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\n"
# What is sent first, and then again and again.
DRIBBLED = {
    "answered": (f"GET /health HTTP/1.1\r\nHost: localhost\r\n{_LENGTH}", "a"),
    "not found": (f"POST /nothing HTTP/1.1\r\nHost: localhost\r\n{_LENGTH}", "a"),
    "not allowed": (f"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n{_LENGTH}", "a"),
    "another host": (f"GET /health HTTP/1.1\r\nHost: elsewhere\r\n{_LENGTH}", "a"),
    "in chunks": (
        "GET /health HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
        "1\r\na\r\n",
    ),
    "awaited": (f"{_KEYED}Content-Type: application/json\r\n{_LENGTH}", " "),
    "awaited in chunks": (
        f"{_KEYED}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        "1\r\n \r\n",
    ),
}


@pytest.mark.parametrize("kind", DRIBBLED)
def test_who_dribbles_a_body_is_sent_away(server: Server, kind: str) -> None:
    first, again = DRIBBLED[kind]
    host, port = server.url.removeprefix("http://").split(":")
    with answered(server), ExitStack() as stack:
        open_ones = []
        for _ in range(40 * N_CLIENT):
            one = stack.enter_context(socket.create_connection((host, int(port)), PATIENCE))
            one.sendall(first.encode())
            open_ones.append(one)
        end = time.monotonic() + PATIENCE
        while open_ones:
            assert time.monotonic() < end, f"{len(open_ones)} are open still"
            open_ones = [one for one in open_ones if not _is_closed(one, again.encode())]
            time.sleep(0.5)


def _is_closed(connection: socket.socket, sent: bytes) -> bool:
    try:
        connection.sendall(sent)
        while select.select([connection], [], [], 0)[0]:
            if not connection.recv(65536):
                return True
    except OSError:
        return True
    return False


def test_more_connections_than_there_can_be(server: Server) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with answered(server), ExitStack() as stack:
        for i in range(1500):
            one = stack.enter_context(socket.create_connection((host, int(port)), PATIENCE))
            if i % 2:
                one.sendall(b"GET /health HTT")


def test_what_is_wrong_again_and_again_is_written_once() -> None:
    with serving(tiny_chat.MODEL, "--ctx", "64", "--voices", "1") as server:
        host, port = server.url.removeprefix("http://").split(":")
        for _ in range(300):
            with socket.create_connection((host, int(port)), PATIENCE) as connection:
                connection.sendall(b"NOT HTTP\r\n\r\n")
                assert b" 400 " in connection.recv(1000)
        server.process.terminate()
        assert server.process.stderr is not None
        written = server.process.stderr.read()
        assert server.process.wait(PATIENCE) == 0
    assert written.count("Invalid HTTP request") == 1


# -- work before the queue -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    ["<|im_end|>" * 24_000, "x<|im_end|>" * 20_000, "<" * 240_000, "a" * 240_000, " " * 240_000],
    ids=lambda content: content[:12],
)
def test_a_prompt_that_is_far_too_long_takes_no_time_of_others(
    server: Server, content: str
) -> None:
    with answered(server):
        told = at_once(lambda: ask(server, messages=[{"role": "user", "content": content}]))
    assert {status for status, _ in told} <= {400, 429}
    refused = [body["error"] for status, body in told if status == 400]
    assert {error["code"] for error in refused} == {"context_length_exceeded"}
    assert {error["param"] for error in refused} == {"messages"}


def test_no_more_are_prepared_than_there_is_room_for(server: Server) -> None:
    long = [{"role": "user", "content": "a b " * 25_000}]
    with answered(server):
        told = at_once(lambda: ask(server, messages=long), n=64)
    assert {status for status, _ in told} <= {400, 429}


# -- grammars --------------------------------------------------------------------------------------

_TEXT = {"type": "string"}


def _object(**properties: Any) -> dict[str, Any]:
    names = list(properties)
    shape = {"type": "object", "properties": properties, "required": names}
    return {**shape, "additionalProperties": False}


def _doubling(n: int) -> dict[str, Any]:
    """Of which each level has two ways that begin alike."""
    inner: dict[str, Any] = {f"d{n}": {"type": "null"}}
    for i in range(n):
        deeper = {"$ref": f"#/$defs/d{i + 1}"}
        inner[f"d{i}"] = {"anyOf": [_object(a=deeper, b={"const": j}) for j in range(2)]}
    return {**_object(a={"$ref": "#/$defs/d0"}), "$defs": inner}


WIDE = {
    "enum": {"enum": [f"aaaa{i:04x}" for i in range(13_000)]},
    "optional": {
        "type": "object",
        "properties": {f"p{i}": _TEXT for i in range(400)},
        "additionalProperties": False,
    },
    "alike": {"anyOf": [_object(a=_TEXT, b={"const": i}) for i in range(300)]},
    "doubling": _doubling(20),
}


@pytest.mark.parametrize("kind", WIDE)
def test_a_schema_that_would_hold_everybody_up_is_refused(server: Server, kind: str) -> None:
    named = {"name": "a", "schema": WIDE[kind]}
    form = {"type": "json_schema", "json_schema": named}
    with answered(server):
        told = at_once(lambda: ask(server, response_format=form))
    assert {status for status, _ in told} <= {400, 429}
    refused = [body["error"] for status, body in told if status == 400]
    assert refused
    assert {error["param"] for error in refused} == {"response_format"}
    assert all("fewer values" in error["message"] for error in refused)


def test_answers_of_json_leave_voices_to_others(server: Server) -> None:
    with answered(server):
        told = at_once(
            lambda: ask(server, response_format={"type": "json_object"}, max_tokens=60), n=24
        )
    assert {status for status, _ in told} <= {200, 429}
    assert 200 in {status for status, _ in told}


def test_bodies_of_every_size_and_shape(server: Server) -> None:
    deep = json.dumps({"model": "tiny_chat", "messages": "x"}).replace('"x"', "[" * 100_000)
    many = [{"role": "user", "content": "hi"}] * 4096
    with answered(server):
        for asked in ({"messages": many}, {"stop": ["a" * 200] * 4}, {"mood": "joy=1," * 30_000}):
            told = at_once(lambda asked=asked: ask(server, **asked))
            assert {status for status, _ in told} <= {200, 400, 429}
        told = at_once(
            lambda: server.post(
                "/v1/chat/completions", deep.encode(), Authorization=f"Bearer {KEY}"
            )
        )
        assert {status for status, _ in told} == {400}

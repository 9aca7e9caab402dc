"""The service under load, and with clients that are rude, slow, gone or hostile."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

import llamood
import tiny_chat
from open_voices import random_vectors
from servers import PATIENCE, Server, serving

ASK: list[Any] = [{"role": "user", "content": "Tell me about bread."}]
_WORDS = {"const": "bread and butter " * 20}
# An answer that goes on until it is stopped, or there is no room for more.
ENDLESS: dict[str, Any] = {
    "model": "tiny_chat",
    "messages": ASK,
    "response_format": {
        "type": "json_schema",
        "json_schema": {
            "name": "long",
            "schema": {"type": "array", "items": _WORDS, "minItems": 400},
        },
    },
}
KEY = "a-key-of-the-tests"


@pytest.fixture(scope="module")
def small() -> Iterator[Server]:
    """Of two voices and a queue of two, which asks for a key."""
    options = ["--ctx", "8192", "--voices", "2", "--queue", "2", "--api-key", KEY]
    with serving(tiny_chat.MODEL, *options, key=KEY) as server:
        yield server


def settled(server: Server) -> None:
    server.settles("llamood_speaking", 0)
    server.settles("llamood_waiting", 0)


def test_beyond_the_queue_clients_are_sent_away(small: Server) -> None:
    with small.client() as client:
        streams = [client.chat.completions.create(**ENDLESS, stream=True) for _ in range(2)]
        small.settles("llamood_speaking", 2)
        waiting = [rude(small, ENDLESS) for _ in range(2)]
        small.settles("llamood_waiting", 2)
        with pytest.raises(openai.RateLimitError) as told:
            client.chat.completions.create(**ENDLESS)
        assert int(told.value.response.headers["retry-after"]) >= 1
        assert told.value.code == "queue_full"
        for one in waiting:
            one.close()
        small.settles("llamood_waiting", 0)
        for stream in streams:
            stream.close()
    settled(small)


def rude(server: Server, body: Any, *, headers: str = "", room: int | None = None) -> socket.socket:
    """A connection on which a request was sent, and nothing is read. ``room``: bytes that may come
    all the same."""
    host, port = server.url.removeprefix("http://").split(":")
    data = json.dumps(body).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {server.key}"
        f"\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n{headers}\r\n"
    )
    connection = socket.socket()
    if room is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    connection.settimeout(PATIENCE)
    connection.connect((host, int(port)))
    connection.sendall(head.encode() + data)
    return connection


@pytest.mark.parametrize("stream", [False, True])
def test_who_has_gone_takes_no_voice(small: Server, stream: bool) -> None:
    abandoned = small.metric("llamood_abandoned_total")
    connection = rude(small, {**ENDLESS, "stream": stream})
    small.settles("llamood_speaking", 1)
    connection.close()
    settled(small)
    assert small.metric("llamood_abandoned_total") == abandoned + 1


@pytest.mark.slow
def test_who_reads_slowly_holds_nobody_up() -> None:
    # More than lies on the way, for which the server's side alone has room for megabytes: each
    # chunk has the name.
    name = "name" * 3000
    long = {**ENDLESS, "model": name, "stream": True, "max_tokens": 200, "n": 3}
    with serving(tiny_chat.MODEL, "--name", name, "--ctx", "256", "--voices", "12") as server:
        connection = rude(server, long, room=2**17)
        server.settles("llamood_speaking", 3)
        with server.client() as client:
            answer = client.chat.completions.create(model=name, messages=ASK, max_tokens=8)
        assert answer.usage.completion_tokens
        settled(server)  # it was all said, though nobody read it
        said = b""
        while not said.endswith(b"0\r\n\r\n"):
            said += connection.recv(2**20)
        connection.close()
    assert len(said) > 6 * 2**20
    assert said.count(b'"finish_reason":"length"') == 3
    assert b"data: [DONE]" in said[-100:]


def test_only_with_the_key(small: Server) -> None:
    asked = {"model": "tiny_chat", "messages": ASK, "max_tokens": 2}
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {KEY}"}):
        status, body = small.post("/v1/chat/completions", asked, **headers)
        assert status == 401
        assert body["error"]["code"] == "invalid_api_key"
        assert small.get("/metrics", **headers)[0] == 401
    assert small.post("/v1/chat/completions", asked, Authorization=f"Bearer {KEY}")[0] == 200
    assert small.get("/health")[0] == 200


def test_large_bodies_are_not_read(small: Server) -> None:
    host, port = small.url.removeprefix("http://").split(":")
    head = (
        f"POST /v1/completions HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {KEY}\r\n"
        "Content-Type: application/json\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(f"{head}Content-Length: {2**40}\r\n\r\n".encode())
        assert b" 413 " in connection.recv(100)
    # Nor where the length is not told beforehand.
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        with contextlib.suppress(OSError):
            for _ in range(65):
                connection.sendall(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
        assert b" 413 " in connection.recv(100)


def test_another_name_is_refused(small: Server) -> None:
    for host in (
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1@evil.example",
        "localhost:1:2",
    ):
        status, body = small.get("/health", Host=host)
        assert status == 403
        assert json.loads(body)["error"]["code"] == "host"
        assert "--host-name" in json.loads(body)["error"]["message"]
    for host in ("localhost", "LocalHost:80", "127.0.0.1:1", "[::1]", "[::1]:8000"):
        assert small.get("/health", Host=host)[0] == 200


def test_what_asks_for_another_protocol_is_a_request_as_any(small: Server) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    assert small.get("/v1/models", **upgrade)[0] == 401
    assert small.get("/v1/models", Authorization=f"Bearer {KEY}", **upgrade)[0] == 200


def test_more_answers_than_there_will_ever_be_room_for(small: Server) -> None:
    with small.client() as client:
        how: dict[str, Any] = {"model": "tiny_chat", "messages": ASK, "max_tokens": 2}
        settled(small)
        assert len(client.chat.completions.create(**how, n=4).choices) == 4
        with pytest.raises(openai.BadRequestError, match="5 answers in one request, of at most 4"):
            client.chat.completions.create(**how, n=5)


def test_no_origin_is_allowed_unless_named(small: Server) -> None:
    asked = {"Origin": "http://a.example", "Access-Control-Request-Method": "POST"}
    with serving(
        tiny_chat.MODEL, "--ctx", "64", "--voices", "1", "--cors", "http://a.example"
    ) as server:
        assert server.send("OPTIONS", "/v1/completions", None, **asked)[0] == 200
        other = {**asked, "Origin": "http://b.example"}
        assert server.send("OPTIONS", "/v1/completions", None, **other)[0] == 400
    keyed = {"Authorization": f"Bearer {KEY}"}
    assert small.send("OPTIONS", "/v1/completions", None, **asked, **keyed)[0] == 405


@pytest.mark.slow
def test_answers_end_before_the_service_does() -> None:
    with serving(tiny_chat.MODEL, "--ctx", "512", "--voices", "1", "--grace", "30") as server:
        said: list[str] = []
        is_begun = threading.Event()

        def listen() -> None:
            with server.client() as client:
                for chunk in client.chat.completions.create(**ENDLESS, max_tokens=200, stream=True):
                    said.append(chunk.choices[0].finish_reason or "")
                    is_begun.set()

        listener = threading.Thread(target=listen)
        listener.start()
        assert is_begun.wait(PATIENCE)
        server.process.send_signal(signal.SIGTERM)
        listener.join(PATIENCE)
        assert said[-1] == "length"
        assert server.process.wait(PATIENCE) == 0


@pytest.mark.slow
def test_an_answer_that_takes_too_long_is_given_up() -> None:
    with serving(tiny_chat.MODEL, "--ctx", "60000", "--voices", "1", "--grace", "1") as server:
        connection = rude(server, ENDLESS)
        server.settles("llamood_speaking", 1)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE) == 0
        assert b" 200 " not in connection.recv(100)
        connection.close()


def test_a_model_that_does_not_load_ends_the_service(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(tiny_chat.MODEL.read_bytes()[:100_000])
    with (
        pytest.raises(AssertionError, match=r"damaged\.gguf"),
        serving(damaged, "-e", tiny_chat.VECTORS),
    ):
        pass


# -- sixteen clients, a third of them hostile ----------------------------------------------------


def hostile(server: Server, number: int, *, until: threading.Event) -> None:
    """Wrong requests of every kind, one after another."""
    choose = random.Random(number)
    cut: dict[str, Any] = {**ENDLESS, "stream": True}
    bad: list[dict[str, Any]] = [
        {"mood": "@/etc/passwd"},
        {"mood": {"joy": 1e308, "anger": -1e308}},
        {"mood": {"joy": {"drift": 1e300, "spread": 1e300, "return": 1e-300, "seed": 1}}},
        {"mood": {"joy": {"wave": [0, 1], "period": 5e-324}}},
        {"mood": {"joy": {"on": "e", "pulse": 1000}, "$dose": "relative"}},
        {"mood": {"anger": 900, "$positions": "all", "$max": 1e9}},
        {"stop": ["", "a"]},
        {"seed": 10**30},
        {"n": 10**9},
        {"messages": [{"role": "user", "content": "bread " * 5000}]},
        {"messages": [{"role": "user", "content": "<|im_end|>" * 20 + "{{ 7 * 7 }}\x1b[2J"}]},
        {"messages": [{"role": "wizard", "content": "x"}]},
        {
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "a", "schema": deep()},
            }
        },
        {"temperature": 2, "top_p": 0.0, "top_k": 1, "min_p": 1.0, "repeat_penalty": 10},
        {"frequency_penalty": -2, "presence_penalty": -2, "repeat_penalty": 1e-30},
    ]
    while not until.is_set():
        with contextlib.suppress(OSError):
            what = choose.randrange(4)
            if what == 0:
                with rude(server, cut) as connection:
                    connection.recv(choose.randrange(1, 2000))
            elif what == 1:
                with rude(server, cut, headers="Transfer-Encoding: chunked\r\n"):
                    pass
            elif what == 2:
                server.send("POST", "/v1/chat/completions", choose.randbytes(1000))
            else:
                asked = {
                    "model": "tiny_chat",
                    "messages": ASK,
                    "max_tokens": 8,
                    **choose.choice(bad),
                }
                status, _ = server.post("/v1/chat/completions", asked)
                assert status in (200, 400, 429), (status, asked)


def deep() -> Any:
    schema: Any = {"type": "boolean"}
    for _ in range(200):
        schema = {"type": "array", "items": schema}
    return schema


@pytest.mark.slow
def test_hostile_clients_disturb_no_answer(random_chat: Path, tmp_path: Path) -> None:
    # Of float32 all through: what else is in a batch must not move the last bits of an answer.
    llamood.save(random_vectors(random_chat, names=("joy", "anger")), tmp_path)
    moods: list[Any] = [{}, {"joy": 1}, {"anger": 1}, "anger=ramp(0,1,16)", {"joy": -0.7}]
    options = ["-e", tmp_path, "--ctx", "256", "--voices", "8", "--name", "tiny_chat"]
    with serving(random_chat, *options, exact=True) as server:

        async def ask(client: openai.AsyncOpenAI, number: int) -> str:
            answer = await client.chat.completions.create(
                model="tiny_chat",
                messages=[{"role": "user", "content": f"Tell me about bread, {number % 3} times."}],
                seed=number,
                max_tokens=24,
                extra_body={"mood": moods[number % len(moods)]},
            )
            return str(answer.choices[0].message.content)

        async def friendly() -> list[str]:
            async with server.client_async() as client:

                async def several(first: int) -> list[str]:
                    return [await ask(client, number) for number in range(first, first + 8)]

                said = await asyncio.gather(*(several(8 * i) for i in range(11)))
                return [text for texts in said for text in texts]

        in_peace = asyncio.run(friendly())
        until = threading.Event()
        faults: list[BaseException] = []

        def attack(number: int) -> None:
            try:
                hostile(server, number, until=until)
            except BaseException as fault:
                faults.append(fault)

        attackers = [threading.Thread(target=attack, args=(i,)) for i in range(5)]
        for attacker in attackers:
            attacker.start()
        try:
            time.sleep(0.5)
            at_war = asyncio.run(friendly())
        finally:
            until.set()
            for attacker in attackers:
                attacker.join(PATIENCE)
        assert at_war == in_peace
        assert not faults
        settled(server)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(PATIENCE) == 0


def test_a_port_that_is_taken_ends_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        arguments = ["serve", str(tiny_chat.MODEL), "--port", port, "--threads", "1"]
        program = [sys.executable, "-m", "llamood", *arguments]
        ended = subprocess.run(program, capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode == 1
    assert f"cannot listen at 127.0.0.1, port {port}: Address already in use" in ended.stderr
    assert "--port" in ended.stderr
    assert "Traceback" not in ended.stderr


_LATE = """
import asyncio
from llamood.cli import main
create = asyncio.base_events.BaseEventLoop.create_server

async def late(*what, **how):
    await asyncio.sleep(2)
    return await create(*what, **how)

asyncio.base_events.BaseEventLoop.create_server = late
main()
"""


@pytest.mark.slow
def test_a_model_that_is_loaded_before_anybody_listens_is_served() -> None:
    arguments = ["serve", str(tiny_chat.MODEL), "--port", "0", "--threads", "1"]
    program = [sys.executable, "-c", _LATE, *arguments]
    with subprocess.Popen(program, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        try:
            assert said.startswith("Serving"), said + process.stderr.read()
            url = next(word for word in said.split() if word.startswith("http"))
            status, _ = Server(process, url, [said]).get("/health")
            assert status == 200
        finally:
            process.kill()

"""What keeps others out of a service, or is to: each attack is one client that goes on for ever.

    python tools/bench/attacks.py ATTACK PORT

Only ever against one's own machine. They have the service's key: who has none gets less far.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

N_CLIENT = 8
N_TOKEN = 16
KEY = "bench"
JSON = "Content-Type: application/json\r\n"
KEYED = f"Host: localhost\r\nAuthorization: Bearer {KEY}\r\n{JSON}"
TEXT = {"type": "string"}
Client = Callable[[int], None]  # of a port


class Attack(NamedTuple):
    """``n``: how many such clients there are."""

    client: Client
    n: int = N_CLIENT


def ask(
    port: int, body: Mapping[str, Any] | bytes, *, path: str = "/v1/chat/completions"
) -> tuple[int, Any]:
    """Status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {KEY}"}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        connection.request("POST", path, data, headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def chat(**asked: Any) -> dict[str, Any]:
    said = [{"role": "user", "content": "Hi"}]
    return {"model": "demo", "messages": said, "max_tokens": N_TOKEN, **asked}


# -- requests -------------------------------------------------------------------------------------


def _asking(*bodies: Mapping[str, Any] | bytes, path: str = "/v1/chat/completions") -> Client:
    def client(port: int) -> None:
        for body in itertools.cycle(bodies):
            status, _ = ask(port, body, path=path)
            if status in (429, 503):
                time.sleep(0.1)  # sooner than it was told

    return client


def _said(content: str) -> Client:
    return _asking(chat(messages=[{"role": "user", "content": content}]))


def _schema(schema: Mapping[str, Any]) -> Client:
    named = {"name": "a", "schema": schema}
    return _asking(
        chat(response_format={"type": "json_schema", "json_schema": named}, max_tokens=64)
    )


def _object(*, is_required: bool = True, **properties: Any) -> dict[str, Any]:
    required = {"required": list(properties)} if is_required else {}
    shape = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**shape, **required}


def _chained(n: int) -> dict[str, Any]:
    """Each rule of it is settled by the next, in whatever order they stand."""
    links = {f"d{i}": _object(a={"$ref": f"#/$defs/d{i + 1}"}) for i in range(n)}
    all_of_them = {f"p{i}": {"$ref": f"#/$defs/d{i}"} for i in range(n, -1, -1)}
    return {**_object(**all_of_them), "$defs": {**links, f"d{n}": TEXT}}


def _spelled(n: int) -> dict[str, Any]:
    """The same part again and again, by as many names."""
    name = "abcdefghij"
    names = (
        "".join(f"%{ord(c):02x}" if i >> k & 1 else c for k, c in enumerate(name)) for i in range(n)
    )
    refs = {f"p{i}": {"$ref": f"#/$defs/{spelled}"} for i, spelled in enumerate(names)}
    part = _object(**{f"q{i}": TEXT for i in range(1000)})
    return {**_object(**refs), "$defs": {name: part}}


def _doubling(n: int) -> dict[str, Any]:
    parts: dict[str, Any] = {f"d{n}": {"type": "null"}}
    for i in range(n):
        deeper = {"$ref": f"#/$defs/d{i + 1}"}
        parts[f"d{i}"] = {"anyOf": [_object(a=deeper, b={"const": j}) for j in range(2)]}
    return {**_object(a={"$ref": "#/$defs/d0"}), "$defs": parts}


def _rare(n: int) -> dict[str, Any]:
    """Texts that no model would say, so that every token is held against every way."""
    return {"enum": ["".join(chr(0x13000 + 37 * i + j) for j in range(8)) for i in range(n)]}


def _new_sessions(port: int) -> None:
    for number in itertools.count():
        name = f"{threading.get_ident()} {number}"
        ask(port, chat(llamood={"session": name}, mood="joy=1", max_tokens=1))


def _new_prompts(port: int) -> None:
    """Long ones that nobody has asked before, and of which nobody waits for the answer."""
    for number in itertools.count():
        said = f"{threading.get_ident()} {number} " + "bread and butter " * 500
        body = json.dumps(chat(messages=[{"role": "user", "content": said}])).encode()
        with socket.create_connection(("127.0.0.1", port)) as one:
            one.sendall(_head("/v1/chat/completions", len(body)) + body)
            time.sleep(1)


def _nested(n: int, field: str) -> bytes:
    return json.dumps(chat()).encode()[:-1] + f', "{field}": {"[" * n}{"]" * n}}}'.encode()


ODD: Sequence[Mapping[str, Any] | bytes] = (
    chat(mood={"joy": 10**400}),
    chat(mood={"joy": "file:/etc/passwd"}),
    chat(mood="joy=@/etc/passwd"),
    chat(mood={"__class__": 1}),
    chat(mood={"\ud800": 1}),
    chat(mood="joy=" + "(" * 8000),
    chat(mood="joy=" + "ramp(0," * 1000 + "1,1" + ")" * 1000),
    chat(mood="joy=1," * 30_000),
    chat(seed=2**64),
    chat(temperature=1e-45),
    chat(stop=["a" * 200] * 64),
    chat(max_tokens=2**63),
    chat(n=128),
    chat(user="\ud800"),
    chat(tools=[{"type": "function", "function": {"name": "f"}}] * 128),
    chat(messages=[{"role": "user", "content": "hi"}] * 4096),
    chat(llamood={"session": "../../etc"}),
    _nested(900, "mood"),
    _nested(100_000, "mood"),
    b"[" * 100_000,
    b'{"model": "\xff\xfe"}',
    json.dumps(chat()).encode("utf-16"),
    b'{"seed": ' + b"9" * 5000 + b"}",
)
STEPS = {"joy": {"keys": [[i, 0.1] for i in range(500)]}}


# -- connections ----------------------------------------------------------------------------------


def _head(path: str, n: int) -> bytes:
    return f"POST {path} HTTP/1.1\r\n{KEYED}Content-Length: {n}\r\n\r\n".encode()


def _holding(first: bytes, again: bytes, *, n: int = 40) -> Client:
    """Connections held open, and opened again as they are closed."""

    def client(port: int) -> None:
        held: list[socket.socket] = []
        while True:
            while len(held) < n:
                one = socket.create_connection(("127.0.0.1", port))
                with contextlib.suppress(OSError):
                    one.sendall(first)
                held.append(one)
            time.sleep(0.5)
            held = [one for one in held if _is_open(one, again)]

    return client


def _is_open(one: socket.socket, again: bytes) -> bool:
    with contextlib.suppress(OSError):
        one.sendall(again)
        if not select.select([one], [], [], 0)[0] or one.recv(65536):
            return True
    one.close()
    return False


def _sending(*sent: bytes, again: bytes = b"", times: int = 0) -> Client:
    """One connection after the other, on which that is sent and what comes is read."""

    def client(port: int) -> None:
        for first in itertools.cycle(sent):
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", port), 10) as one,
            ):
                one.sendall(first)
                for _ in range(times):
                    one.sendall(again)
                one.recv(65536)

    return client


def _unread(port: int) -> None:
    """Streams that nobody reads."""
    asked = {"model": "demo", "prompt": "Bread is", "max_tokens": 200, "stream": True}
    body = json.dumps(asked).encode()
    while True:
        with socket.create_connection(("127.0.0.1", port)) as one:
            one.sendall(_head("/v1/completions", len(body)) + body)
            time.sleep(1)


def _opening(port: int) -> None:
    """Connections on which nothing is said."""
    while True:
        socket.create_connection(("127.0.0.1", port)).close()


def _got(path: str, *, host: str = "localhost", key: str = KEY) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n\r\n".encode()


LENGTH = b"Content-Length: 200000\r\n\r\n"
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"
STRANGE = (
    _got("/../../../../etc/passwd"),
    _got("/%2e%2e/%2e%2e/etc/passwd"),
    _got("/studio/..%5c..%5csecret"),
    _got("//localhost/v1/models"),
    _got("/v1/models/" + "a/" * 2000),
    _got("/v1/models", key="wrong"),
    _got("/v1/models", key="\xe9" * 200),
    _got("/health", host="elsewhere.example"),
    _got("/health", host="localhost\r\nHost: elsewhere.example"),
    _got("/" + "%00" * 1000),
)

ATTACKS: Mapping[str, Attack] = {
    # To compare with: who is answered takes his share, whatever he is up to.
    "none, but eight who ask as much": Attack(_asking(chat())),
    "bodies dribbled after an answer, 320 connections": Attack(_holding(HEALTH + LENGTH, b"a")),
    "bodies dribbled before it, 320 connections": Attack(
        _holding(_head("/v1/completions", 200_000), b" ")
    ),
    "chunks dribbled, 320 connections": Attack(
        _holding(HEALTH + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n")
    ),
    "heads that never end, 320 connections": Attack(_holding(HEALTH + b"X: ", b"a")),
    "silence, 1,600 connections": Attack(_holding(b"", b"", n=200)),
    "connections opened and closed": Attack(_opening),
    "no HTTP": Attack(_sending(b"NOT HTTP\r\n\r\n")),
    "heads of 100 kB": Attack(_sending(HEALTH + b"X: " + b"a" * 100_000 + b"\r\n\r\n")),
    "bodies of 100 MB": Attack(
        _sending(_head("/v1/completions", 10**8), again=b" " * 10**6, times=100)
    ),
    "bodies in chunks without an end": Attack(
        _sending(
            f"POST /v1/completions HTTP/1.1\r\n{KEYED}Transfer-Encoding: chunked\r\n\r\n".encode(),
            again=b"10000\r\n" + b" " * 65536 + b"\r\n",
            times=100,
        )
    ),
    "1,000 requests on a connection before an answer is read": Attack(
        _sending(_got("/health") * 1000)
    ),
    "keys, hosts and paths that are not there": Attack(_sending(*STRANGE)),
    "streams unread": Attack(_unread),
    "sessions, each new": Attack(_new_sessions),
    "bodies odd and deep": Attack(_asking(*ODD)),
    "moods of 500 steps foreseen": Attack(
        _asking({"mood": STEPS, "tokens": 1024}, path="/v1/mood/rows")
    ),
    "240 kB of special tokens, 44 at once": Attack(_said("<|im_end|>" * 24_000), 44),
    "240 kB of a word": Attack(_said("a" * 240_000)),
    "60 kB of words": Attack(_said("a b " * 15_000)),
    "long prompts, each new and given up": Attack(_new_prompts),
    "an enum of 13,000": Attack(_schema({"enum": [f"aaaa{i:04x}" for i in range(13_000)]})),
    "an enum of 120": Attack(_schema({"enum": [f"aaaa{i:04x}" for i in range(120)]})),
    "an enum of 120 that no model would say": Attack(_schema(_rare(120))),
    "400 optional properties": Attack(
        _schema(_object(is_required=False, **{f"p{i}": TEXT for i in range(400)}))
    ),
    "100 optional properties": Attack(
        _schema(_object(is_required=False, **{f"p{i}": TEXT for i in range(100)}))
    ),
    "ways that double": Attack(_schema(_doubling(20))),
    "a chain of 900 references": Attack(_schema(_chained(900))),
    "a reference in 900 spellings": Attack(_schema(_spelled(900))),
    "any JSON": Attack(_asking(chat(response_format={"type": "json_object"}, max_tokens=64))),
    "any JSON, every token as likely": Attack(
        _asking(chat(response_format={"type": "json_object"}, max_tokens=64, top_k=0))
    ),
}


def main(name: str, port: int) -> None:
    """Until this process is killed."""
    os.nice(19)  # as on another machine: what they compute takes little from the service
    attack = ATTACKS[name]

    def forever() -> None:
        while True:
            with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
                attack.client(port)

    clients = [threading.Thread(target=forever) for _ in range(attack.n)]
    for client in clients:
        client.start()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

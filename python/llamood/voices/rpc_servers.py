"""Servers of llama.cpp on other machines, which hold some of a model's layers and compute them.

llama.cpp itself waits for a server for ever, and ends the process where one fails. So each is asked
for a sign of life first, its connection is told to notice a machine that is gone, and where one
fails later the process ends with a line that says which servers it had.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import llama_cpp

from llamood import _core
from llamood.errors import ModelError
from llamood.voices.devices import gpus
from llamood.voices.ggml import function

PATIENCE = 5.0  # seconds until a server that says nothing counts as gone
_HELLO = struct.pack("<BQ24x", 14, 24)  # RPC_CMD_HELLO, and what it can do beyond TCP: nothing
_ANSWER = 8 + 28  # bytes
_DESCRIPTORS = Path("/proc/self/fd")  # of this process; Linux alone has it
_greeted: set[str] = set()  # where nothing tells whether a connection is still there


def endpoints(servers: str | Sequence[str]) -> tuple[str, ...]:
    """``host:port`` of each, from a text with commas or a sequence. Raises `ModelError` for what
    is none."""
    given = servers.split(",") if isinstance(servers, str) else list(servers)
    found = tuple(one.strip() for one in given)
    for one in found:
        host, colon, port = one.rpartition(":")
        if not (host and colon and port.isdecimal() and 0 < int(port) < 2**16):
            raise ModelError(f"{one!r:.100} is no server: expected host:port, as in 10.0.0.2:50052")
    if not found or len(set(found)) < len(found):
        raise ModelError(f"expected servers, each once, found {', '.join(found) or 'none'}")
    return found


def devices(servers: str | Sequence[str]) -> list[int]:
    """Addresses of the devices of these servers, and after them of the GPUs of this machine: what
    ``llama_model_params.devices`` takes, but for the null at its end. Raises `ModelError` where a
    server does not answer within `PATIENCE`, or llama.cpp was built without them."""
    asked = endpoints(servers)
    if not llama_cpp.llama_supports_rpc():
        raise ModelError(
            "this llama.cpp was built without servers on other machines; install it with them: "
            "CMAKE_ARGS=-DGGML_RPC=ON pip install --force-reinstall --no-binary :all: "
            f"llama-cpp-python=={llama_cpp.__version__}"
        )
    _core.end_where_servers_fail(", ".join(asked))
    add = function("ggml-rpc", "ggml_backend_rpc_add_server", ctypes.c_char_p)
    count = function(
        "ggml-base", "ggml_backend_reg_dev_count", ctypes.c_void_p, result=ctypes.c_size_t
    )
    get = function("ggml-base", "ggml_backend_reg_dev_get", ctypes.c_void_p, ctypes.c_size_t)
    found: list[int] = []
    for one in asked:
        if not _is_served(one):  # it has one client at a time, which may be this process already
            _require_life(one)
            _greeted.add(one)
        registry = add(one.encode())
        if registry is None:
            raise ModelError(f"the server {one} has no device")
        found += [get(registry, i) for i in range(count(registry))]
    return [*found, *(gpu.address for gpu in gpus() if gpu.address not in found)]


def notice_lost(servers: str | Sequence[str]) -> None:
    """Let the connections to these servers fail within seconds once their machine is gone, where
    the system can do that (Linux)."""
    for one in endpoints(servers):
        for connection in _connections(one):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 2)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 5000)


def _require_life(server: str) -> None:
    host, _, port = server.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
            connection.sendall(_HELLO)
            told = b""
            while len(told) < _ANSWER:
                more = connection.recv(_ANSWER - len(told))
                if not more:
                    raise ModelError(f"{server} is no server of llama.cpp: it hung up when greeted")
                told += more
    except TimeoutError:
        raise ModelError(
            f"the server {server} says nothing for {PATIENCE:g} seconds; it may serve another "
            "program, as one of llama.cpp has one at a time, or hang: look there"
        ) from None
    except OSError as error:
        raise ModelError(
            f"the server {server} cannot be reached: {error.strerror or error}; start one there "
            "(ggml-rpc-server, of the same llama.cpp)"
        ) from None


def _is_served(server: str) -> bool:
    """Whether it serves this process already."""
    return any(_connections(server)) if _DESCRIPTORS.is_dir() else server in _greeted


def _connections(server: str) -> Iterator[socket.socket]:
    """This process's own to a server; each is good until the next is asked for."""
    host, _, port = server.rpartition(":")
    with suppress(OSError):
        where = {entry[4][:2] for entry in socket.getaddrinfo(host, int(port))}
        for entry in list(_DESCRIPTORS.iterdir()):
            with _borrowed(int(entry.name)) as connection:
                if connection is not None and _peer_of(connection) in where:
                    yield connection


@contextmanager
def _borrowed(descriptor: int) -> Iterator[socket.socket | None]:
    """What is a socket, as one; it stays open afterwards."""
    copy = -1
    try:
        copy = os.dup(descriptor)
        connection = socket.socket(fileno=copy)
    except OSError:
        if copy >= 0:
            os.close(copy)
        yield None
        return
    with connection:
        yield connection


def _peer_of(connection: socket.socket) -> tuple[str, int] | None:
    try:
        address = connection.getpeername()
    except OSError:
        return None
    return (address[0], address[1]) if isinstance(address, tuple) else None

"""llama.cpp's RPC backend over loopback: a device whose memory the host cannot write.

``python rpc.py HOST PORT`` is the server; llama-cpp-python ships no program for it, only the
library, and that only where it was built with ``CMAKE_ARGS=-DGGML_RPC=ON``.
"""

from __future__ import annotations

import ctypes
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from llamood.voices.ggml import function, library

IS_THERE = library("ggml-rpc") is not None
SECONDS = 30
CPU = 0  # enum ggml_backend_dev_type


@dataclass(frozen=True)
class Server:
    """``device``: the address of its device. ``pid``: the process that has the device's memory."""

    device: int
    pid: int


@dataclass(frozen=True)
class Started:
    """A server process, and where it is: ``host:port``."""

    endpoint: str
    process: subprocess.Popen[bytes]


def serve(host: str, port: int) -> None:
    """Does not return."""
    by_type = function("ggml", "ggml_backend_dev_by_type", ctypes.c_int)
    start = function(
        "ggml-rpc",
        "ggml_backend_rpc_start_server",
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_size_t,
        ctypes.c_void_p,
        result=None,
    )
    devices = (ctypes.c_void_p * 1)(by_type(CPU))
    start(f"{host}:{port}".encode(), None, 1, 1, devices)


@contextmanager
def started(host: str = "127.0.0.1", port: int = 0) -> Iterator[Started]:
    """A server process, at a port of that address that is free unless one is named."""
    if port == 0:
        with socket.socket() as free:
            free.bind((host, 0))
            port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, __file__, host, str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(process, host, port)
        yield Started(f"{host}:{port}", process)
    finally:
        process.kill()
        process.wait()


@contextmanager
def server() -> Iterator[Server]:
    """A server process, and its device, which llama.cpp takes for one of this machine from then
    on."""
    with started() as there:
        add = function("ggml-rpc", "ggml_backend_rpc_add_server", ctypes.c_char_p)
        get = function("ggml-base", "ggml_backend_reg_dev_get", ctypes.c_void_p, ctypes.c_size_t)
        register = function("ggml", "ggml_backend_register", ctypes.c_void_p, result=None)
        registry = add(there.endpoint.encode())
        register(registry)
        yield Server(get(registry, 0), there.process.pid)


def wait_for(process: subprocess.Popen[bytes], host: str, port: int) -> None:
    end = time.monotonic() + SECONDS
    while True:
        try:
            socket.create_connection((host, port), timeout=1).close()
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))

"""llama.cpp's RPC backend over loopback: a device whose memory the host cannot write.

``python rpc.py PORT`` is the server; llama-cpp-python ships no program for it, only the library,
and that only where it was built with ``CMAKE_ARGS=-DGGML_RPC=ON``.
"""

from __future__ import annotations

import ctypes
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import llama_cpp

FOLDER = Path(llama_cpp.__file__).parent / "lib"
LIBRARIES = {name: FOLDER / f"libggml{name}.so" for name in ("", "-base", "-rpc")}
IS_THERE = LIBRARIES["-rpc"].is_file()
SECONDS = 30
CPU = 0  # enum ggml_backend_dev_type


def library(name: str, function: str, *arguments: type, returns: bool = True) -> Any:
    found = getattr(ctypes.CDLL(str(LIBRARIES[name])), function)
    found.argtypes, found.restype = arguments, ctypes.c_void_p if returns else None
    return found


def serve(port: int) -> None:
    """Does not return."""
    by_type = library("", "ggml_backend_dev_by_type", ctypes.c_int)
    start = library(
        "-rpc",
        "ggml_backend_rpc_start_server",
        ctypes.c_char_p,
        ctypes.c_char_p,
        ctypes.c_size_t,
        ctypes.c_size_t,
        ctypes.c_void_p,
    )
    devices = (ctypes.c_void_p * 1)(by_type(CPU))
    start(f"127.0.0.1:{port}".encode(), None, 1, 1, devices)


@contextmanager
def device() -> Iterator[int]:
    """The address of a device in a server process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, __file__, str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(server, port)
        add = library("-rpc", "ggml_backend_rpc_add_server", ctypes.c_char_p)
        get = library("-base", "ggml_backend_reg_dev_get", ctypes.c_void_p, ctypes.c_size_t)
        register = library("", "ggml_backend_register", ctypes.c_void_p, returns=False)
        registry = add(f"127.0.0.1:{port}".encode())
        register(registry)
        yield get(registry, 0)
    finally:
        server.kill()
        server.wait()


def wait_for(server: subprocess.Popen[bytes], port: int) -> None:
    end = time.monotonic() + SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if server.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


if __name__ == "__main__":
    serve(int(sys.argv[1]))

"""Functions of ggml that llama_cpp has no binding for, in the very libraries that it has loaded."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from pathlib import Path
from typing import Any

import llama_cpp

_SUFFIX = {"darwin": ".dylib", "win32": ".dll"}.get(sys.platform, ".so")


@cache
def library(part: str) -> ctypes.CDLL | None:
    """``ggml``, ``ggml-base`` or a backend's, ``ggml-rpc`` say; None where it was not built."""
    folder = Path(llama_cpp.__file__).parent / "lib"
    found = [*folder.glob(f"lib{part}{_SUFFIX}"), *folder.glob(f"{part}{_SUFFIX}")]
    return ctypes.CDLL(str(found[0])) if found else None


def function(part: str, name: str, *arguments: Any, result: Any = ctypes.c_void_p) -> Any:
    """A C function. Raises FileNotFoundError where llama-cpp-python has not got its library."""
    loaded = library(part)
    if loaded is None:
        raise FileNotFoundError(
            f"llama-cpp-python has no {part} library; reinstall it with CMAKE_ARGS of its backend"
        )
    found = loaded[name]  # of its own, so that nobody else's types are changed
    found.argtypes, found.restype = arguments, result
    return found

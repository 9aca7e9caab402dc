"""The texts of single tokens, byte by byte."""

from __future__ import annotations

import ctypes
from typing import Any

import llama_cpp

from llamood.errors import ModelError


def token_piece(vocab: Any, token: int) -> bytes:
    """The text of a token of llama.cpp's vocabulary. Raises `ModelError` beyond 64 KiB."""
    for size in (32, 512, 65_536):
        buffer = ctypes.create_string_buffer(size)
        n = llama_cpp.llama_token_to_piece(vocab, token, buffer, size, 0, False)
        if n >= 0:
            return buffer.raw[:n]
    raise ModelError(f"token {token} has a text longer than 64 KiB")

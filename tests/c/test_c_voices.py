"""Voices of a stage that is stepped by a program in C++."""

from __future__ import annotations

import tiny_chat
from c_library import program, run


def test_voices_that_are_stepped() -> None:
    run(program("voices"), tiny_chat.MODEL, tiny_chat.VECTORS)

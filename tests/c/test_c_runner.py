"""A stage that steps in a thread of its own, in C++."""

from __future__ import annotations

import tiny_chat
from c_library import program, run


def test_a_stage_that_steps_by_itself() -> None:
    run(program("by_itself"), tiny_chat.MODEL, tiny_chat.VECTORS)

"""Models that speak in a mood: one voice, many in a cast, and many answers at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamood.late import late

if TYPE_CHECKING:
    from llamood.voices.answering import Answering
    from llamood.voices.cast import Cast
    from llamood.voices.llama import Llama

__all__ = [
    "Answering",
    "Cast",
    "Llama",
]

__getattr__ = late(
    __name__,
    {
        "Llama": "llama",
        "Cast": "cast",
        "Answering": "answering",
    },
)

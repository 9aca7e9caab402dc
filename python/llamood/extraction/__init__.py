"""From texts and answers to hidden states, and from these to vectors, by several methods."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llamood.late import late

if TYPE_CHECKING:
    from llamood.extraction.candidates import Candidates
    from llamood.extraction.extraction import Extraction
    from llamood.extraction.listener import Listener
    from llamood.extraction.queries import Queries, load_queries
    from llamood.extraction.texts import LabelledTexts, load_texts

__all__ = [
    "Candidates",
    "Extraction",
    "LabelledTexts",
    "Listener",
    "Queries",
    "load_queries",
    "load_texts",
]

__getattr__ = late(
    __name__,
    {
        "Extraction": "extraction",
        "Listener": "listener",
        "Queries": "queries",
        "load_queries": "queries",
        "LabelledTexts": "texts",
        "load_texts": "texts",
        "Candidates": "candidates",
    },
)

"""Files of texts: labelled ones of each ending, queries, utterances, conversations."""

from __future__ import annotations

from fuzz.readers.hostile import is_read, put
from llamood.calibration.utterances import utterances
from llamood.cli.conversation import Conversation
from llamood.extraction.queries import load_queries
from llamood.extraction.texts import by_label


def read(data: bytes) -> None:
    for ending in ("tsv", "csv", "jsonl"):
        path = put(f"texts.{ending}", data)
        is_read(lambda path=path: by_label(path))
    path = put("queries.json", data)
    is_read(lambda: load_queries(path))
    is_read(lambda: Conversation.load(path))
    is_read(lambda: utterances(path, "glad"))

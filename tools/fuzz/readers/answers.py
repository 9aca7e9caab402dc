"""Answers that others have given, to be judged: a file, and one of a folder."""

from __future__ import annotations

from fuzz.readers.hostile import folder, is_read, put
from llamood.evaluation.third_party_answers import read_answers


def read(data: bytes) -> None:
    for name in ("answers.jsonl", "answers.json"):
        path = put(name, data)
        is_read(lambda path=path: read_answers(path))
    (folder() / "said" / "1").mkdir(parents=True, exist_ok=True)
    put("said/1/joy.json", data)
    is_read(lambda: read_answers(folder() / "said"))

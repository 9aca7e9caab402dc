"""Says of recorded answers (tools/guard_recordings.py) which collapsed, as what, and from where on.

By two rules over the whole text, seen from its end, neither of which is the guard's: an answer
collapsed where most of what it says from some token on it has said within the 32 tokens before
(half of the different tokens of language, over every window of 24 that follows), or where 24 tokens
were drawn at less than a thirtieth of probability each, as in salad. Answers without a mood that
repeat themselves were read by a person: lists, tables, code and refrains are sound, and those that
loop by themselves are left out.

    python tools/guard_labels.py choose.jsonl report.jsonl -o tests/core/guard_recordings.json.gz
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

WINDOW = 24  # tokens
BEFORE = 32
FEW = 0.5  # different tokens in a window
UNLIKELY = -3.4  # mean logarithm of the probability of a window's tokens
# Kinds of prompts whose answers may repeat themselves and be sound.
REPEATING = ("table", "code", "list", "json", "maths")


def onset(tokens: list[int]) -> int | None:
    """The token, from 0, from which on what is said repeats itself to the end."""
    spread = [len(set(tokens[i : i + WINDOW])) / WINDOW for i in range(len(tokens) - WINDOW + 1)]
    for begin, few in enumerate(spread):
        rest = sorted(spread[begin:])
        n_few = sum(each <= 0.6 for each in rest)
        if few <= FEW and rest[len(rest) // 2] <= FEW and n_few >= 0.8 * len(rest):
            break
    else:
        return None
    again = [token in tokens[max(0, at - BEFORE) : at] for at, token in enumerate(tokens)]
    for at in range(begin, len(tokens) - 8):
        coming = again[at : at + 16]
        if again[at] and sum(coming) >= 0.62 * len(coming):
            return at
    return None


def unlikely(logprobs: list[float]) -> int | None:
    for at in range(len(logprobs) - WINDOW + 1):
        if sum(logprobs[at : at + WINDOW]) < UNLIKELY * WINDOW:
            return at
    return None


def kind_of(pieces: list[str], begin: int, *, repeats: bool) -> str:
    """``salad``; else of what the text from its onset on is mostly made."""
    if not repeats:
        return "salad"
    said = [piece.encode("latin-1") for piece in pieces[begin : begin + BEFORE]]
    text = b"".join(said).decode(errors="replace")
    if sum(char >= "\U0001f000" for char in text) >= 4:
        return "emoji"
    if sum(piece == b"\xef\xbf\xbd" or not _is_text(piece) for piece in said) >= 0.25 * len(said):
        return "broken"
    n_letter = sum(map(str.isalpha, text))
    if sum(map(str.isdigit, text)) > n_letter:
        return "digits"
    if n_letter < 0.3 * len(text.replace(" ", "")):
        return "marks"
    if Counter(said).most_common(1)[0][1] >= 0.6 * len(said):
        return "one word"
    n_pair = len(set(pairwise(said)))
    return "loop" if n_pair <= 0.5 * len(said) else "few words"


def _is_text(piece: bytes) -> bool:
    try:
        piece.decode()
    except UnicodeDecodeError as error:
        return error.reason == "unexpected end of data"
    return True


def labelled(answer: dict[str, Any]) -> dict[str, Any] | None:
    """``onset`` (None: sound) and ``kind``; None for what is neither one nor the other. Of strong
    doses an answer that did not collapse is ``overdosed``: whether it is sound no rule says."""
    tokens, strong = answer["tokens"], answer["times"] > 1
    repeating = onset(tokens)
    salad = unlikely(answer["likely"]) if answer["times"] else None
    found = [each for each in (repeating, salad) if each is not None]
    label: dict[str, Any] = {"onset": None, "kind": answer["kind"]}
    if answer["times"] == 0:
        if repeating is not None and answer["kind"] not in REPEATING:
            return None
    elif found:
        begin = min(found)
        label = {
            "onset": begin,
            "kind": kind_of(answer["pieces"], begin, repeats=repeating is not None),
        }
    elif strong:
        label["kind"] = "overdosed"
    likely = [round(10 * each) for each in answer["likely"]]  # tenths of a nat
    return {**label, "times": answer["times"], "tokens": tokens, "likely": likely}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("choose", type=Path, nargs="+")
    parser.add_argument("report", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    parts: dict[str, Any] = {"pieces": {}}
    for name, paths in (("choose", given.choose), ("report", [given.report])):
        lines = [
            line for path in paths for line in path.read_text(encoding="utf-8").split("\n") if line
        ]
        answers = [json.loads(line) for line in lines]
        for answer in answers:
            parts["pieces"] |= dict(zip(map(str, answer["tokens"]), answer["pieces"], strict=True))
        parts[name] = [label for label in map(labelled, answers) if label is not None]
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    given.output.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main()

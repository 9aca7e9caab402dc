"""How well the guard hears tests/core/guard_recordings.json.gz: the table of docs/guard.md."""

from __future__ import annotations

import gzip
import json
import statistics
from collections import defaultdict
from pathlib import Path
from typing import Any

from llamood._core import Guard

RECORDINGS = Path(__file__).resolve().parents[1] / "tests" / "core" / "guard_recordings.json.gz"
SOON = 24  # tokens
NEVER = 10**6


def noticed(said: dict[str, Any], pieces: dict[int, bytes], *, likely: bool) -> tuple[int, int]:
    """The first token, from 0, at which the guard is alarmed, and how many were told until then."""
    guard, told = Guard(), 0
    for at, (token, tenths) in enumerate(zip(said["tokens"], said["likely"], strict=True)):
        logprob = tenths / 10 if likely else None
        overdose = said["times"] or None
        piece = pieces[token]
        if guard.hear(token, piece=piece, logprob=logprob, overdose=overdose) is not None:
            return at, told
        suspect = guard.suspect_from
        told = max(told, at + 1 if suspect is None else suspect - 1)
    return NEVER, told


def main() -> None:
    recorded = json.loads(gzip.decompress(RECORDINGS.read_bytes()))
    pieces = {int(token): piece.encode("latin-1") for token, piece in recorded["pieces"].items()}
    for part in ("choose", "report"):
        for likely in (True, False):
            delays: dict[str, list[int]] = defaultdict(list)
            told: list[int] = []
            false: dict[str, list[bool]] = defaultdict(list)
            for said in recorded[part]:
                at, n_told = noticed(said, pieces, likely=likely)
                if said["onset"] is None:
                    false[_sound(said)].append(at != NEVER)
                    continue
                kind = said["kind"] if said["times"] > 1 else "within the ceiling, any"
                delays[kind].append(at - said["onset"] if at != NEVER else NEVER)
                told += [max(0, n_told - said["onset"])] if at != NEVER else []
            print(f"\n{part}, {'with probabilities' if likely else 'by text alone'}")
            overdosed = [found for kind, found in delays.items() if "within" not in kind]
            delays["all of these"] = [each for found in overdosed for each in found]
            for kind, found in sorted(delays.items()):
                n_soon = sum(each <= SOON for each in found)
                middle = statistics.median(found)
                shown = "never" if middle >= NEVER / 2 else f"{middle:g}"
                print(f"  {kind:22} {len(found):4} answers, {n_soon:4} noticed, median {shown}")
            worst = statistics.quantiles(told, n=10)[-1]
            print(
                f"  told of a collapse: median {statistics.median(told):g}, worst tenth {worst:g}"
            )
            for kind, taken in sorted(false.items()):
                print(f"  {kind}: {sum(taken)} of {len(taken)} taken for collapsed")


def _sound(said: dict[str, Any]) -> str:
    if said["times"] > 1:
        return "overdosed"
    return "mild" if said["times"] else "without a mood, where nothing is heard"


if __name__ == "__main__":
    main()

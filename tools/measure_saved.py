"""What a saved voice takes, and whether it goes on as it would have, on the demo's model:

    python tools/measure_saved.py

A voice answers some questions and is saved in the middle of the last answer, with its cache and
without. Printed: the size of the file, and the seconds that it takes to write it, to load it, and
to hear the next token. Then, without the cache: of voices that are alone and are loaded where
nobody has spoken, how many say the same tokens as those that were saved.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llamood
from llamood import demo
from llamood.voices.event import Event

MOOD = {"joy": {"ramp": [0, 0.8], "over": 30}, "$inertia": 8}
SYSTEM = "You are a baker in a village by the sea."
N_ANSWER = 8
N_BEFORE = 15  # tokens before it is saved in the middle


def opened() -> llamood.Cast:
    return llamood.Cast(
        demo.MODEL, emotions=demo.VECTORS, voices=1, n_threads=1, n_threads_batch=1, verbose=False
    )


def tokens(events: Iterator[Event]) -> list[int | None]:
    return [event.token for event in events]


def print_costs(folder: Path) -> None:
    for mood in (None, MOOD):
        with opened() as cast:
            voice = cast.join(SYSTEM, mood=mood, temperature=0.6, seed=3, max_tokens=60)
            for question in demo.questions()[:6]:
                tokens(iter(cast.say({voice: question})))
            events = iter(cast.say({voice: "What comes next?"}))
            for _ in range(20):
                next(events)
            for cache in (False, True):
                began = time.perf_counter()
                voice.save(folder / "voice", cache=cache)
                saved = time.perf_counter()
                with opened() as other:
                    begin = time.perf_counter()
                    loaded = other.load(folder / "voice")
                    is_there = time.perf_counter()
                    next(iter(other.listen(loaded)))
                    heard = time.perf_counter()
                print(
                    f"mood {'none' if mood is None else 'ramp'}, {voice.n_cached} positions, "
                    f"cache {cache}: {(folder / 'voice').stat().st_size:,} bytes; "
                    f"write {saved - began:.3f} s, load {is_there - begin:.3f} s, "
                    f"next token {heard - is_there:.3f} s"
                )


def same(folder: Path, number: int, how: dict[str, Any]) -> tuple[bool, bool]:
    """Whether a voice that was saved at rest, and one in the middle of an answer, say the same."""
    first, second = demo.questions()[number : number + 2]
    with opened() as cast:
        voice = cast.join(SYSTEM, seed=number, max_tokens=40, **how)
        tokens(iter(cast.say({voice: first})))
        voice.save(folder / "at rest")
        events = iter(cast.say({voice: second}))
        begun = [next(events).token for _ in range(N_BEFORE)]
        voice.save(folder / "in the middle")
        rest = tokens(events)
    with opened() as cast:
        loaded = cast.load(folder / "at rest")
        at_rest = tokens(iter(cast.say({loaded: second}))) == begun + rest
    with opened() as cast:
        return at_rest, tokens(iter(cast.listen(cast.load(folder / "in the middle")))) == rest


def print_same(folder: Path) -> None:
    for mood in (None, MOOD):
        for temperature in (0.0, 0.8):
            how = {"mood": mood, "temperature": temperature}
            found = [same(folder, number, how) for number in range(N_ANSWER)]
            at_rest, middle = (sum(each) for each in zip(*found, strict=True))
            print(
                f"mood {'none' if mood is None else 'ramp'}, temperature {temperature}: the same "
                f"{at_rest} of {N_ANSWER} at rest, {middle} of {N_ANSWER} in the middle"
            )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        print_costs(Path(folder))
        print_same(Path(folder))


if __name__ == "__main__":
    main()

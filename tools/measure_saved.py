"""What a saved voice takes, on the demo's model: python tools/measure_saved.py

A voice answers some questions and is saved in the middle of the last answer, with its cache and
without. Printed: the size of the file, and the seconds that it takes to write it, to load it, and
to hear the next token.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import llamood
from llamood import demo

MOOD = {"joy": {"ramp": [0, 1], "over": 40}, "$inertia": 8}
HOW = {"temperature": 0.6, "seed": 3, "max_tokens": 60}


def main() -> None:
    opened = {"emotions": demo.VECTORS, "voices": 2, "verbose": False}
    with (
        tempfile.TemporaryDirectory() as folder,
        llamood.Cast(demo.MODEL, **opened) as cast,
        llamood.Cast(demo.MODEL, **opened) as other,
    ):
        for mood in (None, MOOD):
            voice = cast.join("You are a baker in a village by the sea.", mood=mood, **HOW)
            for question in demo.questions()[:6]:
                for _ in cast.say({voice: question}):
                    pass
            events = iter(cast.say({voice: "What comes next?"}))
            for _ in range(20):
                next(events)
            for cache in (False, True):
                path = Path(folder) / "voice"
                began = time.perf_counter()
                voice.save(path, cache=cache)
                saved = time.perf_counter()
                loaded = other.load(path)
                is_there = time.perf_counter()
                next(iter(other.listen(loaded)))
                heard = time.perf_counter()
                print(
                    f"mood {'none' if mood is None else 'ramp'}, {voice.n_cached} positions, "
                    f"cache {cache}: {path.stat().st_size:,} bytes; write {saved - began:.3f} s, "
                    f"load {is_there - saved:.3f} s, next token {heard - is_there:.3f} s"
                )
                other.leave(loaded)
            cast.leave(voice)


if __name__ == "__main__":
    main()

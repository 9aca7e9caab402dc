"""Record what a real model says in moods from none to eight times a fluent one.

Each answer lands in FILE (JSON lines) as its tokens, the condition it was given in, the logarithm
of each token's probability in the mood, and each token's negative log likelihood without it: what
tools/guard_labels.py needs to say which answers collapse, and where.

    python tools/guard_recordings.py demo --part report -o report.jsonl

The vectors must be calibrated: 1 is the ceiling of each. The two parts share no question, no seed
and no random vector. (The part that chose was recorded with vectors that were not, in all layers
and in layers 8 to 18, and 1 was what read fluently.)
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import llamood
from guard_questions import PLAIN, PROMPTED
from llamood import demo
from llamood.moods.parameters import LARGEST

VOICES = 16
LONGEST = 80  # tokens of an answer
TIMES = (2.0, 3.0, 4.0, 6.0, 8.0)
MILD = (0.5, 0.75, 1.0)
TEMPERATURES = (0.2, 0.7, 1.0)


@dataclass(frozen=True)
class Condition:
    """``kind``: of the question. ``times``: the dose as a multiple of the largest fluent one, 0 for
    no mood."""

    kind: str
    prompt: str
    times: float = 0.0
    emotion: str = ""
    temperature: float = 0.7
    seed: int = 0

    @property
    def mood(self) -> dict[str, Any]:
        if not self.times:
            return {}
        return {self.emotion: {"constant": self.times, "max": LARGEST}, "$max": LARGEST}


def conditions(part: str, emotions: tuple[str, ...], n: int) -> list[Condition]:
    """Of each kind about ``n``: plain, prompted and mildly steered answers, and strong doses."""
    rng = random.Random(f"{part} {n}")
    half = {"choose": 0, "report": 1}[part]
    plain = PLAIN[half::2]
    prompted = [(kind, text) for kind, texts in PROMPTED.items() for text in texts[half::2]]

    def drawn() -> dict[str, Any]:
        return {"temperature": rng.choice(TEMPERATURES), "seed": rng.randrange(2**31)}

    made = [Condition("plain", text, **drawn()) for text in itertools.islice(_round(plain), n)]
    made += [
        Condition(kind, text, **drawn()) for kind, text in itertools.islice(_round(prompted), 2 * n)
    ]
    felt = rng.sample(emotions, len(emotions))
    asked = itertools.cycle([*plain, *plain, *(text for _, text in prompted)])
    for kind, times, n_felt in (("mild", MILD, n), ("strong", TIMES, 2 * n)):
        for emotion, text in itertools.islice(zip(_round(felt), asked, strict=False), n_felt):
            made.append(Condition(kind, text, rng.choice(times), emotion, **drawn()))
    rng.shuffle(made)
    return made


def _round(values: list[Any]) -> Iterator[Any]:
    return itertools.cycle(values)


def with_random(vectors: llamood.EmotionVectors, *, part: str) -> llamood.EmotionVectors:
    """And two directions that mean nothing, as long in each layer as the others are."""
    rng = np.random.default_rng({"choose": 1, "report": 3}[part])
    lengths = np.linalg.norm(vectors.data, axis=2).mean(axis=0)
    noise = rng.standard_normal((2, *vectors.data.shape[1:]))
    noise *= (lengths / np.linalg.norm(noise, axis=2))[..., np.newaxis]
    ceiling = float(np.mean(vectors.ceiling))
    return llamood.EmotionVectors(
        (*vectors.names, "random one", "random two"),
        np.concatenate([vectors.data, noise.astype(np.float32)]),
        measurement=vectors.measurement,
        ceiling=(*vectors.ceiling, ceiling, ceiling),
    )


def record(
    model: str | Path, vectors: llamood.EmotionVectors, asked: list[Condition], *, raw: bool
) -> Iterator[dict[str, Any]]:
    """What each answer was, as it is written; many at a time."""
    settings: dict[str, Any] = {"voices": VOICES, "n_ctx": 256, "guard": False, "verbose": False}
    with llamood.Cast(model, emotions=vectors, **settings) as cast:
        voices = [cast.join() for _ in range(VOICES)]
        for begin in range(0, len(asked), VOICES):
            together = asked[begin : begin + VOICES]
            recordings = {}
            scenes = []
            for voice, condition in zip(voices, together, strict=False):
                said = condition.prompt if raw else [{"role": "user", "content": condition.prompt}]
                prompt = cast.prompt(said)
                scenes.append(
                    cast.answer(
                        prompt,
                        among=[voice],
                        mood=condition.mood,
                        max_tokens=LONGEST,
                        logprobs=0,
                        temperature=condition.temperature,
                        seed=condition.seed,
                    )
                )
                recordings[voice] = {**vars(condition), "asked": prompt, "tokens": [], "likely": []}
            for event in itertools.chain.from_iterable(scenes):
                if event.token is not None and cast.piece(event.token):
                    recordings[event.voice]["tokens"].append(event.token)
                    recordings[event.voice]["likely"].append(round(event.likely[0][1], 2))
            for recording in recordings.values():
                pieces = [cast.piece(token).decode("latin-1") for token in recording["tokens"]]
                yield {**recording, "pieces": pieces}
            print(f"{begin + len(together)} of {len(asked)}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="a GGUF file, or demo")
    parser.add_argument("vectors", nargs="?", help="default: the demo's")
    parser.add_argument("--part", choices=["choose", "report"], required=True)
    parser.add_argument("-n", type=int, default=40, help="plain answers; of others as many or more")
    parser.add_argument("--raw", action="store_true", help="for a model without a chat template")
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    model, vectors = given.model, given.vectors
    if model == "demo":
        model, vectors = demo.MODEL, vectors or demo.VECTORS
    felt = with_random(llamood.load(vectors), part=given.part)
    asked = conditions(given.part, felt.names, given.n)
    with given.output.open("w", encoding="utf-8") as file:
        for recording in record(model, felt, asked, raw=given.raw):
            file.write(json.dumps(recording, ensure_ascii=False) + "\n")
            file.flush()


if __name__ == "__main__":
    main()

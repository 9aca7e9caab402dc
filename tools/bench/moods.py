"""Per token of an answer: a constant mood, and a ramp over 64 tokens that is played ahead of time,
over the same voice in no mood."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from itertools import islice
from typing import Any

from paired import Block, Measure, interleave, ratios

import llamood
from models import MODELS, BenchModel, DemoModel

N_CTX = 256
N_RAMP = 64
# Seconds, by whether the model is a real one, of which one in a hundred is to be told from none.
LONGEST = {True: 90.0, False: 40.0}
CONSTANT = {"joy": 0.5}
RAMP: Mapping[str, Any] = {
    "joy": {"ramp": [0, 0.5], "over": N_RAMP},
    "sadness": {"ramp": [0.5, 0], "over": N_RAMP, "ease": "smooth"},
}
MOODS: Mapping[str, tuple[Mapping[str, Any], Mapping[str, float]]] = {  # and what each ends in
    "constant mood": (CONSTANT, CONSTANT),
    f"ramp over {N_RAMP} tokens": (RAMP, {"joy": 0.5}),
}
UNSTEERED = "unsteered"
N_TRY, FURTHER = 4, 1009  # prompts of a round, and from one to the next
NONE: tuple[Mapping[str, Any], Mapping[str, float]] = ({}, {})


def measure() -> list[Measure]:
    return [result for model in MODELS for result in _measure(model)]


def _measure(model: BenchModel) -> list[Measure]:
    arguments = {**model.arguments(n_ctx=N_CTX), "emotions": model.vectors()}
    # What models of random weights say, the guard takes for collapsed.
    is_guarded = isinstance(model, DemoModel)
    with closing(llamood.Llama(**arguments, guard=is_guarded)) as llm:
        blocks = {
            name: block(llm, mood, last, model)
            for name, (mood, last) in {UNSTEERED: NONE, **MOODS}.items()
        }
        seconds = interleave(blocks, n_round=model.n_round, longest=LONGEST[is_guarded])
    return [
        Measure(
            name=f"{name}{'' if is_guarded else ', unguarded'} / {UNSTEERED}",
            model=model.name,
            values=ratios(seconds[name], seconds[UNSTEERED]),
            bound=1.015 if model.is_bound else None,
        )
        for name in MOODS
    ]


def block(
    llm: llamood.Llama, mood: Mapping[str, Any], last: Mapping[str, float], model: BenchModel
) -> Block:
    """Times the tokens of the ramp, after the first: the prompt is not what is measured. ``last``:
    the mix at the end."""

    def run(number: int) -> float:
        # An answer that the guard has drawn anew took longer, and is in less of the mood.
        for other in range(number, number + N_TRY * FURTHER, FURTHER):
            took, n = timed(other)
            if n == N_RAMP and llm.mix == last:
                return took
        raise RuntimeError(f"{n} tokens were spoken, the last of them in {llm.mix}")

    def timed(number: int) -> tuple[float, int]:
        prompt = llm.tokenize(model.prompt(number).encode(), special=True)
        llm.reset()
        with llm.feeling(mood):
            stream = llm.generate(prompt, temp=model.temperature)
            next(stream)
            begin = time.perf_counter()
            n = sum(1 for _ in islice(stream, N_RAMP))
            took = time.perf_counter() - begin
            stream.close()
        return took, n

    return run

"""Per token: a ramp over 64 tokens, played ahead of time, over an answer in no mood."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from itertools import islice
from typing import Any

import numpy as np
from models import MODELS, QWEN, BenchModel
from paired import Block, Measure, interleave, ratios

import llamood

N_CTX = 256
N_PROMPT = 8
N_RAMP = 64
RAMP: Mapping[str, Any] = {
    "joy": {"ramp": [0, 1.2], "over": N_RAMP},
    "sadness": {"ramp": [1, 0], "over": N_RAMP, "ease": "smooth"},
}
RAMPED = {"joy": 1.2}  # what it ends with


def measure() -> list[Measure]:
    return [_measure(model) for model in MODELS]


def _measure(model: BenchModel) -> Measure:
    """One voice, so that both run in the same memory."""
    with closing(llamood.Llama(**model.arguments(n_ctx=N_CTX), emotions=model.vectors())) as llm:
        blocks = {"plain": block(llm, {}), "ramp": block(llm, RAMP)}
        blocks["ramp"](0)  # shows once that the model takes vectors
        seconds = interleave(blocks, n_round=model.n_round // 4)
    return Measure(
        name=f"ramp over {N_RAMP} tokens / unsteered",
        model=model.name,
        values=ratios(seconds["ramp"], seconds["plain"]),
        bound=1.03 if model is QWEN else 1.05,
    )


def block(llm: llamood.Llama, mood: Mapping[str, Any]) -> Block:
    """Times the tokens of the ramp, after the first: the prompt is not what is measured."""

    def run(number: int) -> float:
        prompt = np.random.default_rng(number + 1).integers(32, 127, N_PROMPT).tolist()
        llm.reset()
        with llm.feeling(mood):
            stream = llm.generate(prompt, temp=0.0)
            next(stream)
            begin = time.perf_counter()
            n = sum(1 for _ in islice(stream, N_RAMP))
            took = time.perf_counter() - begin
            stream.close()
        if n != N_RAMP or llm.mix != (RAMPED if mood else {}):
            raise RuntimeError(f"{n} tokens were spoken, the last of them in {llm.mix}")
        return took

    return run

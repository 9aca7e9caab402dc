"""Per token: a ramp over 64 tokens, played ahead of time, over an answer in no mood."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from itertools import islice
from typing import Any

import numpy as np
from paired import Block, Measure, interleave, ratios

import llamood
from models import MODELS, QWEN, BenchModel

N_CTX = 256
N_PROMPT = 8
N_RAMP = 64
HOT = 1.5
RAMP: Mapping[str, Any] = {
    "joy": {"ramp": [0, 1.2], "over": N_RAMP},
    "sadness": {"ramp": [1, 0], "over": N_RAMP, "ease": "smooth"},
}
RAMPED = {"joy": 1.2}  # what it ends with


def measure() -> list[Measure]:
    return [result for model in MODELS for result in _measure(model)]


def _measure(model: BenchModel) -> list[Measure]:
    arguments = {**model.arguments(n_ctx=N_CTX), "emotions": model.vectors()}
    with (
        closing(llamood.Llama(**arguments, guard=False)) as llm,
        closing(llamood.Llama(**arguments)) as guarded,
    ):
        blocks = {
            "plain": block(llm, {}),
            "ramp": block(llm, RAMP),
            "guarded": block(guarded, RAMP),
        }
        for name in ("ramp", "guarded"):
            blocks[name](0)  # shows once that the model takes vectors
        seconds = interleave(blocks, n_round=model.n_round // 4)
    bound = 1.03 if model is QWEN else 1.05
    return [
        Measure(
            name=f"ramp over {N_RAMP} tokens{said} / unsteered",
            model=model.name,
            values=ratios(seconds[name], seconds["plain"]),
            bound=bound,
        )
        for name, said in (("ramp", ""), ("guarded", ", guarded"))
    ]


def block(llm: llamood.Llama, mood: Mapping[str, Any]) -> Block:
    """Times the tokens of the ramp, after the first: the prompt is not what is measured. Drawn
    hot, or models of random weights would say one loop, which the guard would end."""

    def run(number: int) -> float:
        prompt = np.random.default_rng(number + 1).integers(32, 127, N_PROMPT).tolist()
        llm.reset()
        with llm.feeling(mood):
            stream = llm.generate(prompt, temp=HOT)
            next(stream)
            begin = time.perf_counter()
            n = sum(1 for _ in islice(stream, N_RAMP))
            took = time.perf_counter() - begin
            stream.close()
        if n != N_RAMP or llm.mix != (RAMPED if mood else {}):
            raise RuntimeError(f"{n} tokens were spoken, the last of them in {llm.mix}")
        return took

    return run

"""What it costs to use `llamood.Llama` in place of `llama_cpp.Llama` and feel nothing."""

from __future__ import annotations

import time
from contextlib import closing

import llama_cpp
from paired import Block, Measure, interleave, ratios

import llamood
from models import MODELS, BenchModel

N_CTX = 512
LONGER = 2  # an answer is as long as so many blocks: completions have a cost per call as well


def measure() -> list[Measure]:
    return [_measure(model) for model in MODELS]


def _measure(model: BenchModel) -> Measure:
    arguments = model.arguments(n_ctx=N_CTX)
    n_token = LONGER * model.n_token
    with (
        closing(llama_cpp.Llama(**arguments)) as plain,
        closing(llamood.Llama(**arguments, emotions=model.vectors())) as ours,
    ):
        blocks = {"plain": block(plain, model, n_token), "ours": block(ours, model, n_token)}
        seconds = interleave(blocks, n_round=model.n_round)
    return Measure(
        name="llamood.Llama / llama_cpp.Llama, no mood",
        model=model.name,
        values=ratios(seconds["ours"], seconds["plain"]),
        bound=1.01 if model.is_bound else None,
    )


def block(llm: llama_cpp.Llama, model: BenchModel, n_token: int) -> Block:
    """Times one completion of ``n_token`` tokens; each round has a prompt of its own."""

    def run(number: int) -> float:
        prompt = llm.tokenize(model.prompt(number).encode(), special=True)
        begin = time.perf_counter()
        answer = llm.create_completion(prompt, max_tokens=n_token, temperature=0.0)
        took = time.perf_counter() - begin
        if answer["usage"]["completion_tokens"] < n_token:  # more where a character is not whole
            raise RuntimeError(f"the answer ended early: {answer['usage']}")
        return took

    return run

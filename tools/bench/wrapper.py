"""What it costs to use `llamood.Llama`, or a cast of one voice, in place of `llama_cpp.Llama` and
feel nothing."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import closing
from itertools import islice

import llama_cpp
from paired import Block, Measure, interleave, ratios

import llamood
from models import MODELS, BenchModel

N_CTX = 512
LONGER = 2  # an answer is as long as so many blocks: completions have a cost per call as well


def measure() -> list[Measure]:
    return [compared(model) for model in MODELS for compared in (_measure, _of_a_cast)]


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


def _of_a_cast(model: BenchModel) -> Measure:
    arguments = model.arguments(n_ctx=N_CTX)
    with (
        closing(llama_cpp.Llama(**arguments)) as plain,
        closing(llamood.Cast(**arguments, emotions=model.vectors(), voices=1)) as cast,
    ):
        blocks = {"plain": stream(plain, model), "cast": scene(cast, model)}
        seconds = interleave(blocks, n_round=model.n_round)
    return Measure(
        name="1 voice of llamood.Cast / llama_cpp.Llama, no mood, tokens per second",
        model=model.name,
        values=ratios(seconds["plain"], seconds["cast"]),
        bound=0.97 if model.is_bound else None,
        at_least=True,
    )


def stream(llm: llama_cpp.Llama, model: BenchModel) -> Block:
    """Times tokens after the first."""

    def run(number: int) -> float:
        llm.reset()
        prompt = llm.tokenize(model.prompt(number).encode(), special=True)
        return _seconds(llm.generate(prompt, temp=model.temperature), model.n_token)

    return run


def scene(cast: llamood.Cast, model: BenchModel) -> Block:
    """As `stream`, of the same prompts."""
    voice = cast.join(temperature=model.temperature, max_tokens=N_CTX // 2)

    def run(number: int) -> float:
        prompt = cast.prompt(model.prompt(number))
        return _seconds(iter(cast.answer(prompt, among=[voice])), model.n_token)

    return run


def _seconds(tokens: Generator[object], n: int) -> float:
    with closing(tokens):
        next(tokens)
        begin = time.perf_counter()
        n_said = sum(1 for _ in islice(tokens, n))
        took = time.perf_counter() - begin
    if n_said < n:
        raise RuntimeError(f"the answer ended after {n_said} tokens")
    return took


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

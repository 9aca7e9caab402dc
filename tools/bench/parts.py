"""Where the time of a token goes: to what lies between two decodes, and to adding vectors in one.

A decode takes some per cent more or less in one context than in another, so what lies between is
timed by itself, and the additions in one context that has a control vector and has none in turn."""

from __future__ import annotations

import ctypes
import statistics
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from typing import Any
from unittest import mock

import llama_cpp
from llama_cpp import llama_cpp as library
from paired import Block, Measure, interleave, ratios
from steering import N_CTX, TOKEN, set_publicly

import llamood
from models import MODELS, BenchModel, DemoModel
from moods import CONSTANT, RAMP

N_TOKEN = 32
N_ROUND = 12
N_ADD_ROUND = 60
N_ADD = 16  # tokens with a control vector, and without


class Decodes:
    """Sums the seconds that decodes take."""

    def __init__(self) -> None:
        self.seconds = 0.0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Within the block."""
        decode = library.llama_decode

        def timed(*arguments: Any) -> Any:
            begin = time.perf_counter()
            status = decode(*arguments)
            self.seconds += time.perf_counter() - begin
            return status

        with mock.patch.object(library, "llama_decode", timed):
            yield


def measure() -> list[Measure]:
    return [
        result
        for model in MODELS
        if isinstance(model, DemoModel)
        for result in (*_between(model), _adding(model))
    ]


def _between(model: BenchModel) -> list[Measure]:
    """Milliseconds a token."""
    arguments = model.arguments(n_ctx=N_CTX)
    emotions: dict[str, Any] = {"emotions": model.vectors()}
    decodes = Decodes()
    with ExitStack() as stack:

        def opened(llm: llama_cpp.Llama, mood: Mapping[str, Any] | None = None) -> Block:
            stack.enter_context(closing(llm))
            if mood is not None:
                llm.feel(mood)
            return _block(llm, model, decodes)

        blocks = {
            "llama_cpp.Llama": opened(llama_cpp.Llama(**arguments)),
            "llamood.Llama, no mood": opened(llamood.Llama(**arguments, **emotions)),
            "constant mood": opened(llamood.Llama(**arguments, **emotions), CONSTANT),
            "constant mood, unguarded": opened(
                llamood.Llama(**arguments, **emotions, guard=False), CONSTANT
            ),
            "ramp": opened(llamood.Llama(**arguments, **emotions), RAMP),
        }
        stack.enter_context(decodes.counted())
        seconds = interleave(blocks, n_round=N_ROUND)
    return [
        Measure(
            name=f"between the decodes of two tokens, {name}",
            model=model.name,
            values=tuple(1000 * took for took in taken),
            unit="ms",
        )
        for name, taken in seconds.items()
    ]


def _block(llm: llama_cpp.Llama, model: BenchModel, decodes: Decodes) -> Block:
    """Seconds of a token that were no decode."""

    def run(number: int) -> float:
        llm.reset()
        prompt = llm.tokenize(model.prompt(number).encode(), special=True)
        stream = llm.generate(prompt, temp=model.temperature)
        next(stream)
        decodes.seconds = 0.0
        begin = time.perf_counter()
        n = sum(1 for _ in islice(stream, N_TOKEN))
        took = time.perf_counter() - begin
        stream.close()
        return (took - decodes.seconds) / n

    return run


def _adding(model: BenchModel) -> Measure:
    evs = model.vectors()
    with closing(llama_cpp.Llama(**model.arguments(n_ctx=N_CTX))) as llm:

        def added(_round: int) -> float:
            set_publicly(llm, evs, {"joy": 0.5})
            return _tokens(llm)

        def bare(_round: int) -> float:
            nothing = ctypes.POINTER(ctypes.c_float)()
            library.llama_set_adapter_cvec(llm.ctx, nothing, 0, evs.n_embd, 1, evs.n_layer - 1)
            return _tokens(llm)

        seconds = interleave({"added": added, "bare": bare}, n_round=N_ADD_ROUND)
    return Measure(
        name=f"a decode with a control vector in {evs.n_layer - 1} layers / without",
        model=model.name,
        values=ratios(seconds["added"], seconds["bare"]),
    )


def _tokens(llm: llama_cpp.Llama) -> float:
    """The median of some; those at first make the graph."""
    llm.reset()
    llm.eval([TOKEN] * 4)
    found = []
    for _ in range(N_ADD):
        begin = time.perf_counter()
        llm.eval([TOKEN])
        llama_cpp.llama_synchronize(llm.ctx)
        found.append(time.perf_counter() - begin)
    return statistics.median(found[2:])

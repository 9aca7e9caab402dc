"""Per token that is decoded by hand: a constant mood and one that changes every token, over no mood
at all; and the naive way, llama.cpp's public setter before every token."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable
from contextlib import ExitStack, closing

import llama_cpp
import numpy as np
from paired import Block, Measure, interleave, ratios

import llamood
from models import MODELS, BenchModel

N_CTX = 256
PROMPT = b"Once,"
TOKEN = ord("e")
EVERYWHERE = {"$positions": "all"}  # as the public setter does, so that the logits compare

Step = Callable[[int], None]  # what is done before the token of that number


def measure() -> list[Measure]:
    return [result for model in MODELS for result in _measure(model)]


def _measure(model: BenchModel) -> list[Measure]:
    arguments = model.arguments(n_ctx=N_CTX)
    evs = model.vectors()
    with ExitStack() as stack:

        def opened(llm: llama_cpp.Llama) -> llama_cpp.Llama:
            return stack.enter_context(closing(llm))

        plain = opened(llama_cpp.Llama(**arguments))
        naive = opened(llama_cpp.Llama(**arguments))
        constant = opened(llamood.Llama(**arguments, emotions=evs))
        changing = opened(llamood.Llama(**arguments, emotions=evs))

        constant.feel(mood_at(0) | EVERYWHERE)
        steps: dict[str, tuple[llama_cpp.Llama, Step]] = {
            "plain": (plain, lambda _: None),
            "constant": (constant, lambda _: None),
            "changing": (changing, lambda number: changing.feel(mood_at(number) | EVERYWHERE)),
            "naive": (naive, lambda number: set_publicly(naive, evs, mood_at(number))),
        }
        blocks = {name: block(llm, step, model.n_token) for name, (llm, step) in steps.items()}
        seconds = interleave(blocks, n_round=model.n_round)
        _require_steered({name: last_logits(llm) for name, (llm, _) in steps.items()})

    over = seconds["plain"]
    return [
        Measure(
            name="constant mood, decoded by hand / unsteered",
            model=model.name,
            values=ratios(seconds["constant"], over),
            bound=1.015 if model.is_bound else None,
        ),
        Measure(
            name="feel() before every token / unsteered",
            model=model.name,
            values=ratios(seconds["changing"], over),
            bound=1.05 if model.is_bound else None,
        ),
        Measure(
            name="public setter every token / unsteered",
            model=model.name,
            values=ratios(seconds["naive"], over),
        ),
    ]


def mood_at(number: int) -> dict[str, float]:
    """Two emotions, other intensities at every token."""
    return {"joy": 0.1 + (number % 7) / 20, "sadness": 0.5 - (number % 5) / 20}


def block(llm: llama_cpp.Llama, step: Step, n_token: int) -> Block:
    """Decodes the prompt, then times ``n_token`` tokens one by one."""
    prompt = llm.tokenize(PROMPT)

    def run(_round: int) -> float:
        llm.reset()
        step(0)
        llm.eval(prompt)
        llama_cpp.llama_synchronize(llm.ctx)
        begin = time.perf_counter()
        for number in range(n_token):
            step(number)
            llm.eval([TOKEN])
            llama_cpp.llama_synchronize(llm.ctx)
        return time.perf_counter() - begin

    return run


def set_publicly(llm: llama_cpp.Llama, evs: llamood.EmotionVectors, mood: dict[str, float]) -> None:
    """The blend in numpy, then `llama_set_adapter_cvec`, whose data begins at layer 1."""
    blend = np.zeros((evs.n_layer, evs.n_embd), dtype=np.float32)
    for name, weight in mood.items():
        blend += np.float32(weight) * evs[name]
    data = blend[1:].ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    size = (evs.n_layer - 1) * evs.n_embd
    if llama_cpp.llama_set_adapter_cvec(llm.ctx, data, size, evs.n_embd, 1, evs.n_layer - 1):
        raise RuntimeError("llama.cpp refused the control vector")


def last_logits(llm: llama_cpp.Llama) -> np.ndarray:
    """float32 (n_vocab,) of the last token decoded."""
    return np.ctypeslib.as_array(llama_cpp.llama_get_logits(llm.ctx), (llm.n_vocab(),)).copy()


def _require_steered(logits: dict[str, np.ndarray]) -> None:
    """A time means nothing if the steering did not happen: both ways must agree."""

    def apart(one: str, other: str) -> float:
        return float(np.abs(logits[one] - logits[other]).max())

    moved = apart("changing", "plain")
    if not (apart("changing", "naive") < 0.05 * moved and apart("constant", "plain") > 0):
        raise RuntimeError(f"the moods did not take hold; last logits: {logits}")

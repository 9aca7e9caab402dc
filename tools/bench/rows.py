"""Per token, one voice at site attn_out, where each layer is a stop of the graph: a constant mood
and one that changes every token, over no mood at all."""

from __future__ import annotations

from contextlib import ExitStack, closing

import llama_cpp
from paired import Measure, interleave, ratios
from steering import EVERYWHERE, N_CTX, Step, block, last_logits, mood_at

import llamood
from models import MODELS, BenchModel


def measure() -> list[Measure]:
    return [result for model in MODELS for result in _measure(model)]


def _measure(model: BenchModel) -> list[Measure]:
    arguments = model.arguments(n_ctx=N_CTX)
    with ExitStack() as stack:
        plain = stack.enter_context(closing(llama_cpp.Llama(**arguments)))
        emotions = {"emotions": model.vectors(), "site": "attn_out"}
        constant, changing = (
            stack.enter_context(closing(llamood.Llama(**arguments, **emotions))) for _ in range(2)
        )
        constant.feel(mood_at(0) | EVERYWHERE)
        steps: dict[str, tuple[llama_cpp.Llama, Step]] = {
            "plain": (plain, lambda _: None),
            "constant": (constant, lambda _: None),
            "changing": (changing, lambda number: changing.feel(mood_at(number) | EVERYWHERE)),
        }
        blocks = {name: block(llm, step, model.n_token) for name, (llm, step) in steps.items()}
        seconds = interleave(blocks, n_round=model.n_round)
        logits = {name: last_logits(llm) for name, (llm, _) in steps.items()}
        if any((logits["plain"] == logits[name]).all() for name in ("constant", "changing")):
            raise RuntimeError(f"the moods did not take hold; last logits: {logits}")
    return [
        Measure(
            name=f"{said} at attn_out / unsteered",
            model=model.name,
            values=ratios(seconds[name], seconds["plain"]),
        )
        for name, said in (
            ("constant", "constant mood"),
            ("changing", "feel() before every token"),
        )
    ]

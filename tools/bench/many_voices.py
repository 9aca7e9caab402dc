"""Voices that speak at once: what their moods cost, and what the cast around llama.cpp costs."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import Any

from bare import Bare, Draw, generation, speech
from chorus import HOW, Chorus, moving, neutral, steady
from paired import Block, Measure, interleave, ratios

import llamood
from models import MODELS, BenchModel

N_VOICE = (1, 8, 16)
N_TOKEN = 8  # of a block, at most: what all rounds say stays short
N_CTX = 640  # of a voice
AT_LEAST = 0.97
MOODS_AT_LEAST = {8: 0.98}  # of the same cast without; of other numbers as above

Seconds = dict[str, tuple[float, ...]]


def measure() -> list[Measure]:
    return [result for model in MODELS for result in _measure(model)]


def arguments(model: BenchModel) -> dict[str, Any]:
    """For `llamood.Cast`. With flash attention, which llama-bench has on and `llama_cpp.Llama` off:
    without it tokens take longer on a processor, whoever decodes them."""
    emotions = model.vectors()
    return {**model.arguments(n_ctx=N_CTX), "flash_attn": True, "emotions": emotions}


def _measure(model: BenchModel) -> list[Measure]:
    most = max(N_VOICE)
    with ExitStack() as stack:
        cast = stack.enter_context(
            closing(llamood.Cast(**arguments(model), voices=most, guard=False))
        )
        loaded = cast._shared._model.model
        many = stack.enter_context(Bare(loaded, n_sequence=most, n_ctx=most * N_CTX))
        one = stack.enter_context(Bare(loaded, n_sequence=1, n_ctx=N_CTX))
        measures = []
        for n_voice in N_VOICE:
            seconds = _seconds(cast, n_voice, model, many=many, one=one)
            measures += _measures(model, n_voice, seconds)
    return measures


def _seconds(
    cast: llamood.Cast, n_voice: int, model: BenchModel, *, many: Bare, one: Bare
) -> Seconds:
    many.forget()
    n_token, n_round = min(model.n_token, N_TOKEN), max(model.n_round // 3, 1)
    with Chorus(cast, n_voice) as chorus, ExitStack() as stack:
        draws = [stack.enter_context(closing(Draw(many, HOW))) for _ in range(n_voice)]
        blocks: dict[str, Block] = {
            "steady": chorus.block(steady, n_token=n_token),
            "moving": chorus.block(moving, n_token=n_token),
            "neutral": chorus.block(neutral, n_token=n_token),
            "bare": speech(many, draws, n_token=n_token, depth=chorus.position),
        }
        if n_voice == 1:
            blocks["tg"] = generation(one, n_token=n_token, depth=chorus.position)
        return interleave(blocks, n_round=n_round)


def _measures(model: BenchModel, n_voice: int, seconds: Seconds) -> list[Measure]:
    bound = AT_LEAST if model.is_bound else None
    of_moods = MOODS_AT_LEAST.get(n_voice, AT_LEAST) if model.is_bound else None

    def speed(name: str, over: str, said: str, bound: float | None) -> Measure:
        return Measure(
            name=said,
            model=model.name,
            values=ratios(seconds[over], seconds[name]),
            bound=bound,
            at_least=True,
        )

    who = f"{n_voice} voices" if n_voice > 1 else "1 voice"
    measures = [
        speed("steady", "neutral", f"{who}, a mood each / no mood, tokens per second", of_moods),
        speed("moving", "neutral", f"{who}, moods that change every token / no mood", None),
        speed("steady", "bare", f"{who}, a mood each / the same without llamood", bound),
    ]
    if "tg" in seconds:
        measures.append(speed("steady", "tg", f"{who}, a mood / llama-bench's tg", bound))
    return measures

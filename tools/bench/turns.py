"""Voices of a cast against voices that take turns: sequences of one context between whose tokens
its control vector is swapped, and contexts of their own."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import llama_cpp
from bare import Bare, Draw
from chorus import HOW, Chorus, steady
from many_voices import N_CTX, N_TOKEN, Seconds, arguments
from paired import Block, Measure, interleave, ratios
from steering import set_publicly

import llamood
from llamood import _core
from models import EMOTIONS, MODELS, BenchModel

N_ROUND = 5
N_BATCH = 32  # of contexts of their own, whose memory grows with it
PROMPT = [ord(letter) for letter in "Once upon a time, there"]
AT_LEAST = 2.0
N_VOICE = (8,)
BOUND_FOR = 8  # voices


def measure() -> list[Measure]:
    return [result for model in MODELS for result in _measure(model)]


def _measure(model: BenchModel) -> list[Measure]:
    evs = model.vectors()
    most = max(N_VOICE)
    with ExitStack() as stack:
        cast = stack.enter_context(
            closing(llamood.Cast(**arguments(model), voices=most, guard=False))
        )
        swapping = stack.enter_context(Swapping(cast._shared._model.model, evs, n_voice=most))
        apart = [stack.enter_context(_alone(model, evs, voice)) for voice in range(most)]
        n_token = min(model.n_token, N_TOKEN)
        measures = []
        for n_voice in N_VOICE:
            with Chorus(cast, n_voice) as chorus:
                seconds = interleave(
                    {
                        "at once": chorus.block(steady, n_token=n_token),
                        "swapped": swapping.block(n_voice, n_token=n_token),
                        "apart": in_turn(apart[:n_voice], n_token=n_token),
                    },
                    n_round=N_ROUND,
                )
            measures += _measures(model, n_voice, seconds)
    return measures


def _measures(model: BenchModel, n_voice: int, seconds: Seconds) -> list[Measure]:
    is_bound = model.is_bound and n_voice == BOUND_FOR
    who = f"{n_voice} voices at once" if n_voice > 1 else "1 voice"
    return [
        Measure(
            name=f"{who} / {said}, tokens per second",
            model=model.name,
            values=ratios(seconds[other], seconds["at once"]),
            bound=AT_LEAST if is_bound and other == "swapped" else None,
            at_least=True,
        )
        for other, said in (
            ("swapped", "one control vector, swapped"),
            ("apart", "a llama_cpp.Llama each, in turn"),
        )
    ]


class Swapping:
    """Sequences of one context, whose control vector is that of the one that speaks, written in
    place."""

    def __init__(self, model: object, evs: llamood.EmotionVectors, *, n_voice: int) -> None:
        self._bank = _core.Bank(evs.data)
        self._watch = _core.GraphWatch()
        self._bare = Bare(model, n_sequence=n_voice, n_ctx=n_voice * N_CTX, watch=self._watch)
        address = ctypes.cast(self._bare.ctx, ctypes.c_void_p).value or 0
        self._injector = _core.Injector(self._watch, address)
        self._draws = [Draw(self._bare, HOW) for _ in range(n_voice)]
        self._weights = [
            [steady(voice).get(name, 0.0) for name in EMOTIONS] for voice in range(n_voice)
        ]

    def __enter__(self) -> Swapping:
        return self

    def __exit__(self, *_: object) -> None:
        for draw in self._draws:
            draw.close()
        self._injector.close()
        self._bare.__exit__(None, None, None)

    def block(self, n_voice: int, *, n_token: int) -> Block:
        """Times ``n_token`` tokens of each voice."""
        self._bare.forget()
        self._bare.fill(n_voice, len(PROMPT))
        said = [40 + voice for voice in range(n_voice)]

        def speak(n: int) -> None:
            for position in range(self._bare.n_cached(0), self._bare.n_cached(0) + n):
                for voice in range(n_voice):
                    self._injector.apply(
                        self._bank, self._weights[voice], 1, self._bank.n_layer - 1
                    )
                    self._bare.decode([(said[voice], position, voice)])
                    said[voice] = self._draws[voice](0)

        def run(_number: int) -> float:
            speak(1)
            n_write = self._injector.writes + (n_voice > 1) * n_voice * n_token
            begin = time.perf_counter()
            speak(n_token)
            took = time.perf_counter() - begin
            if self._injector.writes != n_write or self._injector.missing_layers():
                raise RuntimeError("the control vector was not swapped")
            return took

        return run


@contextmanager
def _alone(model: BenchModel, evs: llamood.EmotionVectors, voice: int) -> Iterator[llama_cpp.Llama]:
    """A context of its own, in the mood of this voice by llama.cpp's public setter; where weights
    are `shared`, as files that are mapped into memory are."""
    settings = {"n_batch": N_BATCH, "flash_attn": True}
    with closing(llama_cpp.Llama(**model.arguments(n_ctx=N_CTX), **settings)) as llm:
        set_publicly(llm, evs, steady(voice))
        yield llm


def in_turn(voices: list[llama_cpp.Llama], *, n_token: int) -> Block:
    """Times ``n_token`` tokens of each, a token of each at a time."""
    streams = []
    for llm in voices:
        llm.reset()
        streams.append(llm.generate(PROMPT, temp=HOW.temperature))

    def run(_number: int) -> float:
        for stream in streams:
            next(stream)
        begin = time.perf_counter()
        for _ in range(n_token):
            for stream in streams:
                next(stream)
        return time.perf_counter() - begin

    return run

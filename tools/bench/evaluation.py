"""Answers of an evaluation, with their likelihoods, many at a time over one after another: the same
prompts, moods and seeds, as many tokens, all cores for either."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from typing import Any

from paired import Measure, interleave, ratios

import llamood
from llamood.extraction.listener import TEMPERATURE, TOP_P
from llamood.voices.answering import PARALLEL, Answering, Request
from llamood.voices.chat_template import chat_tokens
from models import EMOTIONS, MODELS, BenchModel, DemoModel

N_ROUND = 3
N_TOKEN = 24  # of an answer, at most
N_CTX = 256
AT_LEAST = 1.8
QUESTIONS = tuple(f"Is {n} a good age?" for n in range(1, 1 + PARALLEL))


def measure() -> list[Measure]:
    return [_measure(model) for model in MODELS if isinstance(model, DemoModel)]


def _measure(model: BenchModel) -> Measure:
    settings = {**model.arguments(n_ctx=N_CTX), "emotions": model.vectors()}
    path = settings.pop("model_path")
    with ExitStack() as stack:
        many = stack.enter_context(Answering(path, **settings))
        one = stack.enter_context(closing(llamood.Llama(path, guard=False, **settings)))
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
        bound=AT_LEAST if model.is_bound else None,
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
        answering.nll(prompts, [reply.tokens for reply in replies])
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
            llm.nll(request.prompt, tokens)
        n_token += len(tokens)
    return n_token

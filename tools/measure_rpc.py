"""What it costs that a model's layers lie in two servers of llama.cpp, on this machine.

    python tools/measure_rpc.py [MODEL] [--tokens 64] [--rounds 5]

Answers in a mood, greedily: tokens a second with the layers here and in the servers, a round of
each in turn; and how far the logits of one text lie apart. Machines of their own would compute
beside each other, and wait for a network: here they share the cores, and wait for none.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

import llamood
import rpc
from llamood import demo

HOSTS = ("127.0.0.1", "127.0.0.2")
MOOD = {"joy": 0.8}
TEXT = "The ferry was late again, and the whole town stood on the pier and talked about bread."


def spoken(llm: llamood.Llama, n: int) -> float:
    """Tokens a second."""
    began = time.perf_counter()
    made: Any = llm.create_completion("Once upon a time", max_tokens=n, temperature=0, mood=MOOD)
    return float(made["usage"]["completion_tokens"] / (time.perf_counter() - began))


def logits_of(llm: llamood.Llama) -> np.ndarray:
    llm.reset()
    with llm.feeling(MOOD):
        llm.eval(llm.tokenize(TEXT.encode()))
    return np.array(llm.scores[: llm.n_tokens])


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("model", nargs="?", default=str(demo.MODEL))
    options.add_argument("--emotions", default=str(demo.VECTORS))
    options.add_argument("--tokens", type=int, default=64)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    with ExitStack() as stack:
        servers = [stack.enter_context(rpc.started(host)) for host in HOSTS]
        how = {"emotions": given.emotions, "n_ctx": 512, "logits_all": True}
        here = stack.enter_context(closing(llamood.Llama(given.model, **how)))
        there = stack.enter_context(
            closing(
                llamood.Llama(
                    given.model,
                    rpc_servers=[one.endpoint for one in servers],
                    tensor_split=[1.0, 1.0],
                    n_gpu_layers=-1,
                    **how,
                )
            )
        )
        rates = [(spoken(here, given.tokens), spoken(there, given.tokens))]
        rates = [
            (spoken(here, given.tokens), spoken(there, given.tokens)) for _ in range(given.rounds)
        ]
        first, second = logits_of(here), logits_of(there)
    print(f"here: {median(rate for rate, _ in rates):.1f} tokens a second")
    print(f"in two servers: {median(rate for _, rate in rates):.1f}")
    print(f"ratio of paired rounds: {median(far / near for near, far in rates):.2f}")
    apart = np.abs(first - second)
    print(f"logits apart: {apart.max():.3g} at most; equal bit by bit: {np.mean(apart == 0):.3f}")


if __name__ == "__main__":
    main()

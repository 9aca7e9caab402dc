"""llama.cpp alone: sequences of one context, a batch a step through its C API, and as little Python
around it as that takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import llama_cpp
import numpy as np
from llama_cpp._utils import suppress_stdout_stderr
from paired import Block

from llamood import _core
from llamood.voices.sampling import Sampling
from models import THREADS

Row = tuple[int, int, int]  # token, position, sequence


class Bare:
    """``n_sequence`` sequences that share ``n_ctx`` cells, in a context of llama.cpp's ``model``,
    which stays its owner's. Parameters are llama.cpp's defaults, and llama-bench's, but for the
    threads. ``watch``: sees its graphs."""

    def __init__(
        self, model: Any, *, n_sequence: int, n_ctx: int, watch: _core.GraphWatch | None = None
    ) -> None:
        params = llama_cpp.llama_context_default_params()
        params.n_ctx, params.n_seq_max, params.kv_unified = n_ctx, n_sequence, True
        params.n_threads = params.n_threads_batch = THREADS
        if watch is not None:
            params.cb_eval = llama_cpp.ggml_backend_sched_eval_callback(watch.callback)
            params.cb_eval_user_data = watch.user_data
        with suppress_stdout_stderr(disable=False):  # llama.cpp warns of contexts of this size
            self.ctx = llama_cpp.llama_init_from_model(model, params)
        if not self.ctx:
            raise RuntimeError("llama.cpp opens no context")
        self.n_vocab: int = llama_cpp.llama_vocab_n_tokens(llama_cpp.llama_model_get_vocab(model))
        self._n_batch: int = min(params.n_batch, params.n_ubatch)
        self._batch = llama_cpp.llama_batch_init(self._n_batch, 0, 1)

    def __enter__(self) -> Bare:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        llama_cpp.llama_batch_free(self._batch)
        llama_cpp.llama_free(self.ctx)

    def n_cached(self, sequence: int) -> int:
        """How many positions are decoded."""
        memory = llama_cpp.llama_get_memory(self.ctx)
        return int(llama_cpp.llama_memory_seq_pos_max(memory, sequence)) + 1

    def forget(self) -> None:
        """All that was decoded."""
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.ctx), False)

    def decode(self, rows: Sequence[Row], *, outputs: bool = True) -> None:
        """One batch. ``outputs``: all of it asks for logits, or nothing."""
        batch = self._batch
        batch.n_tokens = len(rows)
        for i, (token, position, sequence) in enumerate(rows):
            batch.token[i], batch.pos[i], batch.logits[i] = token, position, outputs
            batch.n_seq_id[i], batch.seq_id[i][0] = 1, sequence
        if llama_cpp.llama_decode(self.ctx, batch):
            raise RuntimeError("llama.cpp could not decode a batch")

    def fill(self, n_sequence: int, position: int) -> None:
        """Let the first sequences, which are equally long, have decoded some tokens up to
        ``position``: side by side, as voices do. How fast attention is on a processor depends on
        how the cells of sequences lie among each other."""
        rows = [
            (32 + at % 95, at, sequence)
            for at in range(self.n_cached(0), position)
            for sequence in range(n_sequence)
        ]
        for begin in range(0, len(rows), self._n_batch):
            self.decode(rows[begin : begin + self._n_batch], outputs=False)


class Draw:
    """What a cast draws the tokens of one voice with, where the temperature is above 0."""

    def __init__(self, bare: Bare, how: Sampling) -> None:
        parts = (
            llama_cpp.llama_sampler_init_penalties(
                bare.n_vocab,
                how.last_n_tokens,
                how.repeat_penalty,
                how.frequency_penalty,
                how.presence_penalty,
            ),
            llama_cpp.llama_sampler_init_top_k(how.top_k),
            llama_cpp.llama_sampler_init_typical(how.typical_p, 1),
            llama_cpp.llama_sampler_init_top_p(how.top_p, 1),
            llama_cpp.llama_sampler_init_min_p(how.min_p, 1),
            llama_cpp.llama_sampler_init_temp(how.temperature),
            llama_cpp.llama_sampler_init_dist(how.seed or 0),
        )
        self._ctx = bare.ctx
        self._chain = llama_cpp.llama_sampler_chain_init(
            llama_cpp.llama_sampler_chain_default_params()
        )
        for part in parts:
            llama_cpp.llama_sampler_chain_add(self._chain, part)

    def close(self) -> None:
        llama_cpp.llama_sampler_free(self._chain)

    def __call__(self, output: int) -> int:
        """A token from the logits of that token of the batch."""
        return int(llama_cpp.llama_sampler_sample(self._chain, self._ctx, output))


def generation(bare: Bare, *, n_token: int, depth: Callable[[], int]) -> Block:
    """What llama-bench's token generation test (``-p 0 -n n_token -d depth``) times: random tokens
    of one sequence decoded one by one, each of them waited for, none of them drawn."""

    def run(number: int) -> float:
        bare.fill(1, depth())
        rng = np.random.default_rng(number + 1)
        first, *tokens = rng.integers(bare.n_vocab, size=1 + n_token).tolist()
        position = bare.n_cached(0)
        bare.decode([(first, position, 0)])  # so that a graph of this shape is there
        llama_cpp.llama_synchronize(bare.ctx)
        begin = time.perf_counter()
        for i, token in enumerate(tokens):
            bare.decode([(token, position + 1 + i, 0)])
            llama_cpp.llama_synchronize(bare.ctx)
        return time.perf_counter() - begin

    return run


def speech(bare: Bare, draws: Sequence[Draw], *, n_token: int, depth: Callable[[], int]) -> Block:
    """As many voices as a cast has, with nothing of a cast: a batch a step, and the next token of
    each drawn in C. Times ``n_token`` steps of all of them."""

    def run(_number: int) -> float:
        bare.fill(len(draws), depth())
        position = bare.n_cached(0)
        said = [40 + voice for voice in range(len(draws))]

        def speak(n: int) -> None:
            nonlocal position, said
            for _ in range(n):
                bare.decode([(token, position, voice) for voice, token in enumerate(said)])
                said = [draw(voice) for voice, draw in enumerate(draws)]
                position += 1

        speak(1)  # so that a graph of this shape is there
        begin = time.perf_counter()
        speak(n_token)
        return time.perf_counter() - begin

    return run

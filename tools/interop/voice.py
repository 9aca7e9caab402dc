"""What a model says under llamood: logits of given tokens, and greedy answers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import numpy.typing as npt

import llamood
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.measurement import Site

Logits = npt.NDArray[np.float32]
N_CTX = 256
# As PyTorch computes: keys and values kept in float32, and no attention in blocks.
EXACT: dict[str, Any] = {
    "type_k": llama_cpp.GGML_TYPE_F32,
    "type_v": llama_cpp.GGML_TYPE_F32,
    "flash_attn": False,
}
UNHELD = 1000.0  # a ceiling that nothing here reaches: peers hold nothing back


def opened(
    model: Path, vectors: EmotionVectors | None, *, threads: int, **settings: Any
) -> llamood.Llama:
    """A voice that feels as much as it is told."""
    free = None
    if vectors is not None:
        free = replace(vectors, ceiling=(UNHELD,) * vectors.n_emotion)
    how = {"n_ctx": N_CTX, "n_threads": threads, "n_threads_batch": threads, "verbose": False}
    return llamood.Llama(model, emotions=free, guard=False, **{**how, **settings})


def steered_logits(
    model: Path,
    vectors: EmotionVectors,
    prompts: Sequence[Sequence[int]],
    *,
    coefficient: float,
    threads: int,
    site: Site | None = None,
) -> list[Logits]:
    """Of each prompt (n_token, n_vocab), its first emotion added ``coefficient`` times at all
    tokens."""
    mood = {vectors.names[0]: coefficient, "$positions": "all"}
    found = []
    with closing(
        opened(model, vectors, threads=threads, site=site, logits_all=True, **EXACT)
    ) as llm:
        llm.feel(mood)
        for tokens in prompts:
            llm.reset()
            llm.eval(list(tokens))
            found.append(np.array(llm.scores[: len(tokens)], dtype=np.float32))
    return found


def answer(
    model: Path,
    vectors: EmotionVectors | None,
    prompt: str,
    *,
    added: float,
    n_token: int,
    threads: int,
) -> str:
    """What it says greedily, at most ``n_token``, until it ends its answer; the first emotion's
    numbers, as they are in its file, are added ``added`` times at all tokens."""
    with closing(opened(model, vectors, threads=threads, flash_attn=False)) as llm:
        if vectors is not None:
            llm.feel({vectors.names[0]: added, "$positions": "all"})
        prompt_tokens = llm.tokenize(prompt.encode(), special=True)
        said: list[int] = []
        for token in islice(llm.generate(prompt_tokens, temp=0.0), n_token):
            if llama_cpp.llama_vocab_is_eog(llama_cpp.llama_model_get_vocab(llm.model), token):
                break
            said.append(token)
        return llm.detokenize(said).decode(errors="replace")


def tokens_of(model: Path, texts: Sequence[str]) -> list[list[int]]:
    """As llama.cpp reads them."""
    with closing(llama_cpp.Llama(str(model), n_ctx=64, verbose=False)) as llm:
        return [list(llm.tokenize(text.encode(), special=True)) for text in texts]

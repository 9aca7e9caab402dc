"""A small random llama, as models of it are written for tests: with a chat template or without."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from llama_gguf import CHATML, LlamaShape, byte_tokenizer, random_weights, write_llama

SHAPE = LlamaShape(n_layer=4, n_embd=64, n_ff=128, n_head=4, n_head_kv=2, n_vocab=300, n_ctx=1024)


def write_random_chat(
    path: Path,
    *,
    name: str,
    chat_template: str | None = CHATML,
    weights: dict[str, np.ndarray] | None = None,
) -> Path:
    """4 layers, width 64, bytes for tokens, F32; ``weights``: others than those of one seed."""
    write_llama(
        path,
        SHAPE,
        weights or random_weights(SHAPE, seed=1, scale=0.2),
        tokenizer=byte_tokenizer(SHAPE.n_vocab),
        chat_template=chat_template,
        quant="f32",
        name=name,
    )
    return path

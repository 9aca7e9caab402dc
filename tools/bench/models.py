"""Model files of real shapes with random weights, made once and kept, and vectors for them."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import llamood
from llama_gguf import CHATML, LlamaShape, Quant, byte_tokenizer, random_weights, write_llama

SEED = 1
# Half of the cores, as llama_cpp chooses for itself, for prompts too: threads that wait for a
# core that is busy elsewhere are what makes times jump.
THREADS = max(1, (os.cpu_count() or 1) // 2)
EMOTIONS = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
CEILING = 50.0  # of vectors that mean nothing, which are not to be held to a safe dose


@dataclass(frozen=True, kw_only=True)
class BenchModel:
    """A shape, how its matrices are stored, and how it is timed: ``n_round`` rounds with
    blocks of ``n_token`` tokens. Many short blocks stand a busy machine best."""

    name: str
    shape: LlamaShape
    quant: Quant
    n_token: int
    n_round: int

    def arguments(self, *, n_ctx: int) -> dict[str, Any]:
        """For `llama_cpp.Llama` and `llamood.Llama`."""
        return {
            "model_path": str(self.path()),
            "n_ctx": n_ctx,
            "n_threads": THREADS,
            "n_threads_batch": THREADS,
            "verbose": False,
        }

    def path(self) -> Path:
        """The model file; made on the first call (under a minute for the larger shape)."""
        described = f"{self.shape} {self.quant} {SEED}"
        digest = hashlib.blake2b(described.encode(), digest_size=4).hexdigest()
        path = cache_folder() / f"{self.name}-{self.quant}-{digest}.gguf"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._write(path)
        return path

    def _write(self, path: Path) -> None:
        weights = random_weights(self.shape, seed=SEED)
        tokenizer = byte_tokenizer(self.shape.n_vocab)
        # Output rows of zeros are never among the likeliest, so no answer ends early or, with
        # half a character at its end, late: bytes beyond ASCII and the tokens that end a turn.
        weights["token_embd.weight"][0x80 : tokenizer.eos + 1] = 0
        write_llama(
            path,
            self.shape,
            weights,
            tokenizer=tokenizer,
            chat_template=CHATML,
            quant=self.quant,
            name=self.name,
        )

    def vectors(self) -> llamood.EmotionVectors:
        """Six random emotions, large enough to move the logits."""
        rng = np.random.default_rng(SEED)
        data = rng.standard_normal((len(EMOTIONS), self.shape.n_layer, self.shape.n_embd))
        return llamood.EmotionVectors(
            names=EMOTIONS,
            data=data.astype(np.float32) * 0.1,
            ceiling=(CEILING,) * len(EMOTIONS),
        )


def cache_folder() -> Path:
    """``llamood-bench`` in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "llamood-bench"


QWEN = BenchModel(
    name="qwen2.5-0.5b",
    shape=LlamaShape(
        n_layer=24,
        n_embd=896,
        n_ff=4864,
        n_head=14,
        n_head_kv=2,
        n_vocab=151_936,
        n_ctx=32_768,
        rope_theta=1e6,
        norm_eps=1e-6,
        arch="qwen2",
    ),
    quant="q4_0",
    n_token=4,
    n_round=40,
)
SMALL = BenchModel(
    name="small",
    shape=LlamaShape(
        n_layer=8, n_embd=256, n_ff=704, n_head=4, n_head_kv=4, n_vocab=8192, n_ctx=2048
    ),
    quant="q8_0",
    n_token=32,
    n_round=100,
)
MODELS = (QWEN, SMALL)

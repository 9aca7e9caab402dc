"""What benches time: SmolLM2, and a real shape with random weights, which is made once and kept."""

from __future__ import annotations

import hashlib
import os
import shutil
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np

import llamood
from llama_gguf import CHATML, LlamaShape, Quant, byte_tokenizer, random_weights, write_llama
from llamood import demo
from llamood.cores import usable_cores

SEED = 1
N_PROMPT = 8  # characters of a prompt that means nothing
THREADS = usable_cores()  # for prompts too: what llamood takes where nobody says
EMOTIONS = ("anger", "disgust", "fear", "joy", "sadness", "surprise")
CEILING = 50.0  # of vectors that mean nothing, which are not to be held to a safe dose


@dataclass(frozen=True, kw_only=True)
class BenchModel(ABC):
    """A model that never ends an answer, and how it is timed: ``n_round`` rounds with blocks of
    ``n_token`` tokens. Many short blocks stand a busy machine best. ``is_bound``: bounds hold for
    it; else its figures are shown. ``temperature``: at which it says something new all the time;
    random weights soon say one loop at less."""

    name: str
    n_token: int
    n_round: int
    is_bound: bool = False
    temperature: float = 1.5

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
        digest = hashlib.blake2b(self._described().encode(), digest_size=4).hexdigest()
        path = cache_folder() / f"{self.name.replace(' ', '-').lower()}-{digest}.gguf"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            made = path.with_suffix(".partial")
            self._write(made)
            made.replace(path)
        return path

    @abstractmethod
    def vectors(self) -> llamood.EmotionVectors:
        """Of `EMOTIONS`, large enough to move the logits."""

    @abstractmethod
    def prompt(self, number: int) -> str:
        """One of many, which is answered at length."""

    @abstractmethod
    def _described(self) -> str:
        """All that the file depends on."""

    @abstractmethod
    def _write(self, path: Path) -> None: ...


@dataclass(frozen=True, kw_only=True)
class RandomModel(BenchModel):
    """A shape, and how its matrices are stored."""

    shape: LlamaShape
    quant: Quant

    def vectors(self) -> llamood.EmotionVectors:
        rng = np.random.default_rng(SEED)
        data = rng.standard_normal((len(EMOTIONS), self.shape.n_layer, self.shape.n_embd))
        return llamood.EmotionVectors(
            names=EMOTIONS,
            data=data.astype(np.float32) * 0.1,
            ceiling=(CEILING,) * len(EMOTIONS),
        )

    def prompt(self, number: int) -> str:
        return bytes(np.random.default_rng(number + 1).integers(32, 127, N_PROMPT)).decode()

    def _described(self) -> str:
        return f"{self.shape} {self.quant} {SEED}"

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


@dataclass(frozen=True, kw_only=True)
class DemoModel(BenchModel):
    """The demo's, with its vectors."""

    def vectors(self) -> llamood.EmotionVectors:
        return llamood.load(demo.VECTORS).select(EMOTIONS)

    def prompt(self, number: int) -> str:
        question = f"Tell me a long story about a town of {number + 12} houses."
        return f"<|im_start|>user\n{question}<|im_on_|>\n<|im_start|>assistant\n"

    def _described(self) -> str:
        return f"{demo.MODEL.name} {ENDS!r} {UNUSED}"

    def _write(self, path: Path) -> None:
        """The same file, in which the tokens that end a turn have other names, by which llama.cpp
        knows them, and another token's number stands for the end."""
        shutil.copyfile(demo.MODEL, path)
        reader = gguf.GGUFReader(path, "r+")
        reader.fields["tokenizer.ggml.eos_token_id"].parts[-1][0] = UNUSED
        header = reader.data[: reader.data_offset]
        text = header.tobytes()
        for name in ENDS:
            text = text.replace(name, name.replace(b"end", b"on_"))
        header[:] = np.frombuffer(text, dtype=header.dtype)
        reader.data.flush()


def cache_folder() -> Path:
    """``llamood-bench`` in the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "llamood-bench"


ENDS = (b"<|im_end|>", b"<|endoftext|>")  # of SmolLM2
UNUSED = 4  # <reponame>, which llama.cpp takes for an end in any case
SMOLLM2 = DemoModel(
    name="SmolLM2-135M-Instruct", n_token=8, n_round=60, is_bound=True, temperature=0.8
)
QWEN = RandomModel(
    name="shape of Qwen2.5-0.5B",
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
    n_token=3,
    n_round=20,
    is_bound=True,
)
MODELS: tuple[BenchModel, ...] = (SMOLLM2, QWEN)

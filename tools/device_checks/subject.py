"""The models that are looked at: small ones with random weights, and that of the tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import llamood
import tiny_chat
from llama_gguf import Arch, LlamaShape, Quant, byte_tokenizer, random_weights, write_llama

SEED = 1
EMOTIONS = ("anger", "joy")


@dataclass(frozen=True, eq=False)
class Subject:
    """A model file, vectors that change what it says, and a text that it knows the tokens of."""

    name: str
    path: Path
    emotions: llamood.EmotionVectors
    tokens: Sequence[int]

    @property
    def n_layer(self) -> int:
        return self.emotions.n_layer

    @property
    def steered_layers(self) -> list[int]:
        """Of those that a control vector can reach, where the last emotion has a vector."""
        data = self.emotions.data[-1]
        return [layer for layer in range(1, self.n_layer) if data[layer].any()]

    @property
    def weights(self) -> list[float]:
        """Of the last emotion alone."""
        return self.strength(1.0)

    def strength(self, intensity: float) -> list[float]:
        return [0.0] * (self.emotions.n_emotion - 1) + [intensity]


def subjects(folder: Path) -> list[Subject]:
    """``folder``: where those of random weights are written."""
    evs = llamood.load(tiny_chat.VECTORS)
    tokens = [int(token) for token in np.random.default_rng(SEED).integers(300, 1500, size=12)]
    return [
        _random(folder, name="llama, F32", arch="llama", quant="f32"),
        _random(folder, name="qwen2, F16", arch="qwen2", quant="f16"),
        Subject("tiny_chat, Q8_0", tiny_chat.MODEL, evs, tokens),
    ]


def _random(folder: Path, *, name: str, arch: Arch, quant: Quant) -> Subject:
    shape = LlamaShape(
        n_layer=4,
        n_embd=128,
        n_ff=256,
        n_head=4,
        n_head_kv=2,
        n_vocab=512,
        n_ctx=512,
        arch=arch,
    )
    path = write_llama(
        folder / f"{arch}-{quant}.gguf",
        shape,
        random_weights(shape, seed=SEED, scale=0.1),
        tokenizer=byte_tokenizer(shape.n_vocab),
        quant=quant,
        name=name,
    )
    rng = np.random.default_rng(SEED)
    data = 0.5 * rng.standard_normal((len(EMOTIONS), shape.n_layer, shape.n_embd))
    ceiling = (50.0,) * len(EMOTIONS)  # not to be held to a safe dose
    evs = llamood.EmotionVectors(EMOTIONS, data, ceiling=ceiling)
    return Subject(name, path, evs, list(b"Once upon a "))

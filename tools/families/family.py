"""A family of models: what llama.cpp demands of its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from llama_gguf import CHATML, _add_tokenizer, byte_tokenizer

N_VOCAB = 300
N_CTX = 1024  # tokens that each was "trained" for

Shapes = Mapping[str, tuple[int, ...]]
Value = int | float | bool | tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Family:
    """``arch``: llama.cpp's name. ``keys``: of the metadata, without the architecture's prefix.
    ``block``: layer -> its tensors, name -> shape, matrices as (n_out, n_in); ``whole``: those of
    no layer. ``kind``: what sets it apart, in a few words."""

    arch: str
    kind: str
    n_layer: int
    n_embd: int
    keys: Mapping[str, Value]
    block: Callable[[int], Shapes]
    whole: Shapes = field(default_factory=dict)

    def shapes(self) -> Shapes:
        """Name -> shape of every tensor of the file."""
        shapes = {"token_embd.weight": (N_VOCAB, self.n_embd), **self.whole}
        for layer in range(self.n_layer):
            shapes |= {f"blk.{layer}.{name}": shape for name, shape in self.block(layer).items()}
        return shapes

    def write(self, path: Path, *, seed: int = 4) -> Path:
        """A model file of random weights, bytes for tokens, F32; it answers chats."""
        writer = gguf.GGUFWriter(path, self.arch)
        writer.add_name("random weights")  # by "phi3" in a name llama.cpp knows its tokens
        common = {
            "context_length": N_CTX,
            "embedding_length": self.n_embd,
            "block_count": self.n_layer,
            "vocab_size": N_VOCAB,
        }
        for key, value in {**common, **self.keys}.items():
            _add(writer, f"{self.arch}.{key}", value)
        _add_tokenizer(writer, byte_tokenizer(N_VOCAB), CHATML)
        rng = np.random.default_rng(seed)
        for name, shape in self.shapes().items():
            writer.add_tensor(name, _numbers(rng, name, shape))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path


def _add(writer: gguf.GGUFWriter, key: str, value: Value) -> None:
    if isinstance(value, bool):
        writer.add_bool(key, value)
    elif isinstance(value, int):
        writer.add_uint32(key, value)
    elif isinstance(value, float):
        writer.add_float32(key, value)
    else:
        writer.add_array(key, list(value))


def _numbers(rng: np.random.Generator, name: str, shape: tuple[int, ...]) -> Any:
    array: Any = 0.2 * rng.standard_normal(shape)
    if name.endswith(("norm.weight", "_norm")):
        array += 1
    elif name.endswith("ssm_a"):
        array = -np.exp(array)  # the state decays
    return array.astype(np.float32)

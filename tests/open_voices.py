"""Small voices for tests, and what they say bit by bit."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import gguf
import llama_cpp
import numpy as np
import numpy.typing as npt

import llamood

SETTINGS: dict[str, Any] = {
    "n_ctx": 256,
    "n_threads": 1,
    "n_threads_batch": 1,
    "seed": 1,
    "verbose": False,
}
PROMPT = "Once upon a time, there was a little girl"
JOY: dict[str, Any] = {"joy": 1.0}
UNHELD = 50.0  # a ceiling that no mood of the tests reaches


def shape_of(model: Path) -> tuple[int, int]:
    """(n_layer, n_embd)"""
    fields = gguf.GGUFReader(model).fields
    arch = fields["general.architecture"].contents()
    return fields[f"{arch}.block_count"].contents(), fields[f"{arch}.embedding_length"].contents()


def random_vectors(
    model: Path, *, names: Sequence[str] = ("anger", "joy"), seed: int = 3
) -> llamood.EmotionVectors:
    """Vectors that fit the model and change what it says, as if calibration had bounded nothing."""
    rng = np.random.default_rng(seed)
    data = 0.5 * rng.standard_normal((len(names), *shape_of(model)))
    return llamood.EmotionVectors(tuple(names), data, ceiling=(UNHELD,) * len(names))


def plain(model: Path, **settings: Any) -> llama_cpp.Llama:
    """A voice of llama_cpp itself."""
    return llama_cpp.Llama(str(model), **{**SETTINGS, **settings})


def voice(model: Path, **settings: Any) -> llamood.Llama:
    """A voice with `random_vectors`, unless other ``emotions`` are given.

    Unguarded: what models of random weights say is one loop.
    """
    defaults = {"emotions": random_vectors(model), "guard": False, **SETTINGS}
    return llamood.Llama(model, **{**defaults, **settings})


def logits(llm: llama_cpp.Llama) -> npt.NDArray[np.float32]:
    """(n_vocab,) after the token that was decoded last."""
    last = llama_cpp.llama_get_logits_ith(llm.ctx, -1)
    return np.ctypeslib.as_array(last, shape=(llm.n_vocab(),)).copy()


@dataclass(frozen=True, eq=False)
class Answer:
    """Tokens, and the logits (n_token, n_vocab) that each was taken from. Where that was asked for,
    also what was felt (see ``Llama.mix``) and read when each was chosen."""

    tokens: list[int]
    logits: npt.NDArray[np.float32]
    moods: Sequence[Mapping[str, float]] = ()
    readings: Sequence[Mapping[str, float]] = ()

    def equals(self, other: Answer) -> bool:
        """Bit by bit."""
        return self.tokens == other.tokens and np.array_equal(self.logits, other.logits)


def answer(
    llm: llama_cpp.Llama, prompt: str | Sequence[int] = PROMPT, *, n_token: int = 32
) -> Answer:
    """What the voice says now, greedily."""
    tokens = llm.tokenize(prompt.encode()) if isinstance(prompt, str) else list(prompt)
    said, rows = [], []
    for token in islice(llm.generate(tokens, temp=0.0), n_token):
        said.append(token)
        rows.append(logits(llm))
    return Answer(said, np.array(rows))


def set_control_vector(llm: llama_cpp.Llama, added: npt.NDArray[np.float32]) -> None:
    """llama.cpp's public setter; ``added`` (n_layer, n_embd), of which layer 0 is not used."""
    data = np.ascontiguousarray(added[1:], dtype=np.float32)
    code = llama_cpp.llama_set_adapter_cvec(
        llm.ctx,
        data.ctypes.data_as(ctypes.POINTER(ctypes.c_float)),
        data.size,
        added.shape[1],
        1,
        len(added) - 1,
    )
    assert code == 0


def state_of(llm: llama_cpp.Llama) -> bytes:
    """The cached keys and values of the voice's one sequence, as llama.cpp stores them."""
    size = llama_cpp.llama_state_seq_get_size(llm.ctx, 0)
    data = (ctypes.c_uint8 * size)()
    assert llama_cpp.llama_state_seq_get_data(llm.ctx, data, size, 0) == size
    return bytes(data)

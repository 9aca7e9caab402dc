"""A model that is small enough to be reckoned by numpy, and a file of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

from llamood.vectors.measurement import Site

Float32 = npt.NDArray[np.float32]

N_LAYER, N_EMBD, N_FF, N_HEAD = 4, 32, 48, 2
LETTERS = "abcdefghijklmnopqrstuvwxyz"  # what it says; a token is the place of its letter
_END = len(LETTERS)
_EPS = 1e-5


@dataclass(frozen=True, eq=False)
class ReckonedModel:
    """A llama of 4 layers whose attention adds nothing, so that a hidden state depends on one token
    alone. ``weights``: by the names of GGUF, matrices as (n_out, n_in)."""

    weights: dict[str, Float32]

    @classmethod
    def of(cls, seed: int) -> ReckonedModel:
        """Random weights, the same for the same seed."""
        rng = np.random.default_rng(seed)
        weights = {
            name: rng.standard_normal(shape, dtype=np.float32) * np.float32(0.3)
            for name, shape in _shapes().items()
        }
        for name in weights:
            if name.endswith("norm.weight"):
                weights[name] += np.float32(1)
            elif name.endswith("attn_output.weight"):
                weights[name][:] = 0
        weights["output.weight"][_END] = 0
        return cls(weights)

    def hidden(self, token: int, *, added: Float32, site: Site = "layer_out") -> Float32:
        """(N_LAYER, N_EMBD): the residual stream at the end of each block. ``added``, of the same
        shape, is added there, or to the output of the attention."""
        state = self.weights["token_embd.weight"][token]
        states = []
        for layer in range(N_LAYER):
            block = f"blk.{layer}."
            if site == "attn_out":
                state = state + added[layer]
            normed = _normed(state, self.weights[f"{block}ffn_norm.weight"])
            gate = self.weights[f"{block}ffn_gate.weight"] @ normed
            up = self.weights[f"{block}ffn_up.weight"] @ normed
            inner = gate / (1 + np.exp(-gate)) * up
            state = state + self.weights[f"{block}ffn_down.weight"] @ inner
            if site == "layer_out":
                state = state + added[layer]
            states.append(state)
        return np.array(states)

    def logits(self, token: int, *, added: Float32, site: Site = "layer_out") -> Float32:
        """(n_vocab,) after this token."""
        last = self.hidden(token, added=added, site=site)[-1]
        normed = _normed(last, self.weights["output_norm.weight"])
        return np.asarray(self.weights["output.weight"] @ normed)

    def answer(self, token: int, *, n_token: int, added: Float32) -> list[int]:
        """The likeliest tokens after this one, one after the other."""
        said = [token]
        for _ in range(n_token):
            said.append(int(self.logits(said[-1], added=added).argmax()))
        return said[1:]

    def write(self, path: Path) -> Path:
        """As a file that llama.cpp loads."""
        writer = gguf.GGUFWriter(path, "llama")
        writer.add_context_length(64)
        writer.add_embedding_length(N_EMBD)
        writer.add_block_count(N_LAYER)
        writer.add_feed_forward_length(N_FF)
        writer.add_head_count(N_HEAD)
        writer.add_head_count_kv(N_HEAD)
        writer.add_layer_norm_rms_eps(_EPS)
        writer.add_rope_dimension_count(N_EMBD // N_HEAD)
        writer.add_vocab_size(_END + 1)
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("gpt-2")
        writer.add_token_list([*LETTERS, "<end>"])
        kinds = [gguf.TokenType.NORMAL] * _END + [gguf.TokenType.CONTROL]
        writer.add_token_types([int(each) for each in kinds])
        writer.add_token_merges(["a b"])  # llama.cpp wants one
        writer.add_bos_token_id(_END)
        writer.add_eos_token_id(_END)
        writer.add_add_bos_token(False)
        for name, array in self.weights.items():
            writer.add_tensor(name, array)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        return path


def _shapes() -> dict[str, tuple[int, ...]]:
    square = (N_EMBD, N_EMBD)
    block = {
        "attn_norm": (N_EMBD,),
        "attn_q": square,
        "attn_k": square,
        "attn_v": square,
        "attn_output": square,
        "ffn_norm": (N_EMBD,),
        "ffn_gate": (N_FF, N_EMBD),
        "ffn_up": (N_FF, N_EMBD),
        "ffn_down": (N_EMBD, N_FF),
    }
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (_END + 1, N_EMBD)}
    for layer in range(N_LAYER):
        shapes |= {f"blk.{layer}.{name}.weight": shape for name, shape in block.items()}
    shapes["output_norm.weight"] = (N_EMBD,)
    shapes["output.weight"] = (_END + 1, N_EMBD)
    return shapes


def _normed(state: Float32, weight: Float32) -> Float32:
    """RMSNorm."""
    return np.asarray(state / np.sqrt(np.mean(state * state) + np.float32(_EPS)) * weight)

"""Llama-family GGUF model files, written from plain arrays.

For models made here: the tests' tiny_chat, random weights of real shapes for tests and
benchmarks, and the twin of a `transformers` model for parity tests. Tensor names and row
orders are those that llama.cpp reads.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import gguf
import numpy as np
from gguf import GGMLQuantizationType, LlamaFileType, TokenType

if TYPE_CHECKING:
    from transformers import LlamaForCausalLM

Arch = Literal["llama", "qwen2"]
Quant = Literal["f32", "f16", "q8_0", "q4_0"]
Weights = Mapping[str, np.ndarray]

QUANTS: dict[Quant, tuple[GGMLQuantizationType, LlamaFileType]] = {
    "f32": (GGMLQuantizationType.F32, LlamaFileType.ALL_F32),
    "f16": (GGMLQuantizationType.F16, LlamaFileType.MOSTLY_F16),
    "q8_0": (GGMLQuantizationType.Q8_0, LlamaFileType.MOSTLY_Q8_0),
    "q4_0": (GGMLQuantizationType.Q4_0, LlamaFileType.MOSTLY_Q4_0),
}

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


@dataclass(frozen=True, kw_only=True)
class LlamaShape:
    """Everything about a model but its numbers. ``qwen2`` has biases on q, k and v."""

    n_layer: int
    n_embd: int
    n_ff: int
    n_head: int
    n_head_kv: int
    n_vocab: int
    n_ctx: int
    rope_theta: float = 10_000.0
    norm_eps: float = 1e-5
    tied: bool = True
    arch: Arch = "llama"

    def __post_init__(self) -> None:
        if self.n_embd % self.n_head or self.n_head % self.n_head_kv:
            raise ValueError(
                f"n_embd {self.n_embd} must divide into n_head {self.n_head} heads, "
                f"and those into n_head_kv {self.n_head_kv} groups"
            )

    @property
    def n_rot(self) -> int:
        """Width of one head; every dimension of it is rotated."""
        return self.n_embd // self.n_head

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Name -> shape, matrices as ``(n_out, n_in)``, in file order."""
        wide, kv = self.n_embd, self.n_head_kv * self.n_rot
        shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (self.n_vocab, wide)}
        for layer in range(self.n_layer):
            block = {
                "attn_norm.weight": (wide,),
                "attn_q.weight": (wide, wide),
                "attn_k.weight": (kv, wide),
                "attn_v.weight": (kv, wide),
                "attn_output.weight": (wide, wide),
                "ffn_norm.weight": (wide,),
                "ffn_gate.weight": (self.n_ff, wide),
                "ffn_up.weight": (self.n_ff, wide),
                "ffn_down.weight": (wide, self.n_ff),
            }
            if self.arch == "qwen2":
                block |= {"attn_q.bias": (wide,), "attn_k.bias": (kv,), "attn_v.bias": (kv,)}
            shapes |= {f"blk.{layer}.{name}": shape for name, shape in block.items()}
        shapes["output_norm.weight"] = (wide,)
        if not self.tied:
            shapes["output.weight"] = (self.n_vocab, wide)
        return shapes


@dataclass(frozen=True, kw_only=True)
class GgufTokenizer:
    """A tokenizer as GGUF stores it. Token texts of a ``gpt2`` model are byte-level:
    each byte stands as the character that `byte_alphabet` gives it."""

    tokens: tuple[str, ...]
    types: tuple[int, ...]  # gguf.TokenType, one per token
    merges: tuple[str, ...]  # "left right", best first; llama.cpp wants at least one
    bos: int
    eos: int
    pad: int | None = None
    add_bos: bool = False
    model: str = "gpt2"
    pre: str = "gpt-2"  # llama.cpp's name of the rule that cuts text into words


def byte_alphabet() -> tuple[str, ...]:
    """The printable character of each byte 0..255 in byte-level BPE (GPT-2's rule)."""
    printable = {*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    rest = [byte for byte in range(256) if byte not in printable]
    moved = {byte: chr(256 + i) for i, byte in enumerate(rest)}
    return tuple(chr(b) if b in printable else moved[b] for b in range(256))


def byte_tokenizer(n_vocab: int) -> GgufTokenizer:
    """A tokenizer that turns any UTF-8 text into its bytes and back, ``n_vocab`` >= 260.

    Ids 0..255 are the bytes; then ``<|endoftext|>`` (BOS, padding), ``<|im_start|>``,
    ``<|im_end|>`` (EOS), the one merge, and fillers: never made from text, but a model of
    random weights samples them, and each has a text of its own.
    """
    if n_vocab < 260:
        raise ValueError(f"a byte tokenizer needs at least 260 tokens, not {n_vocab}")
    alphabet = byte_alphabet()
    space = alphabet[ord(" ")]
    special = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    filler = tuple(f"{space}f{i}" for i in range(n_vocab - 260))
    kinds = [TokenType.NORMAL] * 256 + [TokenType.CONTROL] * 3
    kinds += [TokenType.NORMAL] * (n_vocab - 259)
    return GgufTokenizer(
        tokens=(*alphabet, *special, f"{space}t", *filler),
        types=tuple(int(kind) for kind in kinds),
        merges=(f"{space} t",),
        bos=256,
        eos=258,
        pad=256,
    )


def random_weights(shape: LlamaShape, *, seed: int, scale: float = 0.02) -> dict[str, np.ndarray]:
    """Float32 weights: matrices and biases normal with standard deviation ``scale``,
    norm weights the same around 1. The same seed gives the same numbers."""
    rng = np.random.default_rng(seed)
    weights = {}
    for name, dims in shape.tensors().items():
        array = rng.standard_normal(dims, dtype=np.float32)
        array *= np.float32(scale)
        if name.endswith("norm.weight"):
            array += np.float32(1)
        weights[name] = array
    return weights


def write_llama(
    path: str | Path,
    shape: LlamaShape,
    weights: Weights,
    *,
    tokenizer: GgufTokenizer,
    name: str,
    chat_template: str | None = None,
    quant: Quant = "f32",
) -> Path:
    """Write a model file; matrices as ``quant``, vectors (norms, biases) as float32.

    ``weights`` must hold exactly the tensors of ``shape.tensors()``. The file appears whole
    or not at all.
    """
    path = Path(path)
    _check(shape, weights, tokenizer)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    writer = gguf.GGUFWriter(beside, shape.arch)
    try:
        _add_metadata(writer, shape, name=name, quant=quant)
        _add_tokenizer(writer, tokenizer, chat_template)
        for key in shape.tensors():
            array = np.ascontiguousarray(weights[key], dtype=np.float32)
            kind = QUANTS[quant][0] if array.ndim == 2 else GGMLQuantizationType.F32
            writer.add_tensor(key, gguf.quants.quantize(array, kind), raw_dtype=kind)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path


def _check(shape: LlamaShape, weights: Weights, tokenizer: GgufTokenizer) -> None:
    expected = shape.tensors()
    found = {key: tuple(array.shape) for key, array in weights.items()}
    if found != expected:
        odd = sorted(set(found.items()) ^ set(expected.items()))
        raise ValueError(f"weights do not fit the shape, first difference: {odd[0]}")
    if not len(tokenizer.tokens) == len(tokenizer.types) == shape.n_vocab:
        raise ValueError(
            f"the tokenizer has {len(tokenizer.tokens)} tokens and {len(tokenizer.types)} types, "
            f"the model {shape.n_vocab}"
        )


def _add_metadata(writer: gguf.GGUFWriter, shape: LlamaShape, *, name: str, quant: Quant) -> None:
    writer.add_name(name)
    writer.add_context_length(shape.n_ctx)
    writer.add_embedding_length(shape.n_embd)
    writer.add_block_count(shape.n_layer)
    writer.add_feed_forward_length(shape.n_ff)
    writer.add_head_count(shape.n_head)
    writer.add_head_count_kv(shape.n_head_kv)
    writer.add_layer_norm_rms_eps(shape.norm_eps)
    writer.add_rope_freq_base(shape.rope_theta)
    writer.add_rope_dimension_count(shape.n_rot)
    writer.add_vocab_size(shape.n_vocab)
    writer.add_file_type(QUANTS[quant][1])


def _add_tokenizer(
    writer: gguf.GGUFWriter, tokenizer: GgufTokenizer, chat_template: str | None
) -> None:
    writer.add_tokenizer_model(tokenizer.model)
    writer.add_tokenizer_pre(tokenizer.pre)
    writer.add_token_list(tokenizer.tokens)
    writer.add_token_types(tokenizer.types)
    writer.add_token_merges(tokenizer.merges)
    writer.add_bos_token_id(tokenizer.bos)
    writer.add_eos_token_id(tokenizer.eos)
    if tokenizer.pad is not None:
        writer.add_pad_token_id(tokenizer.pad)
    writer.add_add_bos_token(tokenizer.add_bos)
    if chat_template is not None:
        writer.add_chat_template(chat_template)


def hf_llama_weights(model: LlamaForCausalLM) -> tuple[LlamaShape, dict[str, np.ndarray]]:
    """Shape and float32 weights of a `transformers` Llama, ready for `write_llama`.

    Rows of q and k are reordered within each head: `transformers` rotates dimension i with
    i + n_rot/2, llama.cpp's ``llama`` rotates neighbours.
    """
    shape = _hf_shape(model.config)
    state = {key: t.detach().float().cpu().numpy() for key, t in model.state_dict().items()}
    weights = {
        "token_embd.weight": state["model.embed_tokens.weight"],
        "output_norm.weight": state["model.norm.weight"],
    }
    if not shape.tied:
        weights["output.weight"] = state["lm_head.weight"]
    parts = {
        "attn_norm": "input_layernorm",
        "attn_q": "self_attn.q_proj",
        "attn_k": "self_attn.k_proj",
        "attn_v": "self_attn.v_proj",
        "attn_output": "self_attn.o_proj",
        "ffn_norm": "post_attention_layernorm",
        "ffn_gate": "mlp.gate_proj",
        "ffn_up": "mlp.up_proj",
        "ffn_down": "mlp.down_proj",
    }
    heads = {"attn_q": shape.n_head, "attn_k": shape.n_head_kv}
    for layer in range(shape.n_layer):
        for ours, theirs in parts.items():
            array = state[f"model.layers.{layer}.{theirs}.weight"]
            if ours in heads:
                array = _interleave(array, heads[ours])
            weights[f"blk.{layer}.{ours}.weight"] = array
    return shape, weights


def _hf_shape(config: Any) -> LlamaShape:
    rope = config.rope_parameters
    plain = (
        rope.get("rope_type", "default") == "default"
        and config.head_dim == config.hidden_size // config.num_attention_heads
        and not config.attention_bias
        and not config.mlp_bias
    )
    if not plain:
        raise ValueError("only a plain Llama converts: default RoPE and head size, no biases")
    return LlamaShape(
        n_layer=config.num_hidden_layers,
        n_embd=config.hidden_size,
        n_ff=config.intermediate_size,
        n_head=config.num_attention_heads,
        n_head_kv=config.num_key_value_heads,
        n_vocab=config.vocab_size,
        n_ctx=config.max_position_embeddings,
        rope_theta=float(rope["rope_theta"]),
        norm_eps=config.rms_norm_eps,
        tied=config.tie_word_embeddings,
    )


def _interleave(rows: np.ndarray, n_head: int) -> np.ndarray:
    """(n_head * n_rot, n_in): halves of each head -> neighbouring pairs."""
    halves = rows.reshape(n_head, 2, -1, rows.shape[1])
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(rows.shape))

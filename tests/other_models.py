"""Random model files of architectures that call the residual after attention by other names, or
have none."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import gguf
import numpy as np

from llama_gguf import byte_tokenizer

N_LAYER, N_EMBD, N_FF, N_HEAD, N_VOCAB = 3, 64, 96, 4, 300
HEAD = N_EMBD // N_HEAD

Shapes = dict[str, tuple[int, ...]]
Kind = Literal["gemma3", "gptneox", "gptneox-parallel", "phi2"]
KINDS: tuple[Kind, ...] = ("gemma3", "gptneox", "phi2")  # whose place is known and there


def with_bias(shapes: Shapes) -> Shapes:
    return {
        f"{name}.{part}": shape if part == "weight" else shape[:1]
        for name, shape in shapes.items()
        for part in ("weight", "bias")
    }


def block(kind: Kind) -> Shapes:
    """Name -> shape, matrices as (n_out, n_in)."""
    square, up, down = (N_EMBD, N_EMBD), (N_FF, N_EMBD), (N_EMBD, N_FF)
    if kind == "gemma3":
        return {
            "attn_norm.weight": (N_EMBD,),
            "attn_q.weight": square,
            "attn_k.weight": square,
            "attn_v.weight": square,
            "attn_output.weight": square,
            "post_attention_norm.weight": (N_EMBD,),
            "attn_q_norm.weight": (HEAD,),
            "attn_k_norm.weight": (HEAD,),
            "ffn_norm.weight": (N_EMBD,),
            "ffn_gate.weight": up,
            "ffn_up.weight": up,
            "ffn_down.weight": down,
            "post_ffw_norm.weight": (N_EMBD,),
        }
    norms: Shapes = {"attn_norm": (N_EMBD,)} | ({} if kind == "phi2" else {"ffn_norm": (N_EMBD,)})
    return with_bias(
        {
            **norms,
            "attn_qkv": (3 * N_EMBD, N_EMBD),
            "attn_output": square,
            "ffn_up": up,
            "ffn_down": down,
        }
    )


def shapes(kind: Kind) -> Shapes:
    whole: Shapes = {"token_embd.weight": (N_VOCAB, N_EMBD), "output_norm.weight": (N_EMBD,)}
    if kind != "gemma3":
        whole |= {"output_norm.bias": (N_EMBD,), "output.weight": (N_VOCAB, N_EMBD)}
    if kind == "phi2":
        whole |= {"output.bias": (N_VOCAB,)}
    for layer in range(N_LAYER):
        whole |= {f"blk.{layer}.{name}": shape for name, shape in block(kind).items()}
    return whole


def write_other_model(
    path: Path, kind: Kind, *, mlp: bool = True, window: int | None = None
) -> Path:
    """3 layers, width 64, bytes for tokens, F32. ``mlp``: without, all that it gives is zero.
    ``window``: how many tokens back a gemma3 looks in its layers; all unless given."""
    writer = gguf.GGUFWriter(path, kind.removesuffix("-parallel"))
    writer.add_name(f"random {kind}")
    writer.add_context_length(512 if window is None else 4096)
    if window is not None:
        writer.add_sliding_window(window)
    writer.add_embedding_length(N_EMBD)
    writer.add_block_count(N_LAYER)
    writer.add_feed_forward_length(N_FF)
    writer.add_head_count(N_HEAD)
    writer.add_head_count_kv(N_HEAD)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_rope_dimension_count(HEAD)
    writer.add_rope_freq_base(10_000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_layer_norm_eps(1e-5)
    writer.add_vocab_size(N_VOCAB)
    if kind.startswith("gptneox"):
        writer.add_parallel_residual(kind.endswith("-parallel"))
    tokenizer = byte_tokenizer(N_VOCAB)
    writer.add_tokenizer_model(tokenizer.model)
    writer.add_tokenizer_pre(tokenizer.pre)
    writer.add_token_list(tokenizer.tokens)
    writer.add_token_types(tokenizer.types)
    writer.add_token_merges(tokenizer.merges)
    writer.add_bos_token_id(tokenizer.bos)
    writer.add_eos_token_id(tokenizer.eos)
    writer.add_add_bos_token(tokenizer.add_bos)
    rng = np.random.default_rng(4)
    for name, shape in shapes(kind).items():
        array: Any = 0.2 * rng.standard_normal(shape)
        if name.endswith("norm.weight"):
            array += 1
        if "ffn_down" in name and not mlp:
            array *= 0
        writer.add_tensor(name, array.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path

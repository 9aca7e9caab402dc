"""A model file whose llama.cpp graph never adds a control vector: a random PLaMo-2."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np

from llama_gguf import byte_tokenizer

N_EMBD, N_FF, N_VOCAB, N_HEAD, N_HEAD_KV, HEAD = 64, 96, 300, 4, 2, 16
D_CONV, D_STATE, D_INNER, N_SSM_HEAD, DT_DIM = 4, 8, 64, 4, 64
KV_HEADS = (N_HEAD_KV, 0, N_HEAD_KV)  # per layer; none marks a Mamba layer

Shapes = dict[str, tuple[int, ...]]


def attention() -> Shapes:
    return {
        "attn_qkv.weight": ((N_HEAD + 2 * N_HEAD_KV) * HEAD, N_EMBD),
        "attn_q_norm.weight": (N_HEAD, HEAD),
        "attn_k_norm.weight": (N_HEAD_KV, HEAD),
        "attn_output.weight": (N_EMBD, N_HEAD * HEAD),
    }


def mamba() -> Shapes:
    return {
        "ssm_in.weight": (2 * D_INNER, N_EMBD),
        "ssm_conv1d.weight": (D_INNER, D_CONV),
        "ssm_x.weight": (DT_DIM + 2 * D_STATE, D_INNER),
        "ssm_dt.weight": (N_SSM_HEAD, DT_DIM),
        "ssm_dt.bias": (N_SSM_HEAD,),
        "ssm_a": (N_SSM_HEAD,),
        "ssm_d": (N_SSM_HEAD,),
        "ssm_out.weight": (N_EMBD, D_INNER),
        "ssm_dt_norm": (DT_DIM,),
        "ssm_b_norm": (D_STATE,),
        "ssm_c_norm": (D_STATE,),
    }


def shapes() -> Shapes:
    """Name -> shape, matrices as (n_out, n_in)."""
    found: Shapes = {"token_embd.weight": (N_VOCAB, N_EMBD), "output_norm.weight": (N_EMBD,)}
    for layer, n_head_kv in enumerate(KV_HEADS):
        block = {
            "attn_norm.weight": (N_EMBD,),
            **(attention() if n_head_kv else mamba()),
            "post_attention_norm": (N_EMBD,),
            "ffn_norm.weight": (N_EMBD,),
            "ffn_up.weight": (2 * N_FF, N_EMBD),
            "ffn_down.weight": (N_EMBD, N_FF),
            "post_ffw_norm": (N_EMBD,),
        }
        found |= {f"blk.{layer}.{name}": shape for name, shape in block.items()}
    return found


def write_ignoring_model(path: Path) -> Path:
    """3 layers (attention, Mamba, attention), width 64, bytes for tokens, F32."""
    writer = gguf.GGUFWriter(path, "plamo2")
    writer.add_name("deaf to control vectors")
    writer.add_context_length(512)
    writer.add_embedding_length(N_EMBD)
    writer.add_block_count(len(KV_HEADS))
    writer.add_feed_forward_length(N_FF)
    writer.add_head_count(N_HEAD)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_rope_dimension_count(HEAD)
    writer.add_rope_freq_base(10_000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(N_VOCAB)
    writer.add_ssm_conv_kernel(D_CONV)
    writer.add_ssm_inner_size(D_INNER)
    writer.add_ssm_state_size(D_STATE)
    writer.add_ssm_time_step_rank(N_SSM_HEAD)
    writer.add_ssm_group_count(0)
    tokenizer = byte_tokenizer(N_VOCAB)
    writer.add_tokenizer_model(tokenizer.model)
    writer.add_tokenizer_pre(tokenizer.pre)
    writer.add_token_list(tokenizer.tokens)
    writer.add_token_types(tokenizer.types)
    writer.add_token_merges(tokenizer.merges)
    writer.add_bos_token_id(tokenizer.bos)
    writer.add_eos_token_id(tokenizer.eos)
    writer.add_add_bos_token(tokenizer.add_bos)
    rng = np.random.default_rng(2)
    for name, shape in shapes().items():
        array = 0.2 * rng.standard_normal(shape)
        if "norm" in name:
            array += 1
        elif name.endswith("ssm_a"):
            array = -np.exp(array)  # the state decays
        writer.add_tensor(name, array.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path

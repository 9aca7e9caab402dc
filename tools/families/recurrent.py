"""More families whose memory is recurrent, wholly or in part, one a row of `RECURRENT`: what is
said of them in ``csrc/graph/reach.hpp`` is tried on these, and docs/models.md has one of a kind."""

from __future__ import annotations

from collections.abc import Callable

from families.family import Family, Shapes, Value
from families.table import (
    ATTENTION,
    D_CONV,
    D_INNER,
    D_STATE,
    DT_RANK,
    HEADS,
    N_EMBD,
    N_FF,
    N_HEAD,
    N_LAYER,
    NORM,
    OF_ATTENTION,
    OF_MLP,
    OUTPUT,
    WIDE,
)

N_GROUP = 1
N_STATE_HEAD = 4  # of Mamba 2
WITH_STATE = D_INNER + 2 * N_GROUP * D_STATE
KV_HEADS = (0, N_HEAD, 0, N_HEAD)  # per layer; none marks a Mamba layer
RANK = 8  # of the low-rank parts of rwkv7


def mamba2() -> Shapes:
    return {
        "ssm_in.weight": (D_INNER + WITH_STATE + N_STATE_HEAD, N_EMBD),
        "ssm_conv1d.weight": (WITH_STATE, D_CONV),
        "ssm_conv1d.bias": (WITH_STATE,),
        "ssm_dt.bias": (N_STATE_HEAD,),
        "ssm_a": (N_STATE_HEAD, 1),
        "ssm_d": (N_STATE_HEAD, 1),
        "ssm_norm.weight": (N_GROUP, D_INNER // N_GROUP),
        "ssm_out.weight": (N_EMBD, D_INNER),
    }


def falcon_h1(_: int) -> Shapes:
    mlp = {name: shape for name, shape in OF_MLP.items() if name != "ffn_norm.weight"}
    return {**OF_ATTENTION, **mamba2(), "ffn_norm": WIDE, **mlp}


def granitehybrid(layer: int) -> Shapes:
    mixer = OF_ATTENTION if KV_HEADS[layer] else {"attn_norm.weight": WIDE, **mamba2()}
    return {**mixer, **OF_MLP}


def jamba(layer: int) -> Shapes:
    mamba = {
        "attn_norm.weight": WIDE,
        "ssm_in.weight": (2 * D_INNER, N_EMBD),
        "ssm_conv1d.weight": (D_INNER, D_CONV),
        "ssm_conv1d.bias": (D_INNER,),
        "ssm_x.weight": (DT_RANK + 2 * D_STATE, D_INNER),
        "ssm_dt_norm.weight": (DT_RANK,),
        "ssm_dt.weight": (D_INNER, DT_RANK),
        "ssm_dt.bias": (D_INNER,),
        "ssm_b_norm.weight": (D_STATE,),
        "ssm_c_norm.weight": (D_STATE,),
        "ssm_a": (D_INNER, D_STATE),
        "ssm_d": (D_INNER,),
        "ssm_out.weight": (N_EMBD, D_INNER),
    }
    return {**(OF_ATTENTION if KV_HEADS[layer] else mamba), **OF_MLP}


def rwkv7(_: int) -> Shapes:
    norms = ("attn_norm", "attn_norm_2", "time_mix_ln")
    vectors = ("w0", "a0", "v0", "k_k", "k_a", "r_k")
    shapes: dict[str, tuple[int, ...]] = {
        f"{norm}.{part}": WIDE for norm in norms for part in ("weight", "bias")
    }
    shapes |= {f"time_mix_{name}.weight": WIDE for name in vectors}
    for low in "wavg":
        shapes[f"time_mix_{low}1.weight"] = (RANK, N_EMBD)
        shapes[f"time_mix_{low}2.weight"] = (N_EMBD, RANK)
    shapes |= {
        f"time_mix_{name}.weight": (N_EMBD, N_EMBD)
        for name in ("key", "value", "receptance", "output")
    }
    return {
        **shapes,
        "time_mix_lerp_fused.weight": (6, 1, 1, N_EMBD),
        "channel_mix_lerp_k.weight": (1, 1, N_EMBD),
        "channel_mix_key.weight": (N_FF, N_EMBD),
        "channel_mix_value.weight": (N_EMBD, N_FF),
    }


def _ssm(*, rank: int, **more: Value) -> dict[str, Value]:
    return {
        "ssm.conv_kernel": D_CONV,
        "ssm.inner_size": D_INNER,
        "ssm.state_size": D_STATE,
        "ssm.time_step_rank": rank,
        "ssm.group_count": N_GROUP,
        **more,
    }


def _family(
    arch: str,
    kind: str,
    block: Callable[[int], Shapes],
    keys: dict[str, Value],
    whole: Shapes = NORM,
) -> Family:
    return Family(
        arch=arch,
        kind=kind,
        n_layer=N_LAYER,
        n_embd=N_EMBD,
        keys={**ATTENTION, **keys},
        block=block,
        whole=whole,
    )


RECURRENT: tuple[Family, ...] = (
    _family(
        "falcon-h1",
        "hybrid: Mamba 2 beside attention in each layer",
        falcon_h1,
        {**HEADS, **_ssm(rank=N_STATE_HEAD)},
    ),
    _family(
        "granitehybrid",
        "hybrid: Mamba 2 and attention",
        granitehybrid,
        {"attention.head_count_kv": KV_HEADS, **_ssm(rank=N_STATE_HEAD)},
    ),
    _family(
        "jamba",
        "hybrid: Mamba and attention",
        jamba,
        {"attention.head_count_kv": KV_HEADS, **_ssm(rank=DT_RANK)},
    ),
    _family(
        "rwkv7",
        "recurrent",
        rwkv7,
        {
            "attention.head_count": 0,
            "wkv.head_size": 64,  # llama.cpp writes past the end of a smaller head
            "token_shift_count": 2,
            **{
                f"attention.{name}_lora_rank": RANK
                for name in ("decay", "iclr", "value_residual_mix", "gate")
            },
        },
        {
            "token_embd_norm.weight": WIDE,
            "token_embd_norm.bias": WIDE,
            **NORM,
            "output_norm.bias": WIDE,
            **OUTPUT,
        },
    ),
)

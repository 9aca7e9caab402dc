"""The families that llamood is tried on, one a row of `FAMILIES`."""

from __future__ import annotations

from families.family import N_CTX, N_VOCAB, Family, Shapes, Value

N_LAYER, N_EMBD, N_FF, N_HEAD = 4, 64, 96, 4
HEAD = N_EMBD // N_HEAD
N_EXPERT, N_USED, N_FF_EXPERT = 4, 2, 32
D_CONV, D_STATE, D_INNER, DT_RANK = 4, 8, 2 * N_EMBD, 4
CACHED = 3  # of lfm2's short convolution
KV_HEADS_LFM2 = (0, N_HEAD, 0, N_HEAD)  # per layer; none marks a convolution
HEADS_DECI = (N_HEAD, N_HEAD, 0, N_HEAD)  # per layer
FF_DECI = (N_FF, 0, N_FF, N_FF)  # per layer; llama.cpp skips one without
KV_HEADS_PLAMO2 = (N_HEAD, 0, N_HEAD, 0)  # none marks a Mamba layer

ATTENTION: dict[str, Value] = {
    "feed_forward_length": N_FF,
    "attention.head_count": N_HEAD,
    "attention.head_count_kv": N_HEAD,
    "attention.layer_norm_rms_epsilon": 1e-5,
    "attention.layer_norm_epsilon": 1e-5,
    "rope.dimension_count": HEAD,
    "rope.freq_base": 10_000.0,
}
HEADS: dict[str, Value] = {"attention.key_length": HEAD, "attention.value_length": HEAD}
NORM: dict[str, tuple[int, ...]] = {"output_norm.weight": (N_EMBD,)}
OUTPUT: dict[str, tuple[int, ...]] = {"output.weight": (N_VOCAB, N_EMBD)}

SQUARE, UP, DOWN, WIDE = (N_EMBD, N_EMBD), (N_FF, N_EMBD), (N_EMBD, N_FF), (N_EMBD,)
QKV: dict[str, tuple[int, ...]] = {f"attn_{each}.weight": SQUARE for each in "qkv"}
OF_ATTENTION = {"attn_norm.weight": WIDE, **QKV, "attn_output.weight": SQUARE}
OF_MLP = {
    "ffn_norm.weight": WIDE,
    "ffn_gate.weight": UP,
    "ffn_up.weight": UP,
    "ffn_down.weight": DOWN,
}
QK_NORMS = {"attn_q_norm.weight": (HEAD,), "attn_k_norm.weight": (HEAD,)}
QKV_BIASES = {f"attn_{each}.bias": WIDE for each in "qkv"}


def llama(_: int) -> Shapes:
    return {**OF_ATTENTION, **OF_MLP}


def qwen2(_: int) -> Shapes:
    return {**OF_ATTENTION, **QKV_BIASES, **OF_MLP}


def qwen3(_: int) -> Shapes:
    return {**OF_ATTENTION, **QK_NORMS, **OF_MLP}


def gemma3(_: int) -> Shapes:
    norms = {"post_attention_norm.weight": WIDE, "post_ffw_norm.weight": WIDE}
    return {**OF_ATTENTION, **QK_NORMS, **norms, **OF_MLP}


def phi3(_: int) -> Shapes:
    mlp = {
        "ffn_norm.weight": WIDE,
        "ffn_up.weight": (2 * N_FF, N_EMBD),
        "ffn_down.weight": DOWN,
    }
    return {**OF_ATTENTION, **mlp}


def gpt2(_: int) -> Shapes:
    weights = {
        "attn_norm": WIDE,
        "attn_qkv": (3 * N_EMBD, N_EMBD),
        "attn_output": SQUARE,
        "ffn_norm": WIDE,
        "ffn_up": UP,
        "ffn_down": DOWN,
    }
    biases = {f"{name}.bias": shape[:1] for name, shape in weights.items()}
    return {**{f"{name}.weight": shape for name, shape in weights.items()}, **biases}


def qwen2moe(_: int) -> Shapes:
    up, down = (N_FF_EXPERT, N_EMBD), (N_EMBD, N_FF_EXPERT)
    return {
        **OF_ATTENTION,
        **QKV_BIASES,
        "ffn_norm.weight": WIDE,
        "ffn_gate_inp.weight": (N_EXPERT, N_EMBD),
        "ffn_gate_exps.weight": (N_EXPERT, *up),
        "ffn_up_exps.weight": (N_EXPERT, *up),
        "ffn_down_exps.weight": (N_EXPERT, *down),
        "ffn_gate_inp_shexp.weight": WIDE,
        "ffn_gate_shexp.weight": up,
        "ffn_up_shexp.weight": up,
        "ffn_down_shexp.weight": down,
    }


def deci(layer: int) -> Shapes:
    attention = OF_ATTENTION if HEADS_DECI[layer] else {}
    return {**attention, **(OF_MLP if FF_DECI[layer] else {})}


def mamba(_: int) -> Shapes:
    return {
        "attn_norm.weight": WIDE,
        "ssm_in.weight": (2 * D_INNER, N_EMBD),
        "ssm_conv1d.weight": (D_INNER, D_CONV),
        "ssm_conv1d.bias": (D_INNER,),
        "ssm_x.weight": (DT_RANK + 2 * D_STATE, D_INNER),
        "ssm_dt.weight": (D_INNER, DT_RANK),
        "ssm_dt.bias": (D_INNER,),
        "ssm_a": (D_INNER, D_STATE),
        "ssm_d": (D_INNER,),
        "ssm_out.weight": (N_EMBD, D_INNER),
    }


def lfm2(layer: int) -> Shapes:
    convolution = {
        "attn_norm.weight": WIDE,
        "shortconv.conv.weight": (N_EMBD, CACHED),
        "shortconv.in_proj.weight": (3 * N_EMBD, N_EMBD),
        "shortconv.out_proj.weight": SQUARE,
    }
    mixer = {**OF_ATTENTION, **QK_NORMS} if KV_HEADS_LFM2[layer] else convolution
    return {**mixer, **OF_MLP}


def plamo2(layer: int) -> Shapes:
    attention = {
        "attn_qkv.weight": (3 * N_EMBD, N_EMBD),
        "attn_q_norm.weight": (N_HEAD, HEAD),
        "attn_k_norm.weight": (N_HEAD, HEAD),
        "attn_output.weight": SQUARE,
    }
    recurrent = {
        "ssm_in.weight": (2 * N_EMBD, N_EMBD),
        "ssm_conv1d.weight": (N_EMBD, D_CONV),
        "ssm_x.weight": (N_EMBD + 2 * D_STATE, N_EMBD),
        "ssm_dt.weight": (N_HEAD, N_EMBD),
        "ssm_dt.bias": (N_HEAD,),
        "ssm_a": (N_HEAD,),
        "ssm_d": (N_HEAD,),
        "ssm_out.weight": SQUARE,
        "ssm_dt_norm": WIDE,
        "ssm_b_norm": (D_STATE,),
        "ssm_c_norm": (D_STATE,),
    }
    return {
        "attn_norm.weight": WIDE,
        **(attention if KV_HEADS_PLAMO2[layer] else recurrent),
        "post_attention_norm": WIDE,
        "ffn_norm.weight": WIDE,
        "ffn_up.weight": (2 * N_FF, N_EMBD),
        "ffn_down.weight": DOWN,
        "post_ffw_norm": WIDE,
    }


def _ssm(*, inner: int, rank: int) -> dict[str, Value]:
    return {
        "ssm.conv_kernel": D_CONV,
        "ssm.inner_size": inner,
        "ssm.state_size": D_STATE,
        "ssm.time_step_rank": rank,
        "ssm.group_count": 0,
    }


def _family(
    arch: str,
    kind: str,
    block: object,
    keys: dict[str, Value] | None = None,
    whole: Shapes | None = None,
) -> Family:
    assert callable(block)
    return Family(
        arch=arch,
        kind=kind,
        n_layer=N_LAYER,
        n_embd=N_EMBD,
        keys={**ATTENTION, **(keys or {})},
        block=block,
        whole=NORM if whole is None else whole,
    )


FAMILIES: tuple[Family, ...] = (
    _family("llama", "attention", llama),
    _family("qwen2", "attention, biases", qwen2),
    _family("qwen3", "attention, normed queries and keys", qwen3, HEADS),
    _family("gemma3", "attention, norms after each part", gemma3, HEADS),
    _family("phi3", "attention", phi3),
    _family(
        "gpt2",
        "attention, learnt positions",
        gpt2,
        whole={
            "position_embd.weight": (N_CTX, N_EMBD),
            **NORM,
            "output_norm.bias": WIDE,
            **OUTPUT,
        },
    ),
    _family(
        "qwen2moe",
        "mixture of experts",
        qwen2moe,
        {
            "expert_count": N_EXPERT,
            "expert_used_count": N_USED,
            "expert_feed_forward_length": N_FF_EXPERT,
            "expert_shared_feed_forward_length": N_FF_EXPERT,
        },
        {**NORM, **OUTPUT},
    ),
    _family(
        "mamba",
        "recurrent",
        mamba,
        {
            "feed_forward_length": 0,
            "attention.head_count": 0,
            **_ssm(inner=D_INNER, rank=DT_RANK),
        },
    ),
    _family(
        "lfm2",
        "hybrid: convolutions and attention",
        lfm2,
        {"attention.head_count_kv": KV_HEADS_LFM2, "shortconv.l_cache": CACHED},
        {"token_embd_norm.weight": WIDE},
    ),
    _family(
        "plamo2",
        "hybrid: Mamba and attention",
        plamo2,
        {
            **HEADS,
            "attention.head_count_kv": KV_HEADS_PLAMO2,
            **_ssm(inner=N_EMBD, rank=N_HEAD),
        },
    ),
)

BY_NAME = {family.arch: family for family in FAMILIES}

# Some of whose layers are without: layer 1 is skipped, layer 2 has no attention.
WITH_GAPS = _family(
    "deci",
    "attention, layers left out",
    deci,
    {
        "attention.head_count": HEADS_DECI,
        "attention.head_count_kv": HEADS_DECI,
        "feed_forward_length": FF_DECI,
        **HEADS,
    },
)

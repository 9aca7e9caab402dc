"""What llamood adds, against PyTorch doing the same sum by hand in the same small model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
import pytest

import llamood
from interop.weights import write_float32
from llama_gguf import CHATML, byte_tokenizer, hf_llama_weights, write_llama
from llamood.vectors.measurement import Site
from open_voices import UNHELD

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
paper_hook = pytest.importorskip("interop.peers.paper_hook")

pytestmark = pytest.mark.slow

N_LAYER, N_EMBD, N_STEP = 4, 64, 32
PROMPT = b"The parcel came late, and nobody was in."
TOLERANCE = 1e-3  # the logits span about -7 to 7, of SmolLM2 -30 to 28


@dataclass(frozen=True)
class Twins:
    """One model twice: in `transformers`, and as a float32 GGUF file."""

    torch_model: Any
    gguf: Path


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Twins:
    torch.manual_seed(5)
    config = transformers.LlamaConfig(
        vocab_size=300,
        hidden_size=N_EMBD,
        intermediate_size=160,
        num_hidden_layers=N_LAYER,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=256,
        initializer_range=0.2,
        tie_word_embeddings=False,
    )
    model = transformers.LlamaForCausalLM(config).eval()
    shape, weights = hf_llama_weights(model)
    path = tmp_path_factory.mktemp("twins") / "twin.gguf"
    tokenizer = byte_tokenizer(shape.n_vocab)
    write_llama(
        path, shape, weights, tokenizer=tokenizer, chat_template=CHATML, name="twin", quant="f32"
    )
    return Twins(model, path)


@pytest.fixture(scope="module")
def vectors() -> llamood.EmotionVectors:
    """As large as the residual stream itself, and with numbers for layer 0 as well."""
    data = np.random.default_rng(5).standard_normal((2, N_LAYER, N_EMBD)).astype(np.float32)
    return llamood.EmotionVectors(names=("fear", "joy"), data=data, ceiling=(UNHELD, UNHELD))


def speak(
    twins: Twins,
    vectors: llamood.EmotionVectors,
    mood: dict[str, Any],
    *,
    site: Site = "layer_out",
) -> tuple[list[int], int, np.ndarray]:
    """Tokens (prompt, then N_STEP - 1 greedy ones), prompt length, logits (n_token, n_vocab)."""
    llm = llamood.Llama(
        str(twins.gguf),
        emotions=vectors,
        site=site,
        n_ctx=256,
        logits_all=True,
        guard=False,  # A random model speaks nothing but salad.
        # PyTorch keeps its cache in float32; llama.cpp's default of float16 costs 1e-2 here.
        type_k=llama_cpp.GGML_TYPE_F32,
        type_v=llama_cpp.GGML_TYPE_F32,
        verbose=False,
    )
    try:
        llm.feel(mood)
        prompt = llm.tokenize(PROMPT)
        said = list(islice(llm.generate(prompt, temp=0.0), N_STEP))
        tokens = prompt + said[:-1]  # the last one has been sampled, not yet decoded
        scores = np.array(llm.scores[: len(tokens)])
        assert scores[len(prompt) - 1 :].argmax(axis=1).tolist() == said
        return tokens, len(prompt), scores
    finally:
        llm.close()


def expected(
    twins: Twins,
    tokens: Sequence[int],
    added: np.ndarray,
    first: int,
    *,
    site: Site = "layer_out",
) -> np.ndarray:
    """Logits (n_token, n_vocab) of PyTorch reading ``tokens``."""
    logits: np.ndarray = paper_hook.steered_logits(
        twins.torch_model, tokens, added, first=first, site=site
    )
    return logits


@pytest.mark.parametrize("intensity", [-1, 0, 1, 2])
def test_logits_agree_at_every_intensity(
    twins: Twins, vectors: llamood.EmotionVectors, intensity: float
) -> None:
    tokens, n_prompt, scores = speak(twins, vectors, {"joy": intensity})
    steered = expected(twins, tokens, intensity * vectors["joy"], n_prompt - 1)
    assert np.abs(scores - steered).max() < TOLERANCE

    plain = expected(twins, tokens, 0 * vectors["joy"], 0)
    moved = np.abs(steered - plain).max(axis=1)
    assert (moved[: n_prompt - 1] == 0).all()
    assert (moved[n_prompt - 1 :] > (0.5 if intensity else -1)).all()


def test_logits_agree_for_a_mix_at_all_positions(
    twins: Twins, vectors: llamood.EmotionVectors
) -> None:
    mood = {"joy": 1.0, "fear": -0.5, "$positions": "all"}
    tokens, _, scores = speak(twins, vectors, mood)
    added = vectors["joy"] - 0.5 * vectors["fear"]
    assert np.abs(scores - expected(twins, tokens, added, 0)).max() < TOLERANCE


def test_logits_agree_where_only_some_layers_feel(
    twins: Twins, vectors: llamood.EmotionVectors
) -> None:
    mood = {"joy": 1.5, "$layers": [2, 2]}
    tokens, n_prompt, scores = speak(twins, vectors, mood)
    added = np.zeros((N_LAYER, N_EMBD), np.float32)
    added[2] = 1.5 * vectors["joy"][2]
    assert np.abs(scores - expected(twins, tokens, added, n_prompt - 1)).max() < TOLERANCE


# -- the paper's own way: the attention output, all layers ----------------------------------

MIXES: list[dict[str, Any]] = [
    {"joy": 0},
    {"joy": 1},
    {"joy": 2},
    {"joy": 1.0, "fear": 0.5},
    {"joy": 2.0, "fear": -1.0, "$positions": "all"},
    {"fear": 1.5, "$layers": [0, 0]},
    {"joy": 1.0, "$layers": [1, 2]},
]


@pytest.mark.parametrize("mood", MIXES, ids=str)
def test_logits_agree_at_the_attention_output(
    twins: Twins, vectors: llamood.EmotionVectors, mood: dict[str, Any]
) -> None:
    tokens, n_prompt, scores = speak(twins, vectors, mood, site="attn_out")
    first, last = mood.get("$layers", (0, N_LAYER - 1))
    added = np.zeros((N_LAYER, N_EMBD), np.float32)
    for name in vectors.names:
        added[first : last + 1] += mood.get(name, 0) * vectors[name][first : last + 1]
    begin = 0 if mood.get("$positions") == "all" else n_prompt - 1
    steered = expected(twins, tokens, added, begin, site="attn_out")
    assert np.abs(scores - steered).max() < TOLERANCE

    moved = np.abs(steered - expected(twins, tokens, 0 * added, 0)).max(axis=1)
    assert (moved[:begin] == 0).all()
    assert (moved[begin:] > (0.5 if added.any() else -1)).all()
    elsewhere = expected(twins, tokens, added, begin)
    assert not added.any() or np.abs(elsewhere - steered).max() > 0.5


# -- the same on a real model's own weights --------------------------------------------------


@pytest.fixture(scope="module")
def smollm2(demo_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Twins:
    """SmolLM2, whose quantised file `transformers` reads, too; both compute in float32."""
    path = write_float32(demo_model, tmp_path_factory.mktemp("smollm2") / "float32.gguf")
    model = transformers.AutoModelForCausalLM.from_pretrained(
        demo_model.parent, gguf_file=demo_model.name, dtype="float32"
    )
    return Twins(model.eval(), path)


@pytest.fixture(scope="module")
def real_vectors(demo_vectors: Path) -> llamood.EmotionVectors:
    """In all layers, half as long as the hidden states there."""
    rms = llamood.load(demo_vectors).measurement.residual_rms
    assert rms is not None
    noise = np.random.default_rng(5).standard_normal((1, len(rms), 576))
    data = 0.5 * np.array(rms)[:, np.newaxis] * noise
    return llamood.EmotionVectors(names=("joy",), data=data, ceiling=(UNHELD,))


@pytest.mark.parametrize("site", ["attn_out", "layer_out"])
def test_logits_agree_on_real_weights(
    smollm2: Twins, real_vectors: llamood.EmotionVectors, site: Site
) -> None:
    tokens, n_prompt, scores = speak(smollm2, real_vectors, {"joy": 1.0}, site=site)
    added = real_vectors["joy"]
    steered = expected(smollm2, tokens, added, n_prompt - 1, site=site)
    assert np.abs(scores - steered).max() < TOLERANCE

    moved = np.abs(steered - expected(smollm2, tokens, 0 * added, 0)).max(axis=1)
    assert (moved[: n_prompt - 1] == 0).all()
    assert (moved[n_prompt - 1 :] > 1).all()

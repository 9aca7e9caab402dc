"""The model files that tests, benchmarks and training write: llama.cpp reads them as meant."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import llama_cpp
import numpy as np
import pytest

from llama_gguf import (
    CHATML,
    Arch,
    GgufTokenizer,
    LlamaShape,
    Quant,
    byte_tokenizer,
    hf_llama_weights,
    random_weights,
    write_llama,
)

SHAPE = LlamaShape(
    n_layer=2, n_embd=64, n_ff=96, n_head=4, n_head_kv=2, n_vocab=300, n_ctx=256, tied=False
)
TEXT = "Tea at five, <näh> — 日本 \t\n\x00 🎉 it's  two  spaces"


def write(path: Path, shape: LlamaShape, quant: Quant = "f32") -> Path:
    return write_llama(
        path,
        shape,
        random_weights(shape, seed=3, scale=0.1),
        tokenizer=byte_tokenizer(shape.n_vocab),
        chat_template=CHATML,
        quant=quant,
        name="small one",
    )


def opened(path: Path) -> closing[llama_cpp.Llama]:
    return closing(
        llama_cpp.Llama(
            str(path),
            n_ctx=256,
            logits_all=True,
            type_k=llama_cpp.GGML_TYPE_F32,
            type_v=llama_cpp.GGML_TYPE_F32,
            verbose=False,
        )
    )


@pytest.mark.parametrize("arch", ["llama", "qwen2"])
def test_every_quantisation_speaks_alike(tmp_path: Path, arch: Arch) -> None:
    shape = replace(SHAPE, arch=arch)
    logits = {}
    sizes = {}
    for quant in ("f32", "f16", "q8_0", "q4_0"):
        path = write(tmp_path / f"{quant}.gguf", shape, quant)
        sizes[quant] = path.stat().st_size
        with opened(path) as llm:
            llm.eval(llm.tokenize(b"Tea at five."))
            logits[quant] = llm.scores[: llm.n_tokens].copy()
            assert llm.metadata["general.architecture"] == arch
            assert llm.metadata["general.name"] == "small one"
    assert sizes["f32"] > sizes["f16"] > sizes["q8_0"] > sizes["q4_0"]
    spread = logits["f32"].std()
    assert spread > 0.5
    for quant, most in [("f16", 0.01), ("q8_0", 0.05), ("q4_0", 0.5)]:
        assert 0 < np.abs(logits[quant] - logits["f32"]).std() < most * spread


def test_any_text_comes_back_and_marks_are_single_tokens(tmp_path: Path) -> None:
    with opened(write(tmp_path / "model.gguf", SHAPE)) as llm:
        tokens = llm.tokenize(TEXT.encode())
        assert llm.detokenize(tokens).decode() == TEXT
        assert llm.tokenize(b"<|im_start|>hi<|im_end|>", special=True) == [257, 104, 105, 258]
        assert (llm.token_bos(), llm.token_eos()) == (256, 258)
        assert llm.detokenize([299]) == b" f39"
        answer = llm.create_chat_completion([{"role": "user", "content": "hi"}], max_tokens=4)
        turns = b"<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
        assert answer["usage"]["prompt_tokens"] == len(llm.tokenize(turns, special=True))


def test_the_seed_decides_the_weights() -> None:
    one, again, other = (random_weights(SHAPE, seed=seed) for seed in (1, 1, 2))
    for key, array in one.items():
        assert array.dtype == np.float32
        assert array.shape == SHAPE.tensors()[key]
        assert (array == again[key]).all()
        assert (array != other[key]).any()


def test_what_does_not_fit_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    weights = random_weights(SHAPE, seed=1)
    tokenizer = byte_tokenizer(SHAPE.n_vocab)
    path = tmp_path / "model.gguf"

    def refused(match: str, weights: dict[str, np.ndarray], tokenizer: GgufTokenizer) -> None:
        with pytest.raises(ValueError, match=match):
            write_llama(path, SHAPE, weights, tokenizer=tokenizer, name="x", quant="q8_0")
        assert not list(tmp_path.iterdir())

    refused("output_norm", {k: v for k, v in weights.items() if "output_norm" not in k}, tokenizer)
    refused("blk.0.attn_k", weights | {"blk.0.attn_k.weight": np.zeros((64, 64))}, tokenizer)
    refused("the tokenizer has 301", weights, byte_tokenizer(301))
    with pytest.raises(ValueError, match="at least 260"):
        byte_tokenizer(259)
    with pytest.raises(ValueError, match="must divide"):
        replace(SHAPE, n_head=3)


@pytest.mark.slow
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("n_head_kv", [2, 4])
def test_a_transformers_model_has_the_same_logits(
    tmp_path: Path, tied: bool, n_head_kv: int
) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=300,
        hidden_size=64,
        intermediate_size=160,
        num_hidden_layers=3,
        num_attention_heads=4,
        num_key_value_heads=n_head_kv,
        max_position_embeddings=256,
        rms_norm_eps=1e-6,
        rope_parameters={"rope_type": "default", "rope_theta": 5000.0},
        tie_word_embeddings=tied,
        initializer_range=0.2,
    )
    model = transformers.LlamaForCausalLM(config).eval()
    shape, weights = hf_llama_weights(model)
    assert (shape.n_head_kv, shape.tied, shape.rope_theta) == (n_head_kv, tied, 5000.0)
    path = tmp_path / "twin.gguf"
    write_llama(path, shape, weights, tokenizer=byte_tokenizer(300), name="twin")
    with opened(path) as llm:
        tokens = llm.tokenize(TEXT.encode())
        llm.eval(tokens)
        with torch.no_grad():
            expected = model(torch.tensor([tokens])).logits[0].numpy()
        assert np.abs(expected).max() > 3
        assert np.abs(llm.scores[: len(tokens)] - expected).max() < 1e-3

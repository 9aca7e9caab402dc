"""One model, one fingerprint, whatever its quantisation; another model, another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llama_gguf import LlamaShape, Quant, byte_tokenizer, random_weights, write_llama
from llamood._core import fingerprint

SHAPE: dict[str, Any] = {
    "n_layer": 2,
    "n_embd": 64,
    "n_ff": 64,
    "n_head": 4,
    "n_head_kv": 2,
    "n_vocab": 300,
    "n_ctx": 128,
}


def write(path: Path, *, seed: int = 1, quant: Quant = "f32", **changes: Any) -> Path:
    shape = LlamaShape(**{**SHAPE, **changes})
    return write_llama(
        path,
        shape,
        random_weights(shape, seed=seed),
        tokenizer=byte_tokenizer(shape.n_vocab),
        quant=quant,
        name=path.stem,
    )


def test_quantisation_and_name_do_not_count(tmp_path: Path) -> None:
    quants: tuple[Quant, ...] = ("f32", "f16", "q8_0", "q4_0")
    found = {fingerprint(str(write(tmp_path / f"{quant}.gguf", quant=quant))) for quant in quants}
    assert len(found) == 1
    (one,) = found
    assert len(one) == 32
    assert int(one, 16)


@pytest.mark.parametrize(
    "changes", [{"seed": 2}, {"n_layer": 3}, {"n_embd": 128}, {"n_vocab": 301}, {"arch": "qwen2"}]
)
def test_another_model_has_another(tmp_path: Path, changes: dict[str, Any]) -> None:
    one = fingerprint(str(write(tmp_path / "one.gguf")))
    assert fingerprint(str(write(tmp_path / "other.gguf", **changes))) != one


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "whole.gguf")
    whole = path.read_bytes()
    for content, says in (
        (b"", "not a GGUF model file"),
        (b"GGML" + whole[4:], "not a GGUF model file"),
        (whole[:1000], "not a GGUF model file"),
        (whole[: whole.index(b"output_norm.weight") + 2000], "ends before its tensors do"),
    ):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=says):
            fingerprint(str(path))
    with pytest.raises(ValueError, match="not a GGUF model file"):
        fingerprint(str(tmp_path / "none.gguf"))
    with pytest.raises(ValueError, match="not a GGUF model file"):
        fingerprint(str(tmp_path))

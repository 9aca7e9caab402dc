"""What is compared with other programs is compared rightly."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import gguf
import numpy as np

from interop.comparison import Agreement, Cosines
from interop.weights import write_float32
from llama_gguf import LlamaShape, byte_tokenizer, random_weights, write_llama
from open_voices import logits, plain

SHAPE = LlamaShape(n_layer=2, n_embd=64, n_ff=96, n_head=4, n_head_kv=2, n_vocab=300, n_ctx=64)


def test_a_copy_in_float32_has_the_numbers_that_the_quantised_file_stands_for(
    tmp_path: Path,
) -> None:
    source = tmp_path / "quantised.gguf"
    weights = random_weights(SHAPE, seed=1, scale=0.2)
    write_llama(source, SHAPE, weights, tokenizer=byte_tokenizer(300), name="it", quant="q8_0")
    copy = write_float32(source, tmp_path / "float32.gguf")
    there, here = (gguf.GGUFReader(path) for path in (source, copy))
    assert any(tensor.tensor_type == gguf.GGMLQuantizationType.Q8_0 for tensor in there.tensors)
    for quantised, exact in zip(there.tensors, here.tensors, strict=True):
        assert quantised.name == exact.name
        assert exact.tensor_type == gguf.GGMLQuantizationType.F32
        stands_for = gguf.quants.dequantize(quantised.data, quantised.tensor_type)
        assert np.array_equal(exact.data, stands_for)
    said = {
        key: field.contents() for key, field in there.fields.items() if not key.startswith("GGUF.")
    }
    copied = {key: here.fields[key].contents() for key in said if key in here.fields}
    assert {key for key in said if said[key] != copied.get(key)} <= {
        "general.file_type",
        "general.quantization_version",
    }

    rows = []
    for path in (source, copy):
        with closing(plain(path, n_ctx=64)) as llm:
            llm.eval(llm.tokenize(b"the same weights"))
            rows.append(logits(llm))
    spread = float(np.ptp(rows[1]))
    assert 0 < np.abs(rows[0] - rows[1]).max() < 0.1 * spread


def test_agreement_is_of_all_tokens_of_all_prompts() -> None:
    plain = [np.zeros((1, 3), np.float32), np.zeros((2, 3), np.float32)]
    there = [np.array([[1, 2, 3]], np.float32), np.array([[1, 5, 1], [4, 1, 1]], np.float32)]
    here = [there[0] + 0.25, np.array([[1, 5, 1], [1, 4, 1]], np.float32)]
    assert Agreement.of(here, there, plain) == Agreement(most=3.0, moved=5.0, same=2, n_token=3)


def test_cosines_are_of_the_layers_that_both_have() -> None:
    east, north, south = np.array([[2, 0], [0, 3], [0, -1]], np.float32)
    zero = np.zeros(2, np.float32)
    one = {0: east, 1: east, 2: north, 3: east, 4: zero, 5: north}
    other = {1: north, 2: north, 3: east, 4: east, 5: south, 6: east}
    assert Cosines.of(one, other) == Cosines(least=0.0, median=1.0, last=-1.0)

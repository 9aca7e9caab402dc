"""One model, one fingerprint, whatever its quantisation; another model, another."""

from __future__ import annotations

import contextlib
import shutil
import struct
from pathlib import Path
from typing import Any

import gguf
import llama_cpp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hostile_files import ARRAY, STRING, UINT32, UINT64, array, key
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


def split(model: Path, folder: Path, *parts: list[str], shift: float = 0.0) -> Path:
    """The model in several files, of which each has those of its tensors whose names begin with one
    of these; ``shift``: added to the first norm. Returns the first."""
    reader = gguf.GGUFReader(model)
    arch = reader.fields["general.architecture"].contents()
    paths = [folder / f"model-{i + 1:05d}-of-{len(parts):05d}.gguf" for i in range(len(parts))]
    folder.mkdir(exist_ok=True)
    for i, (path, words) in enumerate(zip(paths, parts, strict=True)):
        writer = gguf.GGUFWriter(path, arch)
        for field in reader.fields.values() if i == 0 else ():
            if field.name != "general.architecture" and not field.name.startswith("GGUF."):
                kinds = field.types
                sub = kinds[1] if len(kinds) > 1 else None
                writer.add_key_value(field.name, field.contents(), kinds[0], sub)
        writer.add_uint16("split.no", i)
        writer.add_uint16("split.count", len(parts))
        writer.add_int32("split.tensors.count", len(reader.tensors))
        for tensor in reader.tensors:
            if tensor.name.startswith(tuple(words)):
                moved = shift if tensor.name == "blk.0.attn_norm.weight" else 0.0
                writer.add_tensor(tensor.name, tensor.data + moved, raw_dtype=tensor.tensor_type)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
    return paths[0]


@pytest.mark.parametrize(
    "parts",
    [
        ([], ["token", "blk", "output"]),
        (["token", "output"], ["blk.0"], ["blk.1"]),
        (["token"], ["blk.1", "output"], [], ["blk.0"]),
        (["blk"], ["token", "output"]),
    ],
)
def test_a_split_model_is_the_whole_one(tmp_path: Path, parts: tuple[list[str], ...]) -> None:
    whole = write(tmp_path / "whole.gguf")
    first = split(whole, tmp_path / "parts", *parts)
    assert fingerprint(str(first)) == fingerprint(str(whole))
    other = split(whole, tmp_path / "others", *parts, shift=0.5)
    assert fingerprint(str(other)) != fingerprint(str(whole))
    llama_cpp.Llama(str(first), n_ctx=32, verbose=False).close()  # it is llama.cpp's way to split


def test_parts_of_a_model_that_are_not_all_there_are_refused(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.gguf")
    first = split(whole, tmp_path / "parts", ["token"], ["blk"], ["output"])
    second, third = (first.with_name(f"model-0000{i}-of-00003.gguf") for i in (2, 3))
    with pytest.raises(ValueError, match=r"part of a model in 3 files.*-00001-of-00003.gguf"):
        fingerprint(str(second))
    with pytest.raises(ValueError, match=r"part of a model in 3 files"):
        fingerprint(str(shutil.copy(first, tmp_path / "renamed.gguf")))
    shutil.copy(second, third)
    with pytest.raises(ValueError, match=r"00003-of-00003.gguf: does not say that it is part 3"):
        fingerprint(str(first))
    third.unlink()
    with pytest.raises(ValueError, match=r"00003-of-00003.gguf: is not there"):
        fingerprint(str(first))


LLAMA = key("general.architecture", STRING, "llama")
TOKENS = "tokenizer.ggml.tokens"
LYING: dict[str, tuple[bytes, ...]] = {
    "texts": (LLAMA, key(TOKENS, ARRAY, array(STRING, ["a"], claimed=2**40))),
    "numbers": (LLAMA, key("a", ARRAY, array(UINT32, [1], claimed=2**62))),
    "a text": (LLAMA, key("a", STRING, struct.pack("<Q", 2**63))),
    "tokens that are none": (LLAMA, key(TOKENS, UINT32, 3)),
    "an architecture that is none": (key("general.architecture", UINT32, 3),),
    "lists of lists": (LLAMA, key("a", ARRAY, struct.pack("<IQ", ARRAY, 1))),
    "an alignment of none": (LLAMA, key("general.alignment", UINT32, 0)),
    "parts without end": (LLAMA, key("split.count", UINT64, 2**64 - 1)),
}


@pytest.mark.parametrize("says", LYING)
def test_what_a_file_says_of_itself_is_not_believed(tmp_path: Path, says: str) -> None:
    keys = LYING[says]
    path = tmp_path / "model.gguf"
    head = b"GGUF" + struct.pack("<IQQ", 3, 0, len(keys))
    path.write_bytes(head + b"".join(keys) + bytes(64))
    with pytest.raises(ValueError, match="not a GGUF model file"):
        fingerprint(str(path))


@pytest.mark.parametrize("counted", [(2**60, 0), (0, 2**60), (2**64 - 1, 2**64 - 1)])
def test_counts_are_held_against_the_bytes_that_are_there(
    tmp_path: Path, counted: tuple[int, int]
) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, *counted) + bytes(168))
    with pytest.raises(ValueError, match=r"says that \d+ things follow"):
        fingerprint(str(path))


def test_many_keys_are_no_more_work_than_few(tmp_path: Path) -> None:
    """Each is looked up among those before it."""
    keys = b"".join(key(f"k{i}", UINT32, i) for i in range(200_000))
    path = tmp_path / "model.gguf"
    head = key("general.architecture", STRING, "llama")
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 200_001) + head + keys)
    assert len(fingerprint(str(path))) == 32
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 2) + head + head)
    with pytest.raises(ValueError, match="has a key twice"):
        fingerprint(str(path))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write(tmp_path_factory.mktemp("whole") / "whole.gguf").read_bytes()


@given(st.data())
@settings(max_examples=300)
def test_a_damaged_file_has_a_fingerprint_or_is_refused(
    whole: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, 8000))
        number = data.draw(st.sampled_from([0, 1, 255, 2**31, 2**63, 2**64 - 1]))
        damaged[place : place + 8] = struct.pack("<Q", number)
    path = tmp_path_factory.getbasetemp() / "damaged.gguf"
    path.write_bytes(damaged[: data.draw(st.sampled_from([len(damaged), 5000, 100]))])
    with contextlib.suppress(ValueError):
        assert len(fingerprint(str(path))) == 32

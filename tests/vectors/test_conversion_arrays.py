"""Arrays of other libraries: npz, safetensors and PyTorch files."""

from __future__ import annotations

import importlib.util
import io
import json
import math
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from foreign_files import ROWS, known, written
from hostile_files import (
    ARCHITECTURE,
    BILLION,
    HINT,
    Gguf,
)
from llamood.errors import FileError
from llamood.vectors.conversion import convert, export
from llamood.vectors.measurement import Measurement

needs_safetensors = pytest.mark.skipif(
    importlib.util.find_spec("safetensors") is None, reason="safetensors is not installed"
)
needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is not installed"
)


def npz(**arrays):
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


def npz_of(member, content):
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(member, content)
    return archive.getvalue()


def npy_claiming(shape, data=b"\0" * 24):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (117 - len(header)) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.int16])
def test_npz_of_one_array_for_each_emotion(tmp_path, kind):
    path = written(tmp_path / "evs.npz", npz(joy=ROWS.astype(kind), fear=-ROWS.astype(kind)))
    evs = convert(path, site="attn_out")
    assert (evs.names, evs.measurement) == (("joy", "fear"), Measurement(site="attn_out"))
    assert np.array_equal(evs["fear"], -ROWS)
    assert convert(path, names=["a", "b"]).names == ("a", "b")
    assert convert(path).measurement.site == "layer_out"


def test_npz_of_data_and_names_or_of_layers(tmp_path):
    together = npz(data=np.stack([ROWS, -ROWS]), names=np.array(["joy", "fear"]))
    evs = convert(written(tmp_path / "evs.npz", together))
    assert evs.names == ("joy", "fear")
    assert np.array_equal(evs["fear"], -ROWS)
    layers = npz(**{str(i): row for i, row in enumerate(ROWS)})
    assert np.array_equal(convert(written(tmp_path / "joy.npz", layers))["joy"], ROWS)
    later = npz(**{str(i): row for i, row in enumerate(ROWS, 1)})
    path = written(tmp_path / "joy.npz", later)
    assert np.array_equal(convert(path, index_base=1)["joy"], ROWS)


BROKEN_NPZ = {
    "no archive": (b"anger", "no .npz file"),
    "truncated": (npz(joy=ROWS)[:-40], "truncated"),
    "empty": (npz(), "no vectors"),
    "no array in it": (npz_of("joy.npy", b"text"), "damaged"),
    "pickle": (npz(joy=np.array([[{}]], dtype=object)), "type object.*floats"),
    "text": (npz(joy=np.array([["a"]])), "type <U1.*real numbers"),
    "1-D": (npz(joy=ROWS[0]), r"joy has shape \(3,\).*n_embd"),
    "3-D without names": (npz(joy=ROWS[np.newaxis]), r"joy has shape \(1, 4, 3\).*n_embd"),
    "unequal": (npz(joy=ROWS, fear=ROWS[:2]), r"unequal shapes.*\(4, 3\).*\(2, 3\)"),
    "too few names": (npz(data=ROWS[np.newaxis], names=np.array(["a", "b"])), "for 2 names"),
    "NaN": (npz(joy=np.full((2, 2), np.nan)), "NaN.*joy"),
    "too large": (npz(joy=np.full((2, 2), 1e300)), "too large for float32"),
    "missing layers": (npz(**{"0": ROWS[0], "2": ROWS[0]}), "missing layers: 1 of 0-2"),
    "layers of scalars": (npz(**{"0": np.array(1.0)}), "layer 0 has shape"),
    "billion elements": (npz_of("joy.npy", npy_claiming(f"({BILLION}, 1)")), "claims.*1000000000"),
    "elements beyond 64 bits": (npz_of("joy.npy", npy_claiming((2**62, 2**62))), "claims"),
    "negative elements": (npz_of("joy.npy", npy_claiming((-2, 3))), "claims.*-24 bytes|damaged"),
    "damaged words about it": (
        npz(data=ROWS[None], llamood=np.array("{")),
        "llamood wrote.*damaged",
    ),
    "a set that is a list": (
        npz(data=ROWS[None], llamood=np.array("[]")),
        "llamood wrote.*damaged",
    ),
    "newer version": (
        npz(data=ROWS[None], llamood=np.array('{"version": 99}')),
        "newer llamood.*upgrade",
    ),
}


@pytest.mark.parametrize("rule", BROKEN_NPZ)
def test_broken_npz_is_one_clear_error(tmp_path, rule):
    content, words = BROKEN_NPZ[rule]
    path = written(tmp_path / "evs.npz", content)
    with pytest.raises(FileError, match=words):
        convert(path)
    assert list(tmp_path.iterdir()) == [path]


def test_files_larger_than_vectors_ever_are_get_refused(tmp_path, monkeypatch):
    """The archive is small and unpacks to more than the limit; the JSON itself is larger."""
    content = io.BytesIO()
    np.savez_compressed(content, joy=np.zeros((100, 100), dtype=np.float32))
    monkeypatch.setattr("llamood.vectors.third_party.LIMIT", 10_000)
    assert len(content.getvalue()) < 1000
    with pytest.raises(FileError, match=r"unpacks to 40000 bytes.*more than any"):
        convert(written(tmp_path / "joy.npz", content.getvalue()))
    with pytest.raises(FileError, match=r"has 20001 bytes.*more than any"):
        convert(written(tmp_path / "joy.json", " " * 20_001))


@pytest.mark.parametrize("arguments", [{"index_base": 1}, {"n_layer": 9}])
def test_what_arrays_cannot_be_told(tmp_path, arguments):
    path = written(tmp_path / "evs.npz", npz(joy=ROWS))
    with pytest.raises(FileError, match=r"not numbered|expected \(9, n_embd\)"):
        convert(path, **arguments)


def safetensors(header, data=b"", length=None):
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(head) if length is None else length) + head + data


def tensor(kind, shape, begin, end):
    return {"dtype": kind, "shape": shape, "data_offsets": [begin, end]}


@needs_safetensors
@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("F32", ROWS.tobytes()),
        ("F64", ROWS.astype("<f8").tobytes()),
        ("F16", ROWS.astype("<f2").tobytes()),
        ("BF16", (ROWS.view(np.uint32) >> 16).astype("<u2").tobytes()),
    ],
)
def test_safetensors_of_every_precision(tmp_path, kind, data):
    content = safetensors({"joy": tensor(kind, [4, 3], 0, len(data))}, data)
    evs = convert(written(tmp_path / "evs.safetensors", content))
    assert evs.names == ("joy",)
    assert np.array_equal(evs["joy"], ROWS)


@needs_safetensors
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "truncated"),
        (b"anger, fear", "damaged"),
        (safetensors({}, length=BILLION), "damaged"),
        (safetensors({"joy": tensor("F32", [4, 3], 0, 48)}, bytes(20)), "damaged"),
        (safetensors({"joy": tensor("F32", [BILLION, 3], 0, 48)}, bytes(48)), "damaged"),
        (safetensors({"joy": tensor("I32", [4, 3], 0, 48)}, bytes(48)), "joy is I32.*F32"),
        (safetensors({"joy": tensor("F32", [12], 0, 48)}, bytes(48)), r"joy has shape \(12,\)"),
        (safetensors({"joy": tensor("F32", [2, 1], 0, 8)}, b"\xff" * 8), "NaN.*joy at layer 0"),
    ],
)
def test_broken_safetensors_are_one_clear_error(tmp_path, content, words):
    path = written(tmp_path / "evs.safetensors", content)
    with pytest.raises(FileError, match=words):
        convert(path)
    assert list(tmp_path.iterdir()) == [path]


def pt(tmp_path, content):
    import torch

    torch.save(content, tmp_path / "joy.pt")
    return tmp_path / "joy.pt"


@needs_torch
def test_pytorch_files_of_every_form(tmp_path):
    import torch

    rows = torch.tensor(ROWS)
    for content in (
        rows,
        rows.to(torch.bfloat16),
        rows.to(torch.float64),
        rows.clone().requires_grad_(),
        {"joy": rows.half()},
        dict(enumerate(rows)),
        {i: row[None] for i, row in enumerate(rows)},
    ):
        evs = convert(pt(tmp_path, content))
        assert evs.names == ("joy",)
        assert np.array_equal(evs["joy"], ROWS)
    evs = convert(pt(tmp_path, {"data": torch.stack([rows, -rows]), "names": ["joy", "fear"]}))
    assert evs.names == ("joy", "fear")
    assert np.array_equal(evs["fear"], -ROWS)


@needs_torch
def test_broken_pytorch_files_are_one_clear_error(tmp_path):
    import torch

    rows = torch.tensor(ROWS)
    whole = pt(tmp_path, rows).read_bytes()
    for content, words in (
        ({}, "holds dict, expected a tensor"),
        ([rows], "holds list, expected a tensor"),
        ({"joy": rows, "fear": 3}, "'fear' is int, expected a tensor"),
        (rows.int(), "'joy' is Tensor, expected a tensor of floats"),
        (rows.to_sparse(), "stored as torch.sparse_coo"),
        (torch.zeros(1).expand(BILLION, 1), "claims 1000000000 elements"),
        (rows * math.nan, "NaN.*joy"),
        (rows[0], r"joy has shape \(3,\)"),
        (Path("joy"), "not only weights"),
    ):
        with pytest.raises(FileError, match=words):
            convert(pt(tmp_path, content))
    for content in (b"", b"anger", whole[:-100]):
        with pytest.raises(FileError, match="truncated"):
            convert(written(tmp_path / "joy.pt", content))


class Touch:
    """Unpickled, it makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@needs_torch
def test_nothing_in_a_pytorch_file_is_run(tmp_path):
    made = tmp_path / "made"
    path = pt(tmp_path, {"joy": Touch(made)})
    with pytest.raises(FileError, match="not only weights"):
        convert(path)
    assert not made.exists()


@pytest.mark.parametrize(
    ("suffix", "module", "words"),
    [
        (".safetensors", "safetensors", r'needs safetensors.*pip install "\.\[convert\]"'),
        (".pt", "torch", "needs PyTorch.*pip install torch"),
    ],
)
def test_a_library_that_is_missing_is_named(tmp_path, monkeypatch, suffix, module, words):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(FileError, match=words):
        convert(written(tmp_path / f"joy{suffix}", b"whatever"))


def test_a_missing_library_leaves_nothing_when_exporting(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(FileError, match="needs safetensors"):
        export(known(), tmp_path / "new" / "evs.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_architecture_and_hint_are_enough_of_a_header(tmp_path):
    content = Gguf(keys=[HINT, ARCHITECTURE]).bytes()
    assert convert(written(tmp_path / "joy.gguf", content)).measurement.model_name == "llama"

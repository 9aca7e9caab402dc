"""Control-vector files: written and read back, read by llama.cpp, and bad ones refused."""

from __future__ import annotations

import contextlib
import os
import resource
import shutil
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from hostile_files import BROKEN, REFUSED_BY_LLAMA_CPP, WHOLE, Direction, Gguf, directions
from llamood.atomic import write_files
from llamood.errors import FileError, FilesError, VectorError
from llamood.vectors import files
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.files import load, save
from llamood.vectors.measurement import Measurement

TOLD = Measurement(
    method="mean_difference",
    site="attn_out",
    positions="generated",
    model_name="Ünïcode 0.5B",
    model_arch="qwen2",
    model_fingerprint="ab12",
    residual_rms=(0.1, 1 / 3, 1e-300, 5.0),
)

floats = st.floats(width=32, allow_nan=False, allow_infinity=False)
numbers = st.floats(allow_nan=False, allow_infinity=False)


def made(*names, told=TOLD, seed=0, **known):
    shape = (len(names), 4, 6)
    data = np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)
    return EmotionVectors(names, data, told, **known)


def assert_equal(a, b):
    """Bit for bit, signs of zero included."""
    assert a.names == b.names
    assert a.data.tobytes() == b.data.tobytes()
    assert a.measurement == b.measurement
    assert (a.pairs, a.scale, a.ceiling, a.affect) == (b.pairs, b.scale, b.ceiling, b.affect)


def files_under(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*"))


@st.composite
def sets(draw):
    names = tuple(
        draw(st.lists(st.sampled_from(["joy", "fear", "anger"]), min_size=1, unique=True))
    )
    n, n_layer = len(names), draw(st.integers(2, 4))
    data = draw(arrays(np.float32, (n, n_layer, draw(st.integers(1, 9))), elements=floats))
    each = lambda values: st.tuples(*[values] * n)  # noqa: E731
    return EmotionVectors(
        names,
        data,
        draw(
            st.builds(
                Measurement,
                method=st.none() | st.text(st.characters(codec="utf-8"), min_size=1),
                site=st.sampled_from(["layer_out", "attn_out"]),
                positions=st.sampled_from([None, "generated", "all"]),
                model_arch=st.sampled_from([None, "llama"]),
                model_fingerprint=st.sampled_from([None, "ab12"]),
                residual_rms=st.none() | st.tuples(*[numbers.map(abs)] * n_layer),
            )
        ),
        pairs=draw(each(st.none() | st.integers(0, 2**32 - 1))),
        scale=draw(each(numbers)),
        ceiling=draw(each(st.none() | numbers.map(abs).filter(bool))),
        affect=draw(each(st.none() | st.tuples(*[st.floats(-1, 1)] * 3))),
    )


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(sets())
def test_what_was_saved_is_loaded_bit_for_bit(tmp_path, evs):
    assert_equal(load(save(evs, tmp_path)), evs)


def test_a_folder_is_read_in_the_order_of_names(tmp_path):
    evs = made("sadness", "anger", pairs=(3, None), ceiling=(None, 2.0))
    paths = save(evs, tmp_path / "new" / "evs")
    assert [path.name for path in paths] == ["sadness.gguf", "anger.gguf"]
    (tmp_path / "new" / "evs" / "notes.txt").write_text("no vectors")
    (tmp_path / "new" / "evs" / "._anger.gguf").write_bytes(b"left by another system")
    assert_equal(load(tmp_path / "new" / "evs"), evs.select(["anger", "sadness"]))
    assert_equal(load(str(paths[0])), evs.select("sadness"))


def test_saving_again_replaces_and_leaves_the_others(tmp_path):
    save(made("joy", "fear"), tmp_path)
    save(made("joy", seed=1), tmp_path)
    assert_equal(load(tmp_path / "joy.gguf"), made("joy", seed=1))
    assert files_under(tmp_path) == [Path("fear.gguf"), Path("joy.gguf")]


def test_other_writers_files_are_read(tmp_path):
    path = tmp_path / "happy.gguf"
    path.write_bytes(WHOLE)
    evs = load(path)
    assert evs.names == ("happy",)
    assert evs.data.tolist() == [[[0, 0, 0], [1, 2, 3], [4, 5, 6]]]
    assert evs.measurement == Measurement(model_name="llama")
    assert evs.measurement.model_arch is None


def test_an_older_gguf_version_is_read(tmp_path):
    path = tmp_path / "joy.gguf"
    path.write_bytes(Gguf(version=struct.pack("<I", 2)).bytes())
    assert load(path).n_layer == 3


@pytest.mark.parametrize("rule", BROKEN)
def test_a_broken_file_is_one_clear_error(tmp_path, rule):
    content, words = BROKEN[rule]
    path = tmp_path / "joy.gguf"
    path.write_bytes(content)
    tracemalloc.start()
    try:
        with pytest.raises(FileError, match=words) as caught:
            load(path)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
    assert caught.value.path == path
    assert str(path) in str(caught.value)
    assert files_under(tmp_path) == [Path("joy.gguf")]


@pytest.mark.parametrize("n", range(len(WHOLE)))
def test_a_file_cut_at_any_byte_is_refused_or_whole(tmp_path, n):
    path = tmp_path / "joy.gguf"
    path.write_bytes(WHOLE[:n])
    padding = 32 - 12  # after the last number
    if n >= len(WHOLE) - padding:
        assert load(path).n_embd == 3
        return
    with pytest.raises(FileError, match="truncated"):
        load(path)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=8))
def test_damage_anywhere_is_refused_or_gives_a_sound_value(tmp_path, at, damage):
    path = tmp_path / "joy.gguf"
    path.write_bytes(WHOLE[:at] + damage + WHOLE[at + len(damage) :])
    with contextlib.suppress(FileError):
        assert np.isfinite(load(path).data).all()


def test_faults_of_all_files_come_at_once(tmp_path):
    for rule in ("F16", "NaN"):
        (tmp_path / f"{rule}.gguf").write_bytes(BROKEN[rule][0])
    (tmp_path / "sound.gguf").write_bytes(WHOLE)
    with pytest.raises(
        FilesError, match=r"2 files(.|\n)*F16.gguf.*is F16(.|\n)*NaN.gguf.*NaN"
    ) as caught:
        load(tmp_path)
    assert [error.path.name for error in caught.value.errors] == ["F16.gguf", "NaN.gguf"]


def test_files_must_agree(tmp_path):
    save(made("anger"), tmp_path)
    save(made("fear", told=Measurement(site="layer_out")), tmp_path)
    save(EmotionVectors(("joy",), np.ones((1, 9, 6))), tmp_path)
    with pytest.raises(
        FilesError, match=r"fear.gguf.*site attn_out and layer_out(.|\n)*joy.*layers"
    ):
        load(tmp_path)
    shutil.copy(tmp_path / "anger.gguf", tmp_path / "rage.gguf")
    with pytest.raises(FileError, match=r"rage.gguf.*both sets have anger"):
        load([tmp_path / "anger.gguf", tmp_path / "rage.gguf"])


def test_a_thousand_faults_are_shown_in_short(tmp_path):
    path = tmp_path / "joy.gguf"
    path.write_bytes(directions(*[Direction(f"x{i}") for i in range(1000)]))
    with pytest.raises(FileError, match=r"and \d+ faults more") as caught:
        load(path)
    assert len(caught.value.faults) >= 1000
    assert len(str(caught.value)) < 2000


def test_paths_that_are_no_files_of_vectors(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    fifo = tmp_path / "fifo.gguf"
    os.mkfifo(fifo)
    for source, words in (
        (tmp_path / "nothing.gguf", "does not exist"),
        ([tmp_path / "nothing.gguf"], "No such file"),
        (empty, "folder without .gguf"),
        ([empty], "is a folder, expected a file"),
        (fifo, "no regular file"),
    ):
        with pytest.raises(FileError, match=words):
            load(source)
    with pytest.raises(VectorError, match=r"no file.*at least one"):
        load([])


@pytest.mark.parametrize(
    "name", ["a/b", "..", ".joy", "a\\b", "C:joy", "joy.", "x*", "n" * 300, "é" * 150]
)
def test_names_that_are_no_file_names_are_refused(tmp_path, name):
    with pytest.raises(VectorError, match="cannot be a file name"):
        save(made("fear", name), tmp_path / "evs")
    assert files_under(tmp_path) == []


def test_other_sets_that_cannot_be_saved(tmp_path):
    with pytest.raises(VectorError, match=r"only in case.*Joy"):
        save(made("joy", "Joy"), tmp_path)
    with pytest.raises(VectorError, match="one layer cannot be saved"):
        save(EmotionVectors(("joy",), np.ones((1, 1, 4))), tmp_path)
    assert files_under(tmp_path) == []


def test_a_full_disk_leaves_the_old_files_and_nothing_else(tmp_path):
    """The limit on the size of files stands for the disk: the second file exceeds it."""
    old = made("fear", "joy")
    save(old, tmp_path / "evs")
    before = {path: path.read_bytes() for path in (tmp_path / "evs").iterdir()}
    wide = EmotionVectors(("fear", "joy"), np.ones((2, 4, 4000)), TOLD)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        for folder in ("evs", "other/evs"):
            with pytest.raises(FileError, match=r"fear.gguf.*cannot be written"):
                save(wide, tmp_path / folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert {path: path.read_bytes() for path in (tmp_path / "evs").iterdir()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evs"]


def test_no_file_is_replaced_before_all_are_written(tmp_path, monkeypatch):
    save(made("fear", "joy"), tmp_path)
    write = files.control_vector.write

    def fails_at_joy(path, *, evs, name):
        if name == "joy":
            path.write_bytes(b"half of")
            raise OSError(28, "No space left on device")
        write(path, evs=evs, name=name)

    monkeypatch.setattr(files.control_vector, "write", fails_at_joy)
    with pytest.raises(FileError, match=r"joy.gguf.*No space left"):
        save(made("fear", "joy", seed=1), tmp_path)
    monkeypatch.undo()
    assert_equal(load(tmp_path), made("fear", "joy"))
    assert files_under(tmp_path) == [Path("fear.gguf"), Path("joy.gguf")]


def test_what_goes_goes_with_what_is_written(tmp_path):
    old, kept = tmp_path / "old" / "joy.gguf", tmp_path / "old" / "notes"
    other = tmp_path / "older" / "fear.gguf"
    for path in (old, kept, other):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"as it was")
    new = tmp_path / "new"

    def in_the_way(path):
        path.write_bytes(b"new")
        new.mkdir()

    with pytest.raises(FileError, match="new: cannot be replaced"):
        write_files({new: in_the_way}, gone=[old, other])
    assert {path.read_bytes() for path in (old, kept, other)} == {b"as it was"}
    assert sorted(tmp_path.rglob("*")) == sorted(
        [new, *(old.parent, old, kept), *(other.parent, other)]
    )
    new.rmdir()
    write_files({new: lambda path: path.write_bytes(b"new")}, gone=[old, other])
    assert sorted(tmp_path.rglob("*")) == [new, kept.parent, kept]


def test_a_folder_or_a_file_in_the_way_is_said_so(tmp_path):
    (tmp_path / "joy.gguf").mkdir()
    with pytest.raises(FileError, match=r"joy.gguf: is a folder"):
        save(made("fear", "joy"), tmp_path)
    assert files_under(tmp_path) == [Path("joy.gguf")]
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(FileError, match="cannot be made a folder"):
        save(made("fear"), tmp_path / "file" / "evs")
    with pytest.raises(FileError, match="cannot be made a folder"):
        save(made("fear"), tmp_path / "file")


def test_saved_files_have_the_usual_permissions(tmp_path):
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    (path,) = save(made("joy"), tmp_path)
    assert path.stat().st_mode == plain.stat().st_mode


def test_reading_files_imports_no_large_library(tmp_path):
    (path,) = save(made("joy"), tmp_path)
    program = (
        "import sys; from llamood.vectors import conversion, files; files.load(sys.argv[1]);"
        "print({'gguf', 'torch', 'safetensors'} & set(sys.modules))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, path], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "set()"


LOADER = r"""
#include <cstdio>
#include <string>
#include <vector>

struct common_control_vector_data { int n_embd; std::vector<float> data; };
struct common_control_vector_load_info { float strength; std::string fname; };
common_control_vector_data common_control_vector_load(
    const std::vector<common_control_vector_load_info> & infos);

int main(int, char ** argv) {
    const auto loaded = common_control_vector_load({{1.0f, argv[1]}});
    std::fwrite(&loaded.n_embd, sizeof(int), 1, stdout);
    std::fwrite(loaded.data.data(), sizeof(float), loaded.data.size(), stdout);
}
"""


@pytest.fixture(scope="module")
def llama_cpp_loads(tmp_path_factory):
    """A function that gives a file to llama.cpp's own loader: (n_embd or -1, its floats)."""
    llama_cpp = pytest.importorskip("llama_cpp")
    package = Path(llama_cpp.__file__).parent
    libraries = [
        folder
        for folder in (package / "lib", package.parent / "lib")
        if (folder / "libllama-common.so").exists()
    ]
    compiler = shutil.which("g++") or shutil.which("c++")
    if not libraries or compiler is None:
        pytest.skip("needs a C++ compiler and llama.cpp's common library")
    folder = tmp_path_factory.mktemp("loader")
    (folder / "loader.cpp").write_text(LOADER)
    link = f"-Wl,--disable-new-dtags,--allow-shlib-undefined,-rpath,{libraries[0]}"
    subprocess.run(
        [compiler, "loader.cpp", "-o", "loader", "-L", libraries[0], "-lllama-common", link],
        cwd=folder,
        check=True,
    )

    def loads(path):
        run = subprocess.run([folder / "loader", path], capture_output=True, check=True, timeout=60)
        return int.from_bytes(run.stdout[:4], sys.byteorder, signed=True), run.stdout[4:]

    return loads


def test_llama_cpp_loads_what_was_saved(tmp_path, llama_cpp_loads):
    evs = made("anger", "joy", pairs=(3, 4), ceiling=(1.5, None), affect=((0.1, 0.2, 0.3), None))
    for name, path in zip(evs.names, save(evs, tmp_path), strict=True):
        n_embd, data = llama_cpp_loads(path)
        assert n_embd == evs.n_embd
        assert data == evs[name][1:].tobytes()


def test_llama_cpp_reads_a_foreign_file_as_we_do(tmp_path, llama_cpp_loads):
    path = tmp_path / "joy.gguf"
    path.write_bytes(WHOLE)
    n_embd, data = llama_cpp_loads(path)
    assert n_embd == 3
    assert data == load(path)["joy"][1:].tobytes()


@pytest.mark.parametrize("rule", REFUSED_BY_LLAMA_CPP)
def test_llama_cpp_refuses_it_too(tmp_path, llama_cpp_loads, rule):
    path = tmp_path / "joy.gguf"
    path.write_bytes(BROKEN[rule][0])
    assert llama_cpp_loads(path) == (-1, b"")

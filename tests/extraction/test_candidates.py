"""The ways that one measurement gives, and the file that keeps them beside the vectors."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from labelled_states import N_EMBD, N_LAYER, NAMES, labelled, planted
from llamood.errors import FileError, VectorError
from llamood.extraction.candidates import CONTROL, FILE_NAME, Candidates, name_of
from llamood.extraction.directions import METHODS, directions
from llamood.extraction.windows import LAST, window
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.increments import increments
from llamood.vectors.measurement import Measurement

MEASURED = Measurement(
    method="labelled-texts",
    positions="generated",
    model_name="made up",
    model_arch="llama",
    model_fingerprint="00ff",
    residual_rms=(1.0, 2.5),
)
N_WAY = 2 * len(METHODS)
STATES = labelled(dict(zip(NAMES, planted(), strict=True)), n=6)


@pytest.fixture
def candidates() -> Candidates:
    both = {"texts": STATES, "answers": replace(STATES, data=2 * STATES.data)}
    return Candidates.of(both, names=NAMES, measurement=MEASURED)


def test_every_method_of_every_source(candidates: Candidates) -> None:
    expected = [f"{source}, {method}" for source in ("texts", "answers") for method in METHODS]
    assert list(candidates.ways) == expected
    assert candidates.names == NAMES
    assert candidates.n_layer == N_LAYER
    assert any(way.endswith(CONTROL) for way in candidates.ways)
    for way, evs in candidates.ways.items():
        assert evs.names == NAMES
        assert evs.pairs == (6, 6, 6)
        assert evs.measurement == replace(MEASURED, method=way)
        own = 1 if way.startswith("texts") else 2
        found = own * directions(STATES, METHODS[expected.index(way) % len(METHODS)], names=NAMES)
        np.testing.assert_allclose(evs.data, found, rtol=1e-4, atol=1e-5)


def test_words_lie_above_what_is_felt(candidates: Candidates) -> None:
    said, dealt = np.eye(3, N_EMBD, dtype=np.float32), -np.eye(3, N_EMBD, dtype=np.float32)
    made = candidates.with_words("texts", said, control=dealt)
    assert set(made.ways) - set(candidates.ways) == {"texts, words", "texts, whitened and words"}
    first = window(LAST, n_layer=N_LAYER)[0]
    lengths = np.sqrt(np.square(candidates.ways["texts, whitened"].norms()).mean(axis=0))
    words = lengths[:, np.newaxis, np.newaxis] * said
    for way, felt, expected in (
        ("whitened and words", "whitened and shared", words), (CONTROL, CONTROL, -words),
    ):  # fmt: skip
        found = made.ways[f"texts, {way}"].data
        np.testing.assert_allclose(found[:, first:].swapaxes(0, 1), expected[first:], atol=1e-5)
        below = candidates.ways[f"texts, {felt}"].data
        np.testing.assert_array_equal(found[:, :first], below[:, :first])
    alone = made.ways["texts, words"].data
    np.testing.assert_allclose(alone.swapaxes(0, 1), words, atol=1e-5)
    for way in candidates.ways:  # the rest stays
        if way != f"texts, {CONTROL}":
            assert made.ways[way] is candidates.ways[way]


def test_all_are_at_hand_together_as_measured_and_in_increments(candidates: Candidates) -> None:
    together = candidates.together()
    assert together.n_emotion == 2 * 2 * len(METHODS) * len(NAMES)
    assert together.measurement.residual_rms == MEASURED.residual_rms
    for way, evs in candidates.ways.items():
        for made, added in ((evs, False), (increments(evs), True)):
            for name in NAMES:
                found = together[name_of(name, way, increments=added)]
                np.testing.assert_array_equal(found, made[name])


def test_vectors_of_unknown_making_are_tried_as_they_are_and_centred() -> None:
    evs = EmotionVectors(NAMES, planted(), MEASURED)
    calibrated = replace(evs, ceiling=(1.0,) * 3) * {"joy": 0.5}
    for given in (evs, calibrated, increments(calibrated)):
        found = Candidates.of_vectors(given)
        assert list(found.ways) == ["vectors, as measured", "vectors, centred"]
        for made in found.ways.values():
            assert made.scale == (1.0,) * 3
            assert made.ceiling == (None,) * 3
        as_they_are, centred = (made.data[:, 1:] for made in found.ways.values())
        np.testing.assert_allclose(as_they_are, evs.data[:, 1:], atol=1e-6)
        np.testing.assert_allclose(centred.sum(axis=0), 0, atol=1e-5)
    alone = Candidates.of_vectors(evs.select("joy"))
    assert list(alone.ways) == ["vectors, as measured"]
    elsewhere = replace(evs, measurement=Measurement(site="attn_out"))
    with pytest.raises(VectorError, match="measured at attn_out"):
        Candidates.of_vectors(elsewhere).together()


# -- the file -------------------------------------------------------------------------------


def test_the_file_gives_them_back(candidates: Candidates, tmp_path: Path) -> None:
    path = candidates.save(tmp_path / "new")
    assert path == tmp_path / "new" / FILE_NAME
    again = Candidates.load(tmp_path / "new")
    assert list(again.ways) == list(candidates.ways)
    for way, evs in candidates.ways.items():
        made = again.ways[way]
        assert made.names == evs.names
        assert made.measurement == evs.measurement
        np.testing.assert_allclose(made.data, evs.data, rtol=2**-10, atol=2**-14)  # float16


def test_large_vectors_are_kept(candidates: Candidates, tmp_path: Path) -> None:
    """Some models' hidden states have columns beyond what 16 bits hold."""
    huge = {
        way: replace(evs, data=evs.data * np.float32(1e6)) for way, evs in candidates.ways.items()
    }
    Candidates(huge).save(tmp_path)
    for way, evs in Candidates.load(tmp_path).ways.items():
        length = np.abs(huge[way].data).max()
        np.testing.assert_allclose(evs.data, huge[way].data, atol=length * 2**-10)


def arrays(path: Path) -> dict[str, Any]:
    with np.load(path) as file:
        return dict(file)


@pytest.mark.parametrize(
    ("changed", "faults"),
    [
        ({"data": None}, ["'data' is missing"]),
        ({"data": None, "names": None}, ["'names' is missing", "'data' is missing"]),
        ({"names": np.arange(3)}, ["'names' is i8 with 1 dimensions; expected U with 1"]),
        (
            {"data": np.zeros((2, 3)), "about": np.array(["{}"])},
            ["'data' is f8 with 2 dimensions; expected f with 4", "'about' is U2 with 1"],
        ),
        ({"names": np.array(["joy", "fear"])}, [f"{N_WAY} ways and 2 emotions"]),
        ({"ways": np.array(["one"])}, ["1 ways and 3 emotions"]),
        (
            {"ways": np.array([], dtype="U4"), "data": np.zeros((0, 3, 2, 4), np.float16)},
            ["0 ways and 3 emotions"],
        ),
        (
            {"ways": np.array(["one"] * N_WAY), "about": np.array('{"site": "attn_out"}')},
            ["a way stands twice", "measured at attn_out, expected layer_out"],
        ),
        ({"names": np.array(["joy", "joy", "fear"])}, ["holds no candidates", "joy"]),
        ({"data": np.full((N_WAY, 3, 2, N_EMBD), np.nan, np.float16)}, ["holds no candidates"]),
        ({"about": np.array("{")}, ["holds no candidates"]),
        ({"about": np.array("[]")}, ["holds no candidates"]),
        ({"about": np.array('{"site": "head"}')}, ["holds no candidates: site is 'head'"]),
        ({"about": np.array('{"colour": "red"}')}, ["holds no candidates"]),
        ({"about": np.array('{"residual_rms": [1]}')}, ["residual_rms has 1 entries for 2"]),
        ({"about": np.array("[" * 100_000)}, ["holds no candidates"]),
    ],
)
def test_hostile_files_are_refused(
    candidates: Candidates, tmp_path: Path, changed: dict[str, Any], faults: list[str]
) -> None:
    path = candidates.save(tmp_path)
    made = {**arrays(path), **changed}
    with path.open("wb") as file:
        np.savez(file, **{name: array for name, array in made.items() if array is not None})
    with pytest.raises(FileError) as caught:
        Candidates.load(tmp_path)
    assert caught.value.path == path
    for fault in faults:
        assert fault in str(caught.value)


def test_what_is_no_file_of_candidates_is_refused(candidates: Candidates, tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    with pytest.raises(FileError, match="cannot be read: No such file"):
        Candidates.load(tmp_path)
    whole = candidates.save(tmp_path).read_bytes()
    for content in (b"", b"PK\x03\x04", whole[: len(whole) // 2], b"GGUF" + bytes(60)):
        path.write_bytes(content)
        with pytest.raises(FileError, match="file of candidates"):
            Candidates.load(tmp_path)
    made = arrays(candidates.save(tmp_path))
    with path.open("wb") as file:
        np.savez(file, **{**made, "names": np.array([print])})
    with pytest.raises(FileError, match="Object arrays cannot be loaded"):
        Candidates.load(tmp_path)
    path.unlink()
    path.mkdir()
    with pytest.raises(FileError):
        Candidates.load(tmp_path)


def test_an_array_that_claims_to_be_huge_is_not_unpacked(
    candidates: Candidates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    candidates.save(tmp_path)
    monkeypatch.setattr("llamood.extraction.candidates.MAX_FILE_BYTES", 1000)
    with pytest.raises(FileError, match="at most 1000 bytes"):
        Candidates.load(tmp_path)


def test_the_file_holds_no_code_and_says_what_it_is(candidates: Candidates, tmp_path: Path) -> None:
    path = candidates.save(tmp_path)
    with zipfile.ZipFile(path) as archive:
        assert sorted(archive.namelist()) == ["about.npy", "data.npy", "names.npy", "ways.npy"]
    about = json.loads(str(arrays(path)["about"]))
    assert about["model_fingerprint"] == "00ff"
    assert about["residual_rms"] == [1.0, 2.5]

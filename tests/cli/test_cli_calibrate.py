"""``llamood calibrate`` as people and programs meet it, on a trained model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import llamood
import tiny_chat
from cli_runs import run
from labelled_states import labelled
from llamood.calibration.remainder import with_remainder
from llamood.calibration.utterances import Origin, origin_path, origins
from llamood.extraction.candidates import Candidates
from llamood.readings.probe import FILE_NAME, Probe
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.increments import as_measured, increments, is_increments

QUICK = ("--questions", "4", "--max-tokens", "8", "--threads", "1", "--json")
NAMES = ("joy", "fear")


@pytest.fixture(autouse=True)
def few_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readings are measured from as few texts as that takes."""
    monkeypatch.setattr("llamood.cli.baselines.PER_LABEL", 14)


@pytest.fixture
def evs(tmp_path: Path) -> Path:
    """Two emotions as they were measured."""
    llamood.save(measured(), tmp_path / "evs")
    return tmp_path / "evs"


def measured() -> EmotionVectors:
    return as_measured(llamood.load(tiny_chat.VECTORS)).select(NAMES)


def keep_candidates(folder: Path) -> Candidates:
    """As extract does: of two emotions that move this model, and of other methods."""
    evs = measured()
    added = {name: 2 * evs[name] for name in NAMES}
    states = labelled(added, n=20, noise=0.05, shape=evs.data.shape[1:])
    made = Candidates.of({"texts": states}, names=NAMES, measurement=evs.measurement)
    made.save(folder)
    return made


def calibrated(folder: Path, *arguments: str | Path) -> dict[str, Any]:
    result = run("calibrate", tiny_chat.MODEL, "-e", folder, *arguments, *QUICK)
    assert result.exit_code == 0, result.stderr
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def test_in_the_layers_that_are_asked_for(evs: Path, tmp_path: Path) -> None:
    target = tmp_path / "made"
    report = calibrated(evs, "-o", target, "--layers", "2:4", "--way", "vectors, as measured")
    assert report["tried"] == {}  # there was one place only
    made = llamood.load(target).select(NAMES)
    assert made.ceiling == pytest.approx((1.0, 1.0))
    for i, name in enumerate(NAMES):
        found = report["emotions"][name]
        assert found["place"] == "vectors, as measured, layers 2 to 4"
        assert made.scale[i] == pytest.approx(found["dose"])
        assert found["perplexity"] <= 1.5
        assert [found["dose"], found["perplexity"]] in found["trials"]
        expected = found["dose"] * measured()[name][2:5]
        np.testing.assert_allclose(made[name][2:5], expected, rtol=1e-5)
    assert not np.delete(made.data, np.s_[2:5], axis=1).any()
    assert set(report["files"]) == {str(target / n) for n in ("joy.gguf", "fear.gguf", FILE_NAME)}
    Probe.load(target).require_fit(made)


def test_in_increments_and_what_reads_them(evs: Path) -> None:
    """In place, as there is no -o."""
    report = calibrated(evs, "--layers", "increments", "--way", "vectors, as measured")
    made = llamood.load(evs).select(NAMES)
    assert is_increments(made)
    assert report["emotions"]["joy"]["place"].endswith("in increments, layers 1 to 7")
    back = as_measured(made)
    np.testing.assert_allclose(back.data[:, 1:], measured().data[:, 1:], atol=1e-3)
    Probe.load(evs).require_fit(made)


@pytest.mark.parametrize(
    ("layers", "n_place"),
    [
        ("auto", 2),
        *(pytest.param(each, 6, marks=pytest.mark.slow) for each in ("all", "increments", "2:3")),
    ],
)
def test_of_the_places_that_are_asked_for_each_emotion_has_the_best(
    evs: Path, layers: str, n_place: int
) -> None:
    made = keep_candidates(evs)
    report = calibrated(evs, "--layers", layers)
    assert len(report["tried"]) == n_place
    assert not any("shuffled" in place for place in report["tried"])
    for name in NAMES:
        place = report["emotions"][name]["place"]
        # What a place shows of all emotions counts as much as what it shows of the one.
        worth = {
            each: of[name] + sum(of.values()) / len(of) for each, of in report["tried"].items()
        }
        assert worth[place] == max(worth.values())
    # A control beside them, as long in each layer.
    vectors = llamood.load(evs).select(NAMES)
    control = llamood.load(evs / "control").select(NAMES)
    np.testing.assert_allclose(control.norms(), vectors.norms(), rtol=1e-4)
    assert control.ceiling == vectors.ceiling
    assert control.measurement.method == "texts, shuffled"
    np.testing.assert_array_equal(  # what may be chosen from is still there
        Candidates.load(evs).ways["texts, centred"].data,
        made.ways["texts, centred"].data.astype(np.float16),
    )


@pytest.mark.slow
def test_everything_is_every_way_in_every_place(evs: Path) -> None:
    n_way = len(keep_candidates(evs).ways) - 1  # but the control
    report = calibrated(evs, "--layers", "everything")
    assert len(report["tried"]) == n_way * (3 + 2)
    assert sum("in increments" in place for place in report["tried"]) == n_way


@pytest.mark.slow
def test_one_way_in_the_windows(evs: Path) -> None:
    keep_candidates(evs)
    report = calibrated(evs, "--way", "texts, centred")
    assert set(report["tried"]) == {
        f"texts, centred, layers {layers}" for layers in ("2 to 4", "3 to 5", "4 to 5")
    }


@pytest.mark.slow
def test_feelings_that_were_added_stay_as_they_are(evs: Path, tmp_path: Path) -> None:
    """Candidates are not of them. In place, and in another folder."""
    keep_candidates(evs)
    before = llamood.load(evs)
    llamood.save(replace(before, pairs=(30, 40)), evs)
    calm = before.select("joy").rename({"joy": "calm"}) * 0.25
    llamood.save(replace(calm, pairs=(25,), ceiling=(1.0,)), evs)
    origin = Origin(
        texts=tuple(f"The lake is still, and boat {n} is asleep." for n in range(25)),
        manner=None, place="utterances, layers 2 to 4", dose=0.25, perplexity=1.2,
    )  # fmt: skip
    (evs / "added").mkdir()
    origin.write(origin_path(evs, "calm"))
    stored = llamood.load(evs).select("calm")
    for target in (tmp_path / "made", evs):
        report = calibrated(evs, "-o", target, "--layers", "2:4", "--way", "texts, centred")
        assert set(report["emotions"]) == set(NAMES)
        made = llamood.load(target)
        kept = made.select("calm")
        np.testing.assert_array_equal(kept.data, stored.data)
        assert (kept.scale, kept.ceiling, kept.pairs) == ((0.25,), (1.0,), (25,))
        # What texts were counted in the file of candidates is not.
        assert made.select(before.names).pairs == (30, 40)
        assert made.measurement.method == "texts, centred, layers 2 to 4"
        assert origins(target) == {"calm": origin}
        assert set(Probe.load(target).names) == {*NAMES, "calm"}
        assert set(llamood.load(target / "control").names) == set(NAMES)


def test_what_was_removed_does_not_come_back(evs: Path) -> None:
    keep_candidates(evs)
    (evs / "fear.gguf").unlink()
    report = calibrated(evs, "--layers", "all", "--way", "texts, centred")
    assert set(report["emotions"]) == {"joy"}
    assert llamood.load(evs).names == ("joy",)
    assert Candidates.load(evs).names == NAMES  # extract's, from which it can be taken again


def test_increments_are_not_said_of_what_was_added_otherwise() -> None:
    known = measured()
    made = increments(known.select("joy"))
    joined = with_remainder(made, known)
    assert joined.names == ("joy", "fear")
    assert not is_increments(joined)
    np.testing.assert_array_equal(as_measured(joined).data, joined.data)
    assert is_increments(with_remainder(made, increments(known)))


def test_people_see_a_table(evs: Path) -> None:
    result = run("calibrate", tiny_chat.MODEL, "-e", evs, "--layers", "2:4", *QUICK[:-1])
    assert result.exit_code == 0
    assert "1.0 is the largest dose that read fluently" in result.stdout
    for words in ("joy", "fear", "seen by the judge", "layers 2 to 4", "3 files in"):
        assert words in " ".join(result.stdout.split())


def test_where_no_dose_is_fluent_nothing_is_written(evs: Path, tmp_path: Path) -> None:
    """Vectors that are noise, and so long that the smallest dose of them is too much."""
    rng = np.random.default_rng(0)
    data = 1e4 * rng.normal(size=measured().data.shape)
    llamood.save(EmotionVectors(NAMES, data), tmp_path / "loud")
    before = {path.name: path.read_bytes() for path in (tmp_path / "loud").iterdir()}
    for target in (tmp_path / "made", tmp_path / "loud"):
        result = run(
            "calibrate", tiny_chat.MODEL, "-e", tmp_path / "loud", "-o", target, "--layers", "all",
            "--way", "vectors, as measured", *QUICK,
        )  # fmt: skip
        assert result.exit_code == 1
        assert "no dose of any emotion was fluent; nothing is written" in result.stderr
    assert not (tmp_path / "made").exists()
    assert {p.name: p.read_bytes() for p in (tmp_path / "loud").iterdir()} == before


def test_what_nobody_can_read_is_calibrated_all_the_same(evs: Path, tmp_path: Path) -> None:
    llamood.save(measured().rename({"fear": "awe"}), tmp_path / "other")
    result = run("calibrate", tiny_chat.MODEL, "-e", tmp_path / "other", "--layers", "2:4", *QUICK)
    assert result.exit_code == 0
    assert "nothing can be read with these vectors" in result.stderr
    assert json.loads(result.stdout)["emotions"]["awe"]["shown"] is None  # no judge knows it
    assert not (tmp_path / "other" / FILE_NAME).exists()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("demo",), 2, "stay as they are"),
        ((tiny_chat.MODEL, "-o", "x", "--layers", "9:12"), 1, "there are 1 to 7"),
        ((tiny_chat.MODEL, "-o", "x", "--layers", "0:3"), 1, "there are 1 to 7"),
        ((tiny_chat.MODEL, "-o", "x", "--layers", "5:3"), 1, "there are 1 to 7"),
        ((tiny_chat.MODEL, "-o", "x", "--layers", "most"), 2, "auto, everything, all, increments"),
        ((tiny_chat.MODEL, "-o", "x", "--way", "texts, best"), 1, "there are: vectors, as meas"),
        ((tiny_chat.MODEL, "-o", "x", "-e", "none"), 1, "no emotion vectors there"),
        ((tiny_chat.MODEL, "-o", "x", "--questions", "2"), 2, "--questions"),
        (
            (tiny_chat.MODEL, "-o", "x", "--questions", "49"),
            1,
            "(--questions), expected at most 48",
        ),
        ((tiny_chat.MODEL, "-e", tiny_chat.VECTORS / "joy.gguf"), 2, "say which (-o)"),
    ],
)
def test_what_the_command_refuses(arguments: tuple[str | Path, ...], code: int, says: str) -> None:
    result = run("calibrate", *arguments)
    assert result.exit_code == code
    assert says in result.stderr


def test_a_control_is_not_chosen_from(evs: Path) -> None:
    keep_candidates(evs)
    result = run("calibrate", tiny_chat.MODEL, "-e", evs, "--way", "texts, shuffled", *QUICK)
    assert result.exit_code == 1
    assert "there is no way 'texts, shuffled'" in result.stderr

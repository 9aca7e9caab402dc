"""Everything that is measured of a model, on one of random weights: what comes of it and lies
where."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import llamood
from llamood.calibration.calibration import Limits
from llamood.calibration.doses import Doses, chosen, control, find_doses
from llamood.calibration.measuring import Measuring
from llamood.calibration.places import Place, quick_places
from llamood.calibration.utterances import Origin, origin_path
from llamood.errors import FileError, ModelError
from llamood.extraction.candidates import Candidates
from llamood.extraction.queries import Queries
from llamood.extraction.texts import BUNDLED, LabelledTexts, load_texts
from llamood.extraction.windows import DEPTHS, window
from llamood.moods.steering_vectors import SAFE_SUM
from llamood.readings.probe import Probe
from open_voices import random_vectors
from random_chats import write_random_chat

NAMES = ("joy", "fear")
QUERIES = Queries(
    {
        "joy": ("What did you find?", "Who came home?"),
        "fear": ("Who is there?", "What was that noise?"),
    }
)
N_TEXT = 14  # as many as reading takes
TEXTS = LabelledTexts(
    (*NAMES, "neutral"),
    {
        "joy": tuple(f"hooray, {n} lovely cakes!" for n in range(N_TEXT)),
        "fear": tuple(f"help, {n} wolves at the door" for n in range(N_TEXT)),
        "neutral": tuple(f"the bus number {n} is blue" for n in range(N_TEXT)),
    },
)
SETTINGS: dict[str, Any] = {
    "n_threads": 1,
    "n_threads_batch": 1,
    "parallel": 8,
    "max_tokens": 12,
}
FEW = {"n_question": 4, "max_tokens": 8, "n_threads": 1, "n_threads_batch": 1}


def of(model: Path, **settings: Any) -> Measuring:
    return Measuring(model, **{**SETTINGS, **settings})


def done(measuring: Measuring) -> Measuring:
    measuring.run(lambda name: lambda done, total: None)
    return measuring


def kept(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def both(random_chat: Path, tmp_path_factory: pytest.TempPathFactory) -> Measuring:
    """Measured from texts and from answers, and not saved."""
    folder = tmp_path_factory.mktemp("both") / "evs"
    return done(of(random_chat, texts=TEXTS, queries=QUERIES, output=folder))


@pytest.fixture(scope="module")
def candidates(both: Measuring) -> Candidates:
    return both.candidates()


@pytest.fixture(scope="module")
def doses(random_chat: Path, candidates: Candidates) -> Doses:
    """In some places, by few short answers."""
    return find_doses(random_chat, candidates, quick_places(candidates)[::2], **FEW)


@pytest.fixture(scope="module")
def probe(both: Measuring, candidates: Candidates, doses: Doses) -> Probe:
    return both.probe(chosen(candidates, doses))


@pytest.fixture(scope="module")
def mute(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model without a chat template."""
    path = tmp_path_factory.mktemp("mute") / "mute.gguf"
    return write_random_chat(path, name="mute", chat_template=None)


# -- from what ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "sources"),
    [
        ({}, ["texts", "answers"]),
        ({"texts": TEXTS}, ["texts"]),
        ({"queries": QUERIES}, ["answers"]),
        ({"texts": TEXTS, "queries": QUERIES}, ["texts", "answers"]),
        ({"sources": ("answers",), "texts": TEXTS}, ["answers"]),
        ({"sources": ("texts",), "queries": QUERIES}, ["texts"]),
    ],
)
def test_what_is_given_is_measured_from(
    random_chat: Path, settings: dict[str, Any], sources: list[str]
) -> None:
    assert list(of(random_chat, **settings).extractions) == sources


def test_the_sets_that_ship_are_taken_where_none_is_given(random_chat: Path) -> None:
    measuring = of(random_chat, per_label=5)
    texts, answers = measuring.extractions.values()
    shipped = load_texts(BUNDLED)
    assert measuring.texts.names == shipped.names
    assert measuring.texts.texts == shipped.first(5).texts  # short ones stand first
    assert texts.total == 5 * 7
    assert answers.total == 6 * 20 * 2  # beside texts fewer questions are enough
    assert of(random_chat, sources=("answers",)).total > 6 * 60 * 2 - 1
    assert measuring.total == texts.total + answers.total
    assert measuring.done == measuring.kept == 0


def test_a_model_without_a_template_is_measured_from_texts_alone(mute: Path) -> None:
    measuring = done(of(mute, texts=TEXTS, queries=QUERIES))
    assert list(measuring.extractions) == ["texts"]
    assert measuring.asked is measuring.extractions["texts"]
    assert list(of(mute).extractions) == ["texts"]
    with pytest.raises(ModelError, match="no chat template"):
        done(of(mute, sources=("answers",), queries=QUERIES))


def test_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a GGUF"):
        of(tmp_path / "none.gguf")


def test_each_part_is_told(random_chat: Path) -> None:
    told: dict[str, list[tuple[int, int]]] = {"texts": [], "answers": []}
    measuring = of(random_chat, texts=TEXTS, queries=QUERIES)
    measuring.run(lambda name: lambda *step: told[name].append(step))
    assert told["texts"][0] == (0, 42)
    assert told["texts"][-1] == (42, 42)
    assert told["answers"] == [(0, 8), (8, 8)]
    assert measuring.done == measuring.total == 50


def test_sources_of_other_emotions_are_refused(random_chat: Path, tmp_path: Path) -> None:
    queries = Queries({"joy": QUERIES.questions["joy"], "awe": QUERIES.questions["fear"]})
    output = tmp_path / "evs"
    asked: dict[str, Any] = {"texts": TEXTS, "queries": queries, "output": output, **SETTINGS}
    with pytest.raises(ModelError, match=r"texts are of joy, fear, the questions of joy, awe; "):
        llamood.extract(random_chat, **asked)
    unfinished = {f"{s}.{end}" for s in ("texts", "answers") for end in ("partial", "states")}
    assert kept(output) == unfinished


def test_the_order_of_emotions_may_differ(random_chat: Path) -> None:
    turned = Queries(dict(reversed(QUERIES.questions.items())))
    found = done(of(random_chat, texts=TEXTS, queries=turned)).candidates()
    assert found.names == NAMES
    own = done(of(random_chat, queries=turned)).asked.vectors()
    for name in NAMES:
        made = found.ways["answers, mean difference"][name]
        np.testing.assert_allclose(made, own[name], atol=1e-3)


# -- what comes of it -----------------------------------------------------------------------


def test_candidates_are_of_both_sources(both: Measuring, candidates: Candidates) -> None:
    assert candidates.names == NAMES
    assert {way.split(", ")[0] for way in candidates.ways} == {"texts", "answers"}
    for source, extraction in both.extractions.items():
        made = candidates.ways[f"{source}, mean difference"]
        np.testing.assert_allclose(made.data, extraction.vectors().data, atol=1e-4)
    some = next(iter(candidates.ways.values()))
    assert some.measurement.model_name == "random chat"
    assert some.measurement.residual_rms is not None


def test_the_first_calibration_tries_few_places(candidates: Candidates) -> None:
    found = quick_places(candidates)
    assert [(place.way, place.layers) for place in found] == [
        ("texts, whitened and shared", (1, 2)),
        ("texts, whitened and shared", (2, 2)),
        ("texts, words", (2, 3)),
        ("texts, whitened and words", (2, 3)),
        ("answers, whitened and shared", (1, 2)),
    ]
    vectors = candidates.ways["texts, centred"]
    assert {p.way for p in quick_places(Candidates.of_vectors(vectors))} == {"vectors, as measured"}
    one = Candidates({"texts, centred": vectors, "texts, shuffled": vectors})
    assert {p.way for p in quick_places(one)} == {"texts, centred"}


def test_each_emotion_has_the_place_that_shows_it_best(
    candidates: Candidates, doses: Doses
) -> None:
    assert list(doses.bounds) == list(doses.places) == list(NAMES)
    assert len(doses.tried) == len(quick_places(candidates)[::2])
    for name in NAMES:
        worth = {place: of[name] + sum(of.values()) / len(of) for place, of in doses.tried.items()}
        assert worth[str(doses.places[name])] == max(worth.values())
    report = json.loads(json.dumps(doses.report()))
    assert set(report["emotions"]) == set(NAMES)
    for name, bounds in doses.bounds.items():
        assert bounds.best is not None
        assert report["emotions"][name]["dose"] == bounds.best.dose
        assert report["emotions"][name]["place"] == str(doses.places[name])
        assert len(report["emotions"][name]["trials"]) == len(bounds.trials)
    made = chosen(candidates, doses)
    used = {"texts": N_TEXT, "answers": 2}  # of each emotion
    assert made.pairs == tuple(used[doses.places[name].way.split(", ")[0]] for name in NAMES)
    assert made.ceiling == pytest.approx((1.0, 1.0))
    assert made.scale == pytest.approx([b.best.dose for b in doses.bounds.values() if b.best])


def interrupt_at(n: int) -> Any:
    """What is told how much is done, until so much is."""

    def progress(done: int, total: int) -> None:
        if done >= n:
            raise KeyboardInterrupt

    return progress


def test_doses_go_on_where_they_were_stopped(
    random_chat: Path, candidates: Candidates, doses: Doses, tmp_path: Path
) -> None:
    file = tmp_path / "doses.partial"
    asked: Any = (random_chat, candidates, quick_places(candidates)[::2])
    lines: list[bytes] = []
    for stop in (1, 5, 9, 13):
        with pytest.raises(KeyboardInterrupt):
            find_doses(*asked, kept=file, progress=interrupt_at(stop), **FEW)
        before, lines = lines, file.read_bytes().splitlines()
        assert lines[: len(before)] == before
        with file.open("ab") as torn:
            torn.write(b'{"of": ')  # as of a kill while a line is written
    steps: list[int] = []
    resumed = find_doses(*asked, kept=file, progress=lambda done, total: steps.append(done), **FEW)
    assert resumed == doses
    assert steps[0] > 5  # what is known is not told as if it was done now
    known = [json.loads(line) for line in file.read_bytes().splitlines() if line.endswith(b"}")]
    questions = [json.dumps(line["asked"]) for line in known]
    assert len(set(questions)) == len(questions)
    size = file.stat().st_size
    assert find_doses(*asked, kept=file, **FEW) == doses
    assert file.stat().st_size == size  # nothing was tried


def test_a_baseline_goes_on_where_it_was_stopped(random_chat: Path, tmp_path: Path) -> None:
    """Where the vectors are of answers, the texts are read for it alone."""
    asked: dict[str, Any] = {"queries": QUERIES, "texts": TEXTS, "sources": ("answers",)}
    whole = done(of(random_chat, **asked))
    vectors = whole.asked.vectors()
    expected = whole.probe(vectors)
    begun = done(of(random_chat, output=tmp_path, **asked))
    with pytest.raises(KeyboardInterrupt):
        begun.probe(vectors, progress=interrupt_at(16))
    again = done(of(random_chat, output=tmp_path, **asked))
    steps: list[int] = []
    found = again.probe(vectors, progress=lambda at, total: steps.append(at))
    assert steps[0] == 16
    for part in ("directions", "mean", "spread", "joint", "response", "auroc"):
        np.testing.assert_array_equal(getattr(found, part), getattr(expected, part))
    candidates = again.candidates()
    again.save(
        tmp_path, vectors=chosen(candidates, None), candidates=candidates, doses=None, probe=found
    )
    assert not {name for name in kept(tmp_path) if "partial" in name or "states" in name}


def test_where_there_is_one_place_nothing_is_compared(
    random_chat: Path, candidates: Candidates
) -> None:
    place = Place("texts, centred", (1, 2))
    steps: list[tuple[int, int]] = []
    found = find_doses(
        random_chat, candidates, [place], progress=lambda *step: steps.append(step), **FEW
    )
    assert found.tried == {}
    assert set(found.places.values()) == {place}
    assert steps[-1][0] == steps[-1][1]
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)


def test_where_no_dose_is_fluent(random_chat: Path, candidates: Candidates) -> None:
    unbearable = {"limits": Limits(longest=0.0)}
    with pytest.raises(ModelError, match="no dose of any emotion was fluent; nothing is written"):
        find_doses(
            random_chat,
            candidates,
            [Place("texts, centred", (1, 2))],
            settings=unbearable,
            **{**FEW, "max_tokens": 4},
        )


def test_without_doses_little_is_added_and_no_more(candidates: Candidates) -> None:
    made = chosen(candidates, None)
    assert made.names == NAMES
    assert made.ceiling == pytest.approx((1.0, 1.0))
    first, last = window(DEPTHS[1], n_layer=4)
    assert not np.delete(made.data, np.s_[first : last + 1], axis=1).any()
    assert made.measurement.residual_rms is not None
    length = np.array(made.measurement.residual_rms) * math.sqrt(made.n_embd)
    shares = (made.norms() / length)[:, first : last + 1]
    np.testing.assert_allclose(shares.sum(axis=1), SAFE_SUM, rtol=1e-4)
    plain = candidates.ways["texts, centred"]
    for i, name in enumerate(NAMES):
        expected = made.scale[i] * plain[name][first : last + 1]
        np.testing.assert_allclose(made[name][first : last + 1], expected, rtol=1e-5)


def test_the_control_is_as_long_in_each_layer(candidates: Candidates, doses: Doses) -> None:
    vectors = chosen(candidates, doses)
    made = control(candidates, vectors)
    assert made.names == vectors.names
    np.testing.assert_allclose(made.norms(), vectors.norms(), rtol=1e-4)
    assert made.ceiling == vectors.ceiling
    assert made.measurement.method == "texts, shuffled"
    assert not np.allclose(made.data, vectors.data, atol=1e-3)


def test_readings_come_of_the_texts(both: Measuring, probe: Probe, random_chat: Path) -> None:
    assert set(probe.names) == set(NAMES)
    assert probe.about["quality"]["n"] == 3 * 2  # one in seven
    assert "judge_accuracy" in probe.about["quality"]
    texts = of(random_chat, queries=QUERIES, texts=TEXTS, sources=("answers",))
    assert list(texts.extractions) == ["answers"]
    vectors = done(texts).asked.vectors()
    assert texts.probe(vectors).about["quality"]["n"] == 3 * 2


def test_readings_of_emotions_that_the_texts_lack_come_of_the_answers(random_chat: Path) -> None:
    asked = tuple(f"What is in box {n}?" for n in range(N_TEXT + 4))
    measuring = done(of(random_chat, queries=Queries({"awe": asked}), per_label=5))
    found = measuring.probe(measuring.asked.vectors())
    assert found.names == ("awe",)
    assert "judge_accuracy" not in found.about["quality"]  # which no judge knows
    few = done(of(random_chat, queries=Queries({"awe": asked[:4]}), per_label=5))
    with pytest.raises(ModelError, match="at least 14 texts"):
        few.probe(few.asked.vectors())


# -- what is written ------------------------------------------------------------------------

SITES = {
    f"{folder}{name}.gguf" for folder in ("", "paper/", "control/", "attn_out/") for name in NAMES
}


def test_all_is_written_and_what_is_unfinished_removed(
    both: Measuring, candidates: Candidates, doses: Doses, probe: Probe, tmp_path: Path
) -> None:
    vectors = chosen(candidates, doses)
    paths = both.save(tmp_path, vectors=vectors, candidates=candidates, doses=doses, probe=probe)
    others = {"steering.candidates", "reading.baseline", "report.json", "answers.jsonl"}
    assert kept(tmp_path) == {*SITES, *others}
    assert {str(path.relative_to(tmp_path)) for path in paths} == kept(tmp_path)
    for folder, expected in (
        ("", vectors),
        ("paper", both.extractions["answers"].vectors()),
        ("attn_out", both.extractions["answers"].vectors("attn_out")),
        ("control", control(candidates, vectors)),
    ):
        found = llamood.load(tmp_path / folder).select(NAMES)
        np.testing.assert_array_equal(found.data, expected.data)
        assert found.measurement.site == expected.measurement.site
        assert found.measurement.method == expected.measurement.method
    assert list(Candidates.load(tmp_path).ways) == list(candidates.ways)
    Probe.load(tmp_path).require_fit(llamood.load(tmp_path))
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert set(report["sources"]) == {"texts", "answers"}
    assert report["doses"] == json.loads(json.dumps(doses.report()))
    assert tuple(report["reading"]["layers"]) == probe.chosen
    lines = (tmp_path / "answers.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 4
    # What a killed process would go on from is not needed any more.
    assert both.extractions["texts"].kept == both.extractions["answers"].kept == 0


def test_where_one_file_cannot_be_written_none_is(
    random_chat: Path, candidates: Candidates, tmp_path: Path
) -> None:
    folder = tmp_path / "evs"
    measuring = done(of(random_chat, texts=TEXTS, queries=QUERIES, output=folder))
    (folder / "report.json").mkdir()
    before = kept(folder)
    asked = {"candidates": candidates, "doses": None, "probe": None}
    with pytest.raises(FileError, match=r"report\.json: is a folder"):
        measuring.save(folder, vectors=chosen(candidates, None), **asked)
    assert (
        kept(folder)
        == before
        == {f"{source}.{end}" for source in ("texts", "answers") for end in ("partial", "states")}
    )
    (folder / "report.json").rmdir()
    measuring.save(folder, vectors=chosen(candidates, None), **asked)
    assert kept(folder) == {*SITES, "steering.candidates", "report.json", "answers.jsonl"}


def test_what_a_measurement_replaces_goes_and_nothing_else(
    random_chat: Path, tmp_path: Path
) -> None:
    quick: dict[str, Any] = {"output": tmp_path, "calibrate": False, **SETTINGS}
    llamood.extract(random_chat, texts=TEXTS, queries=QUERIES, **quick)
    assert {*SITES, "answers.jsonl", "reading.baseline"} <= kept(tmp_path)
    # Of other means: a name of its own, and one that was measured, in another's place.
    foreign = random_vectors(random_chat)
    llamood.save(foreign.select("joy").rename({"joy": "awe"}), tmp_path)
    llamood.save(foreign.select("joy").rename({"joy": "fear"}), tmp_path / "paper")
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    fewer = LabelledTexts(
        ("joy", "neutral"), {label: TEXTS.texts[label][:3] for label in ("joy", "neutral")}
    )
    llamood.extract(random_chat, texts=fewer, **quick)
    assert kept(tmp_path) == {
        *(f"{folder}joy.gguf" for folder in ("", "paper/", "control/", "attn_out/")),
        *("steering.candidates", "report.json"),
        *("awe.gguf", "paper/fear.gguf", "notes.txt"),
    }


def test_where_writing_fails_what_was_measured_before_stays(
    random_chat: Path, tmp_path: Path
) -> None:
    llamood.extract(random_chat, texts=TEXTS, output=tmp_path, calibrate=False, **SETTINGS)
    (tmp_path / "answers.jsonl").mkdir()
    before = {name: (tmp_path / name).read_bytes() for name in kept(tmp_path)}
    asked = tuple(f"What is in box {n}?" for n in range(4))
    measuring = done(of(random_chat, queries=Queries({"awe": asked})))
    found = measuring.candidates()
    with pytest.raises(FileError, match=r"answers\.jsonl: is a folder"):
        measuring.save(
            tmp_path, vectors=chosen(found, None), candidates=found, doses=None, probe=None
        )
    assert {name: (tmp_path / name).read_bytes() for name in kept(tmp_path)} == before


def test_a_folder_to_which_feelings_were_added_is_not_measured_into(
    random_chat: Path, candidates: Candidates, tmp_path: Path
) -> None:
    origin = Origin(texts=("a",), manner=None, place="there", dose=1.0, perplexity=1.1)
    origin_path(tmp_path, "calm").parent.mkdir()
    origin.write(origin_path(tmp_path, "calm"))
    with pytest.raises(FileError, match=r"were added to it \(calm\).*llamood emotion remove"):
        of(random_chat, texts=TEXTS, output=tmp_path)
    elsewhere = of(random_chat, texts=TEXTS)
    with pytest.raises(FileError, match="another folder"):
        elsewhere.save(
            tmp_path,
            vectors=chosen(candidates, None),
            candidates=candidates,
            doses=None,
            probe=None,
        )
    assert kept(tmp_path) == {"added/calm.json"}


# -- in one call ----------------------------------------------------------------------------


def test_extract_without_doses_writes_vectors_that_are_safe(
    random_chat: Path, tmp_path: Path
) -> None:
    steps: list[tuple[int, int]] = []
    evs = llamood.extract(
        random_chat,
        texts=TEXTS,
        output=tmp_path,
        calibrate=False,
        progress=lambda *step: steps.append(step),
        **SETTINGS,
    )
    again = llamood.load(tmp_path).select(evs.names)
    np.testing.assert_array_equal(again.data, evs.data)
    assert again.ceiling == evs.ceiling
    assert evs.ceiling == pytest.approx((1.0, 1.0))
    assert steps
    assert {"reading.baseline", "report.json"} <= kept(tmp_path)
    assert not kept(tmp_path) & {"answers.jsonl", "texts.partial", "texts.states"}
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert report["doses"] is None
    llm = llamood.Llama(
        random_chat, emotions=tmp_path, readings=True, n_ctx=256, n_threads=1, verbose=False
    )
    assert set(llm.read("hooray, cakes!")) == set(NAMES)


@pytest.mark.slow
def test_extract_finds_doses(random_chat: Path, tmp_path: Path) -> None:
    evs = llamood.extract(random_chat, texts=TEXTS, output=tmp_path, **SETTINGS)
    assert evs.ceiling == pytest.approx((1.0, 1.0))
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert set(report["doses"]["emotions"]) == set(NAMES)
    assert report["reading"]["quality"]["n"] == 6


def test_extract_of_what_cannot_be_read(random_chat: Path, tmp_path: Path) -> None:
    """Of too few texts to read by, vectors come all the same."""
    few = TEXTS.first(3)
    llamood.extract(random_chat, texts=few, output=tmp_path, calibrate=False, **SETTINGS)
    assert "joy.gguf" in kept(tmp_path)
    assert "reading.baseline" not in kept(tmp_path)


def test_extract_at_the_attention_output(random_chat: Path, tmp_path: Path) -> None:
    asked: dict[str, Any] = {"texts": TEXTS, "site": "attn_out", "calibrate": False, **SETTINGS}
    evs = llamood.extract(random_chat, **asked)
    assert evs.measurement.site == "attn_out"
    written = llamood.extract(random_chat, output=tmp_path, **asked)
    np.testing.assert_array_equal(written.data, evs.data)
    found = llamood.load(tmp_path / "attn_out").select(NAMES)
    np.testing.assert_array_equal(found.data, evs.data)
    assert llamood.load(tmp_path).measurement.site == "layer_out"
    assert not kept(tmp_path) & {"texts.partial", "texts.states"}


def test_the_same_seed_gives_the_same(random_chat: Path) -> None:
    asked: dict[str, Any] = {"queries": QUERIES, "calibrate": False, **SETTINGS}
    first, same, other = (
        llamood.extract(random_chat, seed=seed, **asked).data for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


@pytest.mark.slow
def test_goemotions_on_a_model_that_nobody_here_made(
    stories: Path, shared_data: Path, tmp_path: Path
) -> None:
    texts = load_texts(shared_data / "goemotions-ekman" / "train.tsv")
    evs = llamood.extract(
        stories, texts=texts, per_label=40, output=tmp_path / "evs", calibrate=False
    )
    assert evs.n_emotion == 6
    assert np.isfinite(evs.data).all()
    assert llamood.load(tmp_path / "evs" / "attn_out").measurement.site == "attn_out"
    Probe.load(tmp_path / "evs").require_fit(evs)  # what readings need is measured too


def test_a_model_that_answers_nothing_useful_is_measured_from_texts(
    random_chat: Path, tmp_path: Path
) -> None:
    """With two tokens an answer is too short for measuring, as one that refuses to act is."""
    measuring = done(of(random_chat, texts=TEXTS, queries=QUERIES, max_tokens=2))
    assert set(measuring.useless) == {"answers"}
    assert "nothing usable" in measuring.useless["answers"]
    candidates = measuring.candidates()
    assert {way.split(", ")[0] for way in candidates.ways} == {"texts"}
    vectors = chosen(candidates, None)
    measuring.save(tmp_path, vectors=vectors, candidates=candidates, doses=None, probe=None)
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert set(report["sources"]) == {"texts"}
    assert "answers" in report["useless"]

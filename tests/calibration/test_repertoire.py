"""Feelings that are added to those of a model: measured, read, and taken away again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import llamood
from cli_runs import run
from llamood import demo
from llamood.calibration.repertoire import Repertoire
from llamood.calibration.utterances import origins, utterances
from llamood.errors import FileError, MoodError, VectorError
from llamood.extraction.extraction import fingerprint_of
from llamood.extraction.side_effects import collapse
from llamood.extraction.texts import BUNDLED, load_texts
from llamood.judges.measures import auroc
from llamood.readings.probe import FILE_NAME, Probe
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.measurement import Measurement
from open_voices import random_vectors, voice
from probes import random_probe

FEELINGS = Path(__file__).parents[1] / "feelings"
ONE_THREAD: dict[str, Any] = {"n_threads": 1, "n_threads_batch": 1}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def before(random_chat: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Anger and joy, and a baseline that reads them."""
    folder = tmp_path_factory.mktemp("repertoire") / "before.evs"
    drawn = random_vectors(random_chat)
    known = Measurement(
        method="drawn",
        model_arch="llama",
        model_fingerprint=fingerprint_of(random_chat),
        residual_rms=(1.0, 2.0, 3.0, 4.0),
    )
    evs = EmotionVectors(drawn.names, drawn.data, known, ceiling=(1.0, 1.0))
    llamood.save(evs, folder)
    random_probe(evs, random_chat).save(folder)
    return folder


@pytest.fixture(scope="module")
def after(random_chat: Path, before: Path) -> Path:
    """With calm beside them."""
    folder = before.with_name("after.evs")
    result = run(
        "emotion", "add", random_chat, "calm", "--texts", FEELINGS / "calm.txt", "-e", before,
        "-o", folder, "--threads", "1",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert "1.0 of calm is the largest dose that read fluently" in result.stdout
    return folder


def test_what_was_there_is_there_bit_for_bit(before: Path, after: Path) -> None:
    old, new = contents(before), contents(after)
    assert set(new) == {*old, "calm.gguf", "added/calm.json"}
    assert {name: new[name] for name in old if name != FILE_NAME} == {
        name: data for name, data in old.items() if name != FILE_NAME
    }
    known, extended = Probe.load(before), Probe.load(after)
    assert extended.names == (*known.names, "calm")
    assert (extended.layers, extended.chosen) == (known.layers, known.chosen)
    np.testing.assert_array_equal(extended.joint[:-1], known.joint)
    np.testing.assert_array_equal(extended.directions[:, :-1], known.directions)
    np.testing.assert_array_equal(extended.mean[:, :-1], known.mean)
    np.testing.assert_array_equal(extended.spread[:, :-1], known.spread)
    np.testing.assert_array_equal(extended.response[:, :-1, :, :-1], known.response)
    for name, array in extended.along_vectors.items():
        np.testing.assert_array_equal(array[:, :-1], known.along_vectors[name])
    assert extended.along_vectors["vector_spread"][:-1, -1].any()


def test_the_new_one_has_a_dose_a_ceiling_and_what_reads_it(after: Path) -> None:
    evs = llamood.load(after)
    at = evs.names.index("calm")
    assert evs.ceiling[at] == pytest.approx(1.0)
    assert evs.pairs[at] == 24
    assert evs.measurement.method == "drawn"
    assert evs.measurement.residual_rms == (1.0, 2.0, 3.0, 4.0)
    probe = Probe.load(after)
    probe.require_fit(evs)
    np.testing.assert_allclose(np.linalg.norm(probe.directions[:, -1], axis=1), 1, rtol=1e-5)
    assert probe.response[:, -1].any()  # what it moves
    assert probe.response[:, :-1, :, -1].any()  # and what moves it
    assert 0 <= probe.quality["calm"] <= 1
    origin = origins(after)["calm"]
    assert origin.texts == utterances(FEELINGS / "calm.txt", "calm")
    assert origin.dose == pytest.approx(evs.scale[at])


def test_its_reading_is_corrected_for_what_is_added(random_chat: Path, after: Path) -> None:
    """Neutral text under a little of it reads as without, and without the correction it does not:
    what was measured is what is taken off."""
    llm = voice(random_chat, emotions=after, readings=True)
    reader = llm.reader
    tokens = llm.tokenize(load_texts(BUNDLED).neutral[-1].encode())
    read = {}
    for mood in ({}, {"calm": 0.05}):
        llm.feel({**mood, "$positions": "all"})
        llm.reset()
        llm.eval(tokens)
        read[bool(mood)] = (
            reader.scores(1, len(tokens)).mean(axis=0),
            reader.probe.scores(reader.projections(1, len(tokens))).mean(axis=0),
        )
    at = reader.names.index("calm")
    corrected = abs(read[True][0][at] - read[False][0][at])
    raw = abs(read[True][1][at] - read[False][1][at])
    assert raw > 0
    assert corrected < 0.3 * raw
    llm.close()


def test_removing_it_gives_back_what_was_there(
    random_chat: Path, before: Path, after: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "evs"
    shutil.copytree(after, folder)
    result = run("emotion", "remove", random_chat, "calm", "-e", folder)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "there are anger, joy" in result.stdout
    old, new = contents(before), contents(folder)
    assert set(new) == set(old)
    assert {n: d for n, d in new.items() if n != FILE_NAME} == {
        n: d for n, d in old.items() if n != FILE_NAME
    }
    Probe.load(folder).require_fit(llamood.load(folder))
    np.testing.assert_array_equal(Probe.load(folder).response, Probe.load(before).response)
    assert run("emotion", "remove", random_chat, "joy", "-e", folder).exit_code == 0
    assert Probe.load(folder).names == ("anger",)
    last = run("emotion", "remove", random_chat, "anger", "-e", folder)
    assert last.exit_code == 1
    assert "anger is the last one" in last.stderr


def test_the_list_says_where_each_came_from(random_chat: Path, after: Path) -> None:
    told = run("emotion", "list", random_chat, "-e", after)
    calm = next(line for line in told.stdout.splitlines() if "calm" in line)
    assert "24 texts" in calm
    described = json.loads(run("emotion", "list", random_chat, "-e", after, "--json").stdout)
    assert list(described) == ["anger", "calm", "joy"]
    assert described["joy"]["origin"] is None
    assert described["calm"]["ceiling"] == pytest.approx(1.0)
    assert described["calm"]["auroc"] == pytest.approx(Probe.load(after).quality["calm"])


@pytest.mark.slow
def test_a_baseline_is_measured_again_with_what_was_added(
    random_chat: Path, after: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "evs"
    shutil.copytree(after, folder)
    (folder / FILE_NAME).unlink()
    result = run("read", random_chat, "-e", folder, "--measure", "--threads", "1")
    assert result.exit_code == 0, result.stderr
    assert set(Probe.load(folder).names) == {"anger", "calm", "joy"}


@pytest.mark.slow
def test_a_described_manner_is_answered_in(random_chat: Path, before: Path, tmp_path: Path) -> None:
    folder = tmp_path / "evs"
    result = run(
        "emotion", "add", random_chat, "calm", "--describe", "warm, unhurried", "-e", before,
        "-o", folder, "--threads", "1", "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["origin"]["manner"] == "warm, unhurried"
    Probe.load(folder).require_fit(llamood.load(folder))


# -- what is refused ------------------------------------------------------------------------


def test_a_stopped_addition_leaves_all_as_it_was_beside_what_is_unfinished(
    random_chat: Path, before: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "evs"
    shutil.copytree(before, folder)

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    texts = utterances(FEELINGS / "pride.txt", "pride")
    with pytest.raises(KeyboardInterrupt):
        Repertoire(random_chat, folder, **ONE_THREAD).add(
            "pride", texts=texts, parts=lambda part: stop
        )
    unfinished = folder / "added" / "pride.partial"
    assert any(unfinished.iterdir())
    shutil.rmtree(unfinished)
    assert contents(folder) == contents(before)


@pytest.mark.slow
def test_a_failed_addition_leaves_all_as_it_was(
    random_chat: Path, before: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "evs"
    shutil.copytree(before, folder)
    (folder / "added").write_text("in the way of the folder")
    old = contents(folder)
    with pytest.raises(FileError, match="cannot be written: "):
        Repertoire(random_chat, folder, **ONE_THREAD).add(
            "pride", texts=utterances(FEELINGS / "pride.txt", "pride")
        )
    assert contents(folder) == old


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("joy", "joy is there already"),
        ("Joy", "there already"),
        ("neutral", "means something else"),
        ("base", "means something else"),
        ("valence", "means something else"),
        ("at peace", "cannot name an emotion"),
        ("../calm", "cannot name an emotion"),
    ],
)
def test_names_that_cannot_be_had(random_chat: Path, before: Path, name: str, says: str) -> None:
    with pytest.raises(VectorError, match=says):
        Repertoire(random_chat, before).require_room(name)


def test_too_few_utterances_and_none(tmp_path: Path) -> None:
    path = tmp_path / "calm.txt"
    path.write_text("All is well.\n\n" * 30)
    with pytest.raises(FileError, match="holds 1 different utterances of calm, at least 20"):
        utterances(path, "calm")
    labelled = tmp_path / "lines.tsv"
    labelled.write_text("".join(f"line {i}\t{('calm', 'joy')[i % 2]}\n" for i in range(40)))
    assert utterances(labelled, "calm")[:2] == ("line 0", "line 2")
    with pytest.raises(FileError, match=r"0 different utterances of pride .*calm, joy"):
        utterances(labelled, "pride")


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("add", "demo", "calm", "--describe", "warm"), 2, "say where to write"),
        (("remove", "demo", "joy"), 2, "say which are meant"),
        (("add", "MODEL", "calm", "-e", "EVS"), 2, "--texts FILE, or --describe"),
        (("add", "MODEL", "joy", "-e", "EVS", "--describe", "gay"), 1, "there already"),
        (("add", "MODEL", "calm", "-e", "none", "--describe", "warm"), 1, "no emotion vectors"),
        (("add", "MODEL", "calm", "-e", "EVS", "-o", "EVS", "--describe", " "), 1, "1 to 400"),
        (("remove", "MODEL", "calm", "-e", "EVS"), 1, "there are anger, joy"),
    ],
)
def test_what_the_command_refuses(
    random_chat: Path, before: Path, arguments: tuple[str, ...], code: int, says: str
) -> None:
    places = {"MODEL": str(random_chat), "EVS": str(before)}
    result = run("emotion", *(places.get(each, each) for each in arguments))
    assert result.exit_code == code
    assert says in result.stderr


def test_vectors_of_another_model(tmp_path: Path, random_chat: Path) -> None:
    evs = random_vectors(random_chat)
    other = EmotionVectors(evs.names, evs.data, Measurement(model_fingerprint="another"))
    llamood.save(other, tmp_path)
    with pytest.raises(VectorError, match="belong to another model"):
        Repertoire(random_chat, tmp_path)


def test_a_mood_that_is_not_there_says_how_to_add_it(random_chat: Path, before: Path) -> None:
    llm = voice(random_chat, emotions=before)
    with pytest.raises(MoodError) as caught:
        llm.feel(calm=1)
    assert "llamood emotion add MODEL calm --texts FILE" in str(caught.value)
    assert "base" not in str(caught.value)
    llm.close()


# -- a real model, and feelings that are not Ekman's ----------------------------------------

# Not in the files that they are added from.
HELD_OUT = {
    "calm": (
        "The fire has burnt low and I have no wish to get up.",
        "We drifted along, and nobody needed to speak.",
        "I'm settled in the armchair, breathing slow, and the evening is long.",
        "It will come in its own time. Sit down, let's have some tea.",
        "The snow fell without a sound and my thoughts went still.",
        "There's time enough for everything, and I feel quite at ease.",
        "He strolled back through the meadow, in no rush at all.",
        "My breath is even, my hands are warm, and all is quiet.",
    ),
    "pride": (
        "I was the one who solved it, and they put my picture in the hall.",
        "My boy won the scholarship, and he did it all by himself.",
        "I've never owed anyone a thing, and I built this house alone.",
        "They said I'd fail, and now my work hangs in the museum.",
        "We are the best brass band in the valley, and we've the cup to show it.",
        "I finished the marathon at sixty, with my head held high.",
        "Everyone in the hall stood up for what our team had achieved.",
        "I learned the trade from nothing and now they come to me for advice.",
    ),
    "longing": (
        "I wish I could hear her voice just once more.",
        "Every spring I dream of the village that I left behind.",
        "If only the ship would take me back to you.",
        "I still set a place for him at the table and wait.",
        "I look at your picture every night and count the weeks.",
        "How I yearn for the hills where we were young.",
        "There is a song that takes me home, and I can't go home.",
        "I would give all I have for one more summer with them.",
    ),
}
QUESTIONS = demo.questions()[:6]
ADDED = ("calm",)  # each takes minutes


@pytest.fixture(scope="module")
def companion(
    demo_model: Path, demo_vectors: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[llamood.Llama]:
    """SmolLM2 with feelings more."""
    folder = tmp_path_factory.mktemp("demo") / "mine.evs"
    source: Path = demo_vectors
    for name in ADDED:
        made = Repertoire(demo_model, source)
        texts = utterances(FEELINGS / f"{name}.txt", name)
        made.add(name, texts=texts, output=folder if source == demo_vectors else None)
        source = folder
    llm = llamood.Llama(demo_model, emotions=folder, readings=True, n_ctx=512, verbose=False)
    yield llm
    llm.close()


@pytest.mark.slow
def test_new_feelings_are_told_from_all_else(companion: llamood.Llama) -> None:
    """In sentences that were not used, against neutral ones and those of the other two."""
    neutral = load_texts(BUNDLED).neutral[-40:]
    for name in ADDED:
        own = HELD_OUT[name]
        others = [line for other, lines in HELD_OUT.items() if other != name for line in lines]
        scores = [companion.read(line)[name] for line in (*own, *neutral)]
        is_own = np.arange(len(scores)) < len(own)
        area = auroc(scores, is_own)
        assert area is not None
        assert area >= 0.8, (name, area)
        beside = [companion.read(line)[name] for line in (*own, *others)]
        area = auroc(beside, np.arange(len(beside)) < len(own))
        assert area is not None
        assert area >= 0.7, (name, area)


@pytest.mark.slow
def test_at_one_answers_are_fluent(companion: llamood.Llama) -> None:
    for name in ADDED:
        for number, question in enumerate(QUESTIONS):
            asked = [{"role": "user", "content": question}]
            settings = {"max_tokens": 64, "seed": number, "temperature": 0.6, "top_p": 0.9}
            answer = companion.create_chat_completion(asked, mood={name: 1.0}, **settings)
            text = answer["choices"][0]["message"]["content"]
            assert not collapse(text).collapsed, (name, question, text)
            assert len(text.split()) >= 5, (name, question, text)


@pytest.mark.slow
def test_the_six_stay_as_they_are(
    companion: llamood.Llama, demo_model: Path, demo_vectors: Path
) -> None:
    six = llamood.Llama(demo_model, emotions=demo_vectors, readings=True, n_ctx=512, verbose=False)
    line = "We won! I'm so happy I could dance all night!"
    alone, beside = six.read(line), companion.read(line)
    assert {name: beside[name] for name in alone} == pytest.approx(alone, abs=1e-4)
    assert six.emotions is not None
    assert companion.emotions is not None
    for name in six.emotions.names:
        np.testing.assert_array_equal(companion.emotions[name], six.emotions[name])
    six.close()

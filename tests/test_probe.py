"""Hidden states projected on directions while they are computed, and what is read off them."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import llamood
import tiny_chat
from llamood import _core
from llamood.cli.prompts import chat_tokens
from llamood.errors import FileError, ModelError
from llamood.listener import Listener
from llamood.probe import FILE_NAME, Probe, directions_of
from llamood.probe_measurement import ALIKE, answers, held_out, measure
from llamood.reader import smooth
from llamood.texts import LabelledTexts
from probes import LAYERS, neutral_probe
from voices import PROMPT, random_vectors, shape_of, voice

# -- projections ----------------------------------------------------------------------------


def test_projections_are_those_of_the_hidden_states(model: Path) -> None:
    """Against the tap, which sums the states themselves, one token at a time."""
    evs = random_vectors(model)
    directions = directions_of(evs, LAYERS)
    llm = voice(model)
    probe = llm._project(LAYERS, directions)
    tokens = llm.tokenize(PROMPT.encode())
    llm.eval(tokens)
    found = probe.read(0, len(tokens))
    assert found.shape == (len(tokens), 2, 2)
    with Listener(model, parallel=1, n_prompt=64, n_answer=64, n_threads=1) as listener:
        for at in range(1, len(tokens)):
            mean = listener.texts([(tokens[: at + 1], at)])[0].mean[0]  # (n_layer, n_embd)
            expected = np.einsum("lke,le->lk", directions, mean[list(LAYERS)])
            np.testing.assert_allclose(found[at], expected, atol=2e-3)


def test_positions_are_those_of_the_context(random_chat: Path) -> None:
    directions = directions_of(random_vectors(random_chat), LAYERS)
    llm, pieces = voice(random_chat), voice(random_chat, n_batch=4)
    probe, other = (each._project(LAYERS, directions) for each in (llm, pieces))
    tokens = llm.tokenize(PROMPT.encode())
    for each in (llm, pieces):
        each.eval(tokens)
    whole = probe.read(0, len(tokens))
    np.testing.assert_allclose(other.read(0, len(tokens)), whole, atol=1e-3)
    assert np.isnan(probe.read(len(tokens), 5)).all()

    # What is decoded anew counts; what was there before does not.
    llm.n_tokens = 5
    llm.eval([65])
    again = probe.read(0, 7)
    assert np.array_equal(again[:5], whole[:5])
    assert not np.allclose(again[5], whole[5])
    probe.forget()
    assert np.isnan(probe.read(0, 7)).all()
    with pytest.raises(IndexError, match="beyond the context"):
        probe.read(250, 10)


def test_what_cannot_be_read_is_refused(random_chat: Path) -> None:
    llm = voice(random_chat)
    _, n_embd = shape_of(random_chat)
    for layers in ([3], [-1], [2, 1], [1, 1], []):
        with pytest.raises(ValueError, match="layers from 0 to 2 can be read"):
            llm._project(layers, np.ones((len(layers), 2, n_embd), np.float32))
    with pytest.raises(ValueError, match="expected directions"):
        llm._project([1], np.ones((1, 2, n_embd - 1), np.float32))


def test_reading_changes_no_answer(model: Path) -> None:
    plain, reading = voice(model), voice(model, readings=neutral_probe(model))
    for mood in ({}, {"joy": {"ramp": [0, 1.2], "over": 9}}):
        asked: dict[str, Any] = {"max_tokens": 20, "temperature": 0.0, "mood": mood}
        assert plain(PROMPT, **asked)["choices"] == reading(PROMPT, **asked)["choices"]


# -- scores ---------------------------------------------------------------------------------


def test_what_is_added_is_taken_off(random_chat: Path) -> None:
    """Added in the layer that is read and in no other, it moves the projection by what it is."""
    evs = random_vectors(random_chat)
    probe = neutral_probe(random_chat)
    response = np.zeros(probe.response.shape, np.float32)
    for at, layer in enumerate(LAYERS):
        response[layer, :, at] = np.einsum("we,re->wr", evs.data[:, layer], probe.directions[at])
    evs = replace(evs, scale=(1.0, 1.0))
    llm = voice(random_chat, emotions=evs, readings=replace(probe, response=response))
    tokens = llm.tokenize(PROMPT.encode())
    llm.eval(tokens)
    plain = llm.reader.scores(1, len(tokens))
    raw = llm.reader.projections(1, len(tokens))
    for weights in ({"joy": 1.5}, {"joy": -0.5, "anger": 1.0}):
        llm.feel({**weights, "$positions": "all", "$layers": [2, 2]})
        llm.reset()
        llm.eval(tokens)
        moved = llm.reader.projections(1, len(tokens))
        assert np.abs(moved - raw).max() > 1
        np.testing.assert_allclose(llm.reader.scores(1, len(tokens)), plain, atol=1e-3)

    # Vectors that were scaled since, and another dose, move as much as they are.
    louder = replace(evs * 2.0, measurement=llamood.vectors.Measurement(residual_rms=(1.0,) * 4))
    other = voice(random_chat, emotions=louder, readings=replace(probe, response=response))
    for mood in ({"joy": 0.5}, {"joy": 0.1, "$dose": "relative"}):
        other.feel({**mood, "$positions": "all", "$layers": [2, 2]})
        other.reset()
        other.eval(tokens)
        np.testing.assert_allclose(other.reader.scores(1, len(tokens)), plain, atol=1e-3)


def test_only_what_was_steered_is_corrected(random_chat: Path) -> None:
    """Each position by the row that it was decoded under, also where rows are played ahead."""
    probe = neutral_probe(random_chat)
    ones = np.ones(probe.response.shape, np.float32)
    llm = voice(random_chat, readings=replace(probe, response=ones))
    prompt = llm.tokenize(PROMPT.encode())
    for _ in range(2):  # the second time from the beginning on in C++
        llm.feel({"joy": {"ramp": [0, 8], "over": 8}})
        stream = llm.generate(prompt, temp=0.0)
        for _ in range(12):
            next(stream)
        stream.close()
        n_layer = shape_of(random_chat)[0] - 1  # layers in which vectors are added
        moved = llm.reader._moved[: llm.n_tokens, 0] / n_layer
        assert moved[: len(prompt)].tolist() == [0.0] * len(prompt)
        expected = [1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 8]
        assert moved[len(prompt) :] == pytest.approx(expected)


scores = st.lists(st.floats(-5, 5), min_size=1, max_size=40)


@settings(deadline=None)
@given(scores, st.floats(0.5, 20))
def test_older_tokens_count_half_every_half_life(values: list[float], half_life: float) -> None:
    column = np.array(values)[:, np.newaxis]
    means = smooth(column, half_life=half_life)[:, 0]
    weights = 0.5 ** (np.arange(len(values))[::-1] / half_life)
    assert means[-1] == pytest.approx(np.average(values, weights=weights), abs=1e-9)
    assert min(values) - 1e-9 <= means.min() <= means.max() <= max(values) + 1e-9


def test_what_was_not_read_counts_nothing() -> None:
    column = np.array([[np.nan], [np.nan], [2.0], [np.nan], [4.0]])
    means = smooth(column, half_life=1.0)[:, 0]
    assert np.isnan(means[:2]).all()
    assert means[2:] == pytest.approx([2, 2, (4 + 2 / 4) / (1 + 1 / 4)])


# -- a voice that reads ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def companion() -> llamood.Llama:
    return llamood.Llama(
        tiny_chat.MODEL,
        emotions=tiny_chat.VECTORS,
        readings=True,
        n_ctx=512,
        n_threads=1,
        verbose=False,
    )


def ask(llm: llamood.Llama, question: str, **asked: Any) -> Any:
    messages = [{"role": "user", "content": question}]
    return llm.create_chat_completion(messages, **{"temperature": 0.0, "max_tokens": 60, **asked})


EMOTIONS = llamood.load(tiny_chat.VECTORS).names


def strong(emotion: str) -> dict[str, Any]:
    """The emotion at its ceiling."""
    evs = llamood.load(tiny_chat.VECTORS)
    return {emotion: evs.ceiling[evs.names.index(emotion)] or 1.0}


def test_a_trained_model_reads_what_it_was_made_to_feel(companion: llamood.Llama) -> None:
    """What was added is taken off, so this is what the words came to."""
    questions = list(enumerate(tiny_chat.questions()[:16]))

    def readings(mood: dict[str, Any]) -> list[dict[str, float]]:
        sampled = {"temperature": 0.6, "top_p": 0.9, "mood": mood}
        return [
            ask(companion, q, seed=seed, **sampled)["llamood"]["reading"] for seed, q in questions
        ]

    plain = readings({})
    gained = []
    for emotion in EMOTIONS:
        felt = readings(strong(emotion))
        gained.append(np.mean([f[emotion] - p[emotion] for f, p in zip(felt, plain, strict=True)]))
    assert min(gained) > 0.5
    assert np.mean(gained) > 1.5


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_words_read_alike_with_and_without_what_was_added(
    companion: llamood.Llama, emotion: str
) -> None:
    """The same answer, decoded while the emotion is injected and decoded without."""
    reader = companion.reader
    at = reader.names.index(emotion)
    kept, raw, unsteered = [], [], []
    for question in tiny_chat.questions()[:10]:
        prompt = chat_tokens(companion, [{"role": "user", "content": question}])
        with companion.feeling(strong(emotion)):
            stream = companion.generate(prompt, temp=0.0)
            said = list(islice(takewhile(lambda t: t != companion.token_eos(), stream), 60))
            stream.close()
        span = len(prompt), companion.n_tokens
        kept.append(reader.scores(*span)[:, at])
        projections = reader.projections(*span)
        raw.append(reader.probe.scores(projections, reader.layer)[:, at])
        companion.reset()
        companion.eval(prompt + said)
        unsteered.append(reader.scores(*span)[:, at])
    means = [float(np.concatenate(each).mean()) for each in (kept, raw, unsteered)]
    assert means[1] - means[2] > 3
    assert abs(means[0] - means[2]) < 0.12 * (means[1] - means[2])


@pytest.mark.parametrize("emotion", ["joy", "fear", "anger"])
def test_a_neutral_text_under_an_emotion_is_not_read_as_one(
    companion: llamood.Llama, emotion: str
) -> None:
    """The text is given, so nothing in it changes; only what is added does."""
    path = tiny_chat.VECTORS / "answers.jsonl"
    texts = [json.loads(line)["heard"][0] for line in path.read_text().splitlines()[:20]]
    reader = companion.reader
    at = reader.names.index(emotion)

    def read(mood: dict[str, Any]) -> tuple[float, float]:
        """Mean score of the emotion, and what it would be if nothing were taken off."""
        kept, raw = [], []
        for text in texts:
            tokens = companion.tokenize(text.encode())
            with companion.feeling({**mood, "$positions": "all"} if mood else {}):
                companion.reset()
                companion.eval(tokens)
            kept.append(reader.scores(1, len(tokens))[:, at])
            projections = reader.projections(1, len(tokens))
            raw.append(reader.probe.scores(projections, reader.layer)[:, at])
        return float(np.concatenate(kept).mean()), float(np.concatenate(raw).mean())

    neutral, same = read({})
    assert neutral == pytest.approx(same)
    kept, raw = read(strong(emotion))
    assert raw - neutral > 3  # it would say so loudly
    assert abs(kept - neutral) < 0.15 * (raw - neutral)


def test_streams_and_traces_carry_readings(companion: llamood.Llama) -> None:
    mood = strong("joy")
    chunks = list(ask(companion, "Tell me about bread.", mood=mood, stream=True, trace=True))
    readings = [chunk["llamood"]["reading"] for chunk in chunks]
    assert all(set(reading) == set(companion.reader.names) for reading in readings[1:])
    assert readings[-1]["joy"] == max(readings[-1].values())
    assert companion.reading == readings[-1]
    tokens = chunks[-1]["llamood"]["trace"]["tokens"]
    assert all(set(token["reading"]) == set(companion.reader.names) for token in tokens)
    json.dumps(chunks, allow_nan=False)


def test_a_reading_is_of_the_last_text(companion: llamood.Llama) -> None:
    ask(companion, "Tell me about bread.", mood=strong("joy"))
    companion.reset()
    assert companion.reading == {}
    joyful = " I am so happy! I love it! What a joy! I love it all, what a wonderful day!"
    companion.eval(companion.tokenize(joyful.encode()))
    assert companion.reading["joy"] == max(companion.reading.values())


def test_what_was_read_goes_with_the_context(random_chat: Path) -> None:
    llm = voice(random_chat, readings=neutral_probe(random_chat), embedding=True)
    llm.eval(llm.tokenize(PROMPT.encode()))
    assert llm.reading
    state = llm.save_state()
    llm.load_state(state)
    assert llm.reading == {}  # a state holds no hidden states
    llm.eval([65])
    assert llm.reading
    llm.embed("Hello")
    assert llm.reading == {}


def test_without_readings(random_chat: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="readings=True"):
        _ = voice(random_chat).reading
    with pytest.raises(ModelError, match="readings need emotions"):
        voice(random_chat, emotions=None, readings=True)
    with pytest.raises(ModelError, match=r"readings=Probe\.load"):
        voice(random_chat, readings=True)
    llamood.save(random_vectors(random_chat), tmp_path)
    with pytest.raises(FileError, match=r"reading\.baseline: does not exist.*--measure"):
        voice(random_chat, emotions=tmp_path, readings=True)
    other = random_vectors(random_chat, names=("joy", "fear"))
    with pytest.raises(ModelError, match="measured for anger, joy"):
        voice(random_chat, emotions=other, readings=neutral_probe(random_chat))
    with pytest.raises(ModelError, match="layers 1 to 2 can"):
        neutral_probe(random_chat).at(0)


# -- the file -------------------------------------------------------------------------------


def test_a_probe_is_read_back(random_chat: Path, tmp_path: Path) -> None:
    probe = neutral_probe(random_chat)
    assert probe.save(tmp_path) == tmp_path / FILE_NAME
    again = Probe.load(tmp_path)
    for name in ("names", "layers", "layer", "about"):
        assert getattr(again, name) == getattr(probe, name)
    for name in ("directions", "mean", "spread", "response", "auroc"):
        np.testing.assert_array_equal(getattr(again, name), getattr(probe, name))


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"names": ("joy", "joy")}, "not different"),
        ({"layers": (2, 1)}, "are not those of a model of 4 layers"),
        ({"layers": (1, 3)}, "are not those of a model of 4 layers"),
        ({"layer": 3}, "layer 3 is not among"),
        ({"mean": np.zeros((2, 3), np.float32)}, "'mean' has shape"),
        ({"spread": np.zeros((2, 2), np.float32)}, "a spread is not above 0"),
        ({"mean": np.full((2, 2), np.nan, np.float32)}, "'mean' holds NaN"),
        ({"mean": np.zeros((2, 2))}, "'mean' is F64"),
        ({"mean": np.zeros((1, 2, 2), np.float32)}, "'mean' is F32 with 3 dimensions"),
    ],
)
def test_a_file_with_faults_is_refused(
    random_chat: Path, tmp_path: Path, wrong: dict[str, Any], fault: str
) -> None:
    neutral_probe(random_chat, **wrong).save(tmp_path)
    with pytest.raises(FileError, match=fault):
        Probe.load(tmp_path)


def test_files_of_another_kind_are_refused(random_chat: Path, tmp_path: Path) -> None:
    path = neutral_probe(random_chat).save(tmp_path)
    whole = path.read_bytes()
    for content in (b"", b"PK\x03\x04", whole[: len(whole) // 2], b"\x00" * 500):
        path.write_bytes(content)
        with pytest.raises(FileError, match=r"truncated|wrong magic"):
            Probe.load(tmp_path)
    path.write_bytes((tiny_chat.VECTORS / "joy.gguf").read_bytes())
    with pytest.raises(FileError, match="this is no baseline of readings"):
        Probe.load(tmp_path)
    path.write_bytes(whole.replace(b"response", b"rEsponse"))
    with pytest.raises(FileError, match="'response' is missing"):
        Probe.load(tmp_path)


# -- measuring ------------------------------------------------------------------------------


def test_its_baseline_says_how_well_it_reads() -> None:
    probe = Probe.load(tiny_chat.VECTORS)
    evs = llamood.load(tiny_chat.VECTORS)
    probe.require_fit(evs)
    quality = probe.about["quality"]
    assert quality["macro_auroc"] >= 0.9
    assert quality["accuracy"] >= 0.9
    assert quality["judge_accuracy"] > 1 / evs.n_emotion
    best = np.nanmean(probe.auroc, axis=1)
    assert best[probe.place(probe.layer)] >= best.max() - ALIKE


def test_measured_again_it_is_the_same() -> None:
    evs = llamood.load(tiny_chat.VECTORS)
    shipped = Probe.load(tiny_chat.VECTORS)
    one_thread = {"n_threads": 1, "n_threads_batch": 1}
    passages = answers(tiny_chat.MODEL, evs.names, per_label=10, **one_thread)
    assert {p.label for p in passages} == {"neutral", *evs.names}
    assert len({p.text for p in passages}) > 50
    steps: list[tuple[int, int]] = []
    probe = measure(
        tiny_chat.MODEL, evs, passages, progress=lambda *step: steps.append(step), **one_thread
    )
    assert steps[-1][0] == steps[-1][1] == len(passages) + len(probe.layers) * evs.n_emotion
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    np.testing.assert_allclose(probe.directions, shipped.directions, atol=1e-6)
    np.testing.assert_allclose(probe.mean, shipped.mean, atol=0.5 * shipped.spread.max())
    # What is added in a layer is in its own projection, and in no layer below.
    for at, layer in enumerate(probe.layers):
        measured = evs.data[:, layer] / np.array(evs.scale)[:, np.newaxis]
        own = np.einsum("we,re->wr", measured, probe.directions[at])
        np.testing.assert_allclose(probe.response[layer, :, at], own, atol=1e-2)
        assert np.abs(probe.response[layer + 1 :, :, at]).max() < 1e-3


def test_too_little_to_measure_on(random_chat: Path) -> None:
    evs = random_vectors(random_chat)
    texts = LabelledTexts(("neutral", "joy"), {"neutral": ("a b c",) * 9, "joy": ("d e",) * 9})
    passages = held_out(random_chat, texts, used=2, n_threads=1)
    assert [p.label for p in passages] == ["neutral"] * 7 + ["joy"] * 7
    with pytest.raises(ModelError, match=r"at least 8 neutral texts .* found 7"):
        measure(random_chat, evs, passages)
    with pytest.raises(ModelError, match="has nothing of its own in layer"):
        directions_of(llamood.EmotionVectors(("a", "b"), np.ones((2, 4, 8))), (1, 2))
    alone = llamood.EmotionVectors(("a",), np.ones((1, 4, 16)))
    np.testing.assert_allclose(directions_of(alone, (1, 2)), 0.25)
    assert isinstance(_core.Probe, type)

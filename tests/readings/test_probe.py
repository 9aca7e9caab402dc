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
from c_library import Refused, library
from cli_runs import run
from llama_gguf import LlamaShape, byte_tokenizer, random_weights, write_llama
from llamood import _core
from llamood.calibration.baseline import measure
from llamood.calibration.baseline_extension import moved_by
from llamood.calibration.projections import Projections
from llamood.cli.models import has_baseline
from llamood.cli.prompts import chat_tokens
from llamood.errors import FileError, ModelError
from llamood.extraction.listener import Listener
from llamood.extraction.states import States
from llamood.extraction.texts import BUNDLED, LabelledTexts, load_texts
from llamood.judges.layer_fits import LEAST_TEXTS, PARTS, TOGETHER, WORSE, layers_to_read, parts
from llamood.judges.linear_judge import bundled
from llamood.readings.probe import FILE_NAME, TRUSTED, Probe, directions_of
from llamood.readings.reader import smooth
from open_voices import PROMPT, random_vectors, shape_of, voice
from probes import LAYERS, InEveryLayer, doubtful, moved_by_vectors, neutral_probe, projecting

# -- projections ----------------------------------------------------------------------------


def test_projections_are_those_of_the_hidden_states(model: Path) -> None:
    """Against the tap, which sums the states themselves, one token at a time."""
    evs = random_vectors(model)
    directions = directions_of(evs, LAYERS)
    llm = voice(model)
    probe = projecting(llm, LAYERS, directions)
    tokens = llm.tokenize(PROMPT.encode())
    llm.eval(tokens)
    found = probe.read(0, len(tokens))
    assert found.shape == (len(tokens), 2, 2)
    settings = {"n_threads": 1, "flash_attn": False}
    with Listener(model, parallel=1, n_prompt=64, n_answer=64, **settings) as listener:
        for at in range(1, len(tokens)):
            mean = listener.texts([(tokens[: at + 1], at)])[0].mean[0]  # (n_layer, n_embd)
            expected = np.einsum("lke,le->lk", directions, mean[list(LAYERS)])
            np.testing.assert_allclose(found[at], expected, atol=2e-3)


def test_positions_are_those_of_the_context(random_chat: Path) -> None:
    directions = directions_of(random_vectors(random_chat), LAYERS)
    llm, pieces = voice(random_chat), voice(random_chat, n_batch=4)
    probe, other = (projecting(each, LAYERS, directions) for each in (llm, pieces))
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
            projecting(llm, layers, np.ones((len(layers), 2, n_embd), np.float32))
    with pytest.raises(ValueError, match="expected directions"):
        projecting(llm, [1], np.ones((1, 2, n_embd - 1), np.float32))


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
        moved = llm.reader.moved[: llm.n_tokens, 0] / n_layer
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


@pytest.mark.slow
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
        raw.append(reader.probe.scores(projections)[:, at])
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
            raw.append(reader.probe.scores(projections)[:, at])
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


JOYFUL = "I am so happy! What a joy! I love it all, what a wonderful day!"


def test_a_text_is_read_by_itself(companion: llamood.Llama) -> None:
    """Its mean z-scores, whatever was said and felt before, and whatever is asked after."""
    before = ask(companion, "Tell me about bread.", mood=strong("fear"))["choices"]
    companion.feel(strong("anger"))
    read = companion.read(JOYFUL)
    assert companion.mood == llamood.Mood(strong("anger"))
    companion.feel()
    assert set(read) == set(EMOTIONS)
    assert max(read, key=read.__getitem__) == "joy"
    tokens = companion.tokenize(JOYFUL.encode(), add_bos=True)
    companion.reset()
    companion.eval(tokens)
    expected = companion.reader.scores(1, len(tokens)).mean(axis=0)
    assert list(read.values()) == pytest.approx(expected.tolist(), abs=1e-4)
    assert companion.read(JOYFUL) == read
    assert ask(companion, "Tell me about bread.", mood=strong("fear"))["choices"] == before
    assert companion.read("The baker opens at seven.")["joy"] < read["joy"] - 1


def test_what_cannot_be_read_by_itself(companion: llamood.Llama, random_chat: Path) -> None:
    for text, n_token in (("", r"\d"), ("word " * 2000, r"\d+")):
        with pytest.raises(ModelError, match=rf"the text has {n_token} tokens, expected 2 to 512"):
            companion.read(text)
    with pytest.raises(ModelError, match="readings=True"):
        voice(random_chat).read("Hello there.")


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


def along_vectors(median: np.ndarray, spread: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "vector_median": median.astype(np.float32),
        "vector_spread": spread.astype(np.float32),
    }


def test_a_probe_is_read_back(random_chat: Path, tmp_path: Path) -> None:
    probe = neutral_probe(random_chat)
    assert probe.save(tmp_path) == tmp_path / FILE_NAME
    again = Probe.load(tmp_path)
    for name in ("names", "layers", "chosen", "about"):
        assert getattr(again, name) == getattr(probe, name)
    for name in ("directions", "mean", "spread", "joint", "response", "auroc"):
        np.testing.assert_array_equal(getattr(again, name), getattr(probe, name))
    assert again.along_vectors == {}  # as of an older file


def test_how_far_neutral_text_goes_along_vectors_is_read_back(
    random_chat: Path, tmp_path: Path
) -> None:
    drawn = np.random.default_rng(1).uniform(0, 9, (2, 4, 2)).astype(np.float32)
    path = neutral_probe(random_chat, vector_median=-drawn[0], vector_spread=drawn[1]).save(
        tmp_path
    )
    turned = Probe.load(tmp_path).in_order(("joy", "anger"))
    np.testing.assert_array_equal(turned.vector_median, -drawn[0, :, ::-1])
    np.testing.assert_array_equal(turned.vector_spread, drawn[1, :, ::-1])
    path.write_bytes(path.read_bytes().replace(b"vector_spread", b"vector_Spread"))
    with pytest.raises(FileError, match="'vector_spread' is missing"):
        Probe.load(tmp_path)


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"names": ("joy", "joy")}, "not different"),
        ({"layers": (2, 1)}, "are not those of a model of 4 layers"),
        ({"layers": (1, 3)}, "are not those of a model of 4 layers"),
        ({"chosen": (3,)}, r"layers \[3\], to be read, are not among"),
        ({"chosen": (2, 1)}, r"layers \[2, 1\], to be read, are not among"),
        ({"joint": np.zeros(2, np.float32)}, "a spread is not above 0"),
        ({"joint": np.ones(3, np.float32)}, "'joint' has shape"),
        ({"mean": np.zeros((2, 3), np.float32)}, "'mean' has shape"),
        ({"spread": np.zeros((2, 2), np.float32)}, "a spread is not above 0"),
        ({"mean": np.full((2, 2), np.nan, np.float32)}, "'mean' holds NaN"),
        ({"mean": np.zeros((2, 2))}, "'mean' is F64"),
        ({"mean": np.zeros((1, 2, 2), np.float32)}, "'mean' is F32 with 3 dimensions"),
        (along_vectors(np.zeros((3, 2)), np.ones((4, 2))), "'vector_median' has shape"),
        (along_vectors(np.zeros((4, 2)), -np.ones((4, 2))), "along a vector is below 0"),
        (along_vectors(np.full((4, 2), np.inf), np.ones((4, 2))), "'vector_median' holds NaN"),
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
    assert set(probe.chosen) <= set(probe.layers)


ONE_THREAD: dict[str, Any] = {"n_threads": 1, "n_threads_batch": 1}


def test_measured_of_texts() -> None:
    """Few of those that ship, of two emotions."""
    evs = llamood.load(tiny_chat.VECTORS).select(("fear", "joy"))
    texts = load_texts(BUNDLED).first(2 * PARTS)
    steps: list[tuple[int, int]] = []
    probe = measure(
        tiny_chat.MODEL,
        evs,
        texts,
        judge=bundled(),
        progress=lambda *step: steps.append(step),
        **ONE_THREAD,
    )
    n_text = 3 * 2 * PARTS  # those of other emotions are left out
    assert steps[-1] == (n_text, n_text)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    probe.require_fit(evs)
    assert probe.layers == layers_to_read(evs.n_layer)
    assert probe.directions.shape == (len(probe.layers), evs.n_emotion, evs.n_embd)
    np.testing.assert_allclose(np.linalg.norm(probe.directions, axis=2), 1, rtol=1e-5)
    means = probe.auroc.mean(axis=1)
    apart = means[1 :: len(probe.layers) // TOGETHER or 1]
    assert (means[list(probe.places)] >= apart.max() - WORSE).all()
    together = probe.at(probe.chosen[0])
    assert together.joint.tolist() == [1, 1]
    quality = probe.about["quality"]
    assert quality["n"] == 3 * 2
    assert set(quality["auroc"]) == set(evs.names)
    assert 0 <= quality["macro_auroc"] <= 1
    assert 0 <= quality["judge_accuracy"] <= 1
    assert len(probe.about["shrinkage"]) == len(probe.layers)
    json.dumps(dict(probe.about))
    # What is added in a layer is in its own projection, and in no layer below.
    for at, layer in enumerate(probe.layers):
        measured = evs.data[:, layer] / np.array(evs.scale)[:, np.newaxis]
        own = np.einsum("we,re->wr", measured, probe.directions[at])
        np.testing.assert_allclose(probe.response[layer, :, at], own, atol=1e-2)
        assert np.abs(probe.response[layer + 1 :, :, at]).max() < 1e-3
    is_there = evs.data.any(axis=2).T
    is_there[-1] = False  # where nothing is measured
    assert probe.vector_median is not None
    assert probe.vector_spread is not None
    np.testing.assert_array_equal(probe.vector_spread > 0, is_there)
    np.testing.assert_array_equal(probe.vector_median != 0, is_there)


def test_what_vectors_move_is_measured_in_a_bounded_number_of_layers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However deep the model; and what lies between is near what measuring it would give."""
    model = tmp_path / "deep.gguf"
    shape = LlamaShape(
        n_layer=40, n_embd=64, n_ff=96, n_head=4, n_head_kv=2, n_vocab=300, n_ctx=512
    )
    weights = random_weights(shape, seed=2)
    write_llama(model, shape, weights, tokenizer=byte_tokenizer(300), name="deep")
    rng = np.random.default_rng(3)
    shared, grown = rng.standard_normal((2, 2, 1, 64))
    data = shared + np.linspace(0, 1, 40)[:, np.newaxis] * grown
    data[1, :5] = data[1, 23:] = 0
    evs = llamood.EmotionVectors(("anger", "joy"), data.astype(np.float32))
    layers = layers_to_read(40)
    directions = rng.standard_normal((len(layers), 2, 64)).astype(np.float32)
    asked: list[int] = []

    def found(kind: type[Projections]) -> np.ndarray:
        with kind(model, evs, layers, directions, **ONE_THREAD) as read:
            usual = read._read

            def counting(sequences: Any, weights: Any, *, layer: int) -> Any:
                asked.append(len(sequences))
                return usual(sequences, weights, layer=layer)

            monkeypatch.setattr(read, "_read", counting)
            tokens = read._shared.tokenize(PROMPT.encode(), special=False)
            return moved_by_vectors(read, tokens, (40, 2, len(layers), 2))

    exact = found(InEveryLayer)
    n_exact = sum(asked) - 1
    assert n_exact == layers[-1] + 23 - 5
    asked.clear()
    near = found(Projections)
    assert sum(asked) - 1 <= (len(layers) + 1) + (len(layers) + 2) < n_exact / 2
    assert np.linalg.norm(near.sum(axis=0) - exact.sum(axis=0)) < 0.1 * np.linalg.norm(
        exact.sum(axis=0)
    )
    assert not near[layers[-1] + 1 :].any()
    assert not near[:5, 1].any()
    assert not near[23:, 1].any()


def small_states(model: Path, *, n: int = 3 * PARTS) -> tuple[LabelledTexts, States]:
    """Texts of two emotions and of neutral, and states that tell one from the other, but not
    too well; in turn, as they are measured."""
    names = ("anger", "joy", "neutral")
    texts = LabelledTexts(
        names, {name: tuple(f"{name} {i} it is" for i in range(n)) for name in names}
    )
    n_layer, n_embd = shape_of(model)
    rng = np.random.default_rng(8)
    added = {"anger": 0.6 * rng.normal(size=n_embd), "joy": 0.6 * rng.normal(size=n_embd)}
    rows = 2 * rng.normal(size=(3 * n, n_layer, n_embd))
    labels = names * n
    for row, label in zip(rows, labels, strict=True):
        row += added.get(label, 0.0)
    return texts, States(labels, rows.astype(np.float32))


def test_other_vectors_leave_all_but_what_they_move(random_chat: Path) -> None:
    evs = random_vectors(random_chat)
    others = replace(evs, data=evs.data[::-1].copy())
    texts, states = small_states(random_chat)
    probe, expected = (
        measure(random_chat, each, texts, states=states, **ONE_THREAD) for each in (evs, others)
    )
    found = moved_by(probe, random_chat, others, texts.neutral, **ONE_THREAD)
    assert not np.allclose(probe.response, expected.response, atol=1e-3)
    np.testing.assert_allclose(found.response, expected.response, atol=1e-5)
    for field in ("directions", "mean", "spread", "auroc"):
        np.testing.assert_array_equal(getattr(found, field), getattr(probe, field))
    for field in ("vector_median", "vector_spread"):
        np.testing.assert_array_equal(getattr(found, field), getattr(expected, field))
    assert found.about == {**probe.about, "method": others.measurement.method}


def test_states_that_are_known_are_not_measured_again(random_chat: Path) -> None:
    evs = random_vectors(random_chat)
    texts = LabelledTexts(
        ("anger", "joy", "neutral"),
        {
            "anger": tuple(f"no, not {i} times!" for i in range(LEAST_TEXTS)),
            "joy": tuple(f"{i} cheers for us" for i in range(LEAST_TEXTS)),
            "neutral": tuple(f"platform {i} is ahead of the bus stop" for i in range(LEAST_TEXTS)),
        },
    )
    states = States.measured(random_chat, texts, **ONE_THREAD)
    steps: list[tuple[int, int]] = []
    given = measure(
        random_chat, evs, texts, states=states, progress=lambda *s: steps.append(s), **ONE_THREAD
    )
    assert steps == []
    alone = measure(random_chat, evs, texts, **ONE_THREAD)
    for name in ("directions", "mean", "spread", "joint", "response", "auroc"):
        np.testing.assert_array_equal(getattr(given, name), getattr(alone, name))
    assert (given.chosen, given.about) == (alone.chosen, alone.about)


def test_quality_is_told_by_texts_that_chose_nothing(random_chat: Path) -> None:
    evs = random_vectors(random_chat)
    texts, states = small_states(random_chat)
    part = parts(states.labels)
    usual = measure(random_chat, evs, texts, states=states, **ONE_THREAD)

    def changed(where: int) -> Probe:
        """With the texts of one part turned into noise."""
        data = states.data.copy()
        noise = np.random.default_rng(1).normal(size=data.shape)
        data[part == where] = noise[part == where]
        return measure(random_chat, evs, texts, states=States(states.labels, data), **ONE_THREAD)

    told = changed(PARTS - 1)
    np.testing.assert_array_equal(told.auroc, usual.auroc)  # the choice was the same
    assert told.chosen == usual.chosen
    assert told.about["shrinkage"] == usual.about["shrinkage"]
    assert told.about["quality"] != usual.about["quality"]
    assert told.about["quality"]["macro_auroc"] < usual.about["quality"]["macro_auroc"]
    chosen = changed(PARTS - 2)
    assert not np.array_equal(chosen.auroc, usual.auroc)
    # All texts are fitted in the end.
    assert not np.array_equal(told.directions, usual.directions)


def test_texts_of_a_label_take_turns() -> None:
    labels = ["joy", "neutral"] * PARTS + ["joy"] * 3
    found = parts(labels)
    assert found[::2][:PARTS].tolist() == list(range(PARTS))
    assert found[1 : 2 * PARTS : 2].tolist() == list(range(PARTS))
    assert found[2 * PARTS :].tolist() == [0, 1, 2]


@pytest.mark.parametrize("n_layer", [3, 4, 8, 30, 80])
def test_layers_that_are_read_are_neither_first_nor_last(n_layer: int) -> None:
    layers = layers_to_read(n_layer)
    assert 1 <= len(layers) <= 9
    assert list(layers) == sorted(set(layers))
    assert layers[0] >= 1
    assert layers[-1] <= n_layer - 2


def test_too_little_to_measure_on(random_chat: Path) -> None:
    evs = random_vectors(random_chat)
    few = LabelledTexts(
        ("neutral", "joy", "awe"),
        {"neutral": ("a b c",) * 13, "joy": ("d e",) * LEAST_TEXTS, "awe": ("f",) * 99},
    )
    with pytest.raises(ModelError, match=r"at least 14 texts.*; found 0 of anger, 13 of neutral$"):
        measure(random_chat, evs, few)
    texts, states = small_states(random_chat)
    flat = States(states.labels, np.ones_like(states.data))
    with pytest.raises(ModelError, match="cannot be told apart"):
        measure(random_chat, evs, texts, states=flat, **ONE_THREAD)
    shallow = llamood.EmotionVectors(evs.names, evs.data[:, :2])
    with pytest.raises(ModelError, match="fewer than three layers"):
        measure(random_chat, shallow, texts)
    with pytest.raises(ModelError, match="has nothing of its own in layer"):
        directions_of(llamood.EmotionVectors(("a", "b"), np.ones((2, 4, 8))), (1, 2))
    alone = llamood.EmotionVectors(("a",), np.ones((1, 4, 16)))
    np.testing.assert_allclose(directions_of(alone, (1, 2)), 0.25)
    assert isinstance(_core.Probe, type)


# -- readings in doubt ----------------------------------------------------------------------


def test_a_baseline_that_reads_at_chance_is_in_doubt() -> None:
    probe = Probe.load(tiny_chat.VECTORS)
    assert probe.doubt is None
    assert doubtful(probe, None).doubt is None
    assert doubtful(probe, TRUSTED).doubt is None
    told = doubtful(probe, 0.59).doubt
    assert told is not None
    assert "0.59" in told


def test_nothing_is_held_or_coloured_by_what_is_in_doubt(tmp_path: Path) -> None:
    evs = tmp_path / "evs"
    llamood.save(llamood.load(tiny_chat.VECTORS), evs)
    doubtful(Probe.load(tiny_chat.VECTORS), 0.59).save(evs)
    settings: dict[str, Any] = {"n_ctx": 256, "n_threads": 1, "verbose": False}
    with pytest.warns(llamood.errors.MoodWarning, match=r"unsure.*0\.59"):
        llm = llamood.Llama(tiny_chat.MODEL, emotions=evs, readings=True, **settings)
    with pytest.raises(llamood.errors.MoodError, match="too unsure"):
        llm.feel(joy=llamood.hold(1.0))
    shown = run("read", tiny_chat.MODEL, "-e", evs, "I am so happy!", "--threads", "1")
    assert shown.exit_code == 0
    assert "do not trust this" in shown.stderr
    assert not has_baseline(evs)
    with pytest.raises(Refused, match=r"0\.59, where 0\.7 is the least.*llamood read --measure"):
        library().ceilings(tiny_chat.MODEL, evs, readings=True)
    assert library().ceilings(tiny_chat.MODEL, evs)  # for whoever reads nothing
    assert library().ceilings(tiny_chat.MODEL, tiny_chat.VECTORS, readings=True)

"""Measuring vectors on a real model file: what is read, resumed, dropped and reported."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llamood.errors import FileError, ModelError
from llamood.extraction.answer_faults import answer_fault
from llamood.extraction.extraction import Extraction
from llamood.extraction.listener import Listener
from llamood.extraction.queries import Queries
from llamood.extraction.states import States
from llamood.extraction.texts import LabelledTexts

# With one thread, and attention as exact as the rest, the same sums come out the same.
ONE_THREAD: dict[str, Any] = {"n_threads": 1, "n_threads_batch": 1, "flash_attn": False}
# What is cached is not rounded, so that it hardly matters what else was in a batch.
EXACT = {**ONE_THREAD, "type_k": 0, "type_v": 0}
QUERIES = Queries(
    {
        "joy": ("What did you find?", "Who came home?", "Did it snow?"),
        "anger": ("Who broke the cup?", "Why so late?", "Where is it?"),
        "neutral": ("What time is it?",),
    }
)
TEXTS = LabelledTexts(
    names=("joy", "fear", "neutral"),
    texts={
        "joy": ("what a lovely day", "I love this song so much", "great"),
        "fear": ("I am scared of the dark", "do not go down there"),
        "neutral": ("the shop opens at nine", "it is on the table", "the bus is blue"),
    },
)


def small(model: Path, **settings: Any) -> Extraction:
    settings = {"queries": QUERIES, "parallel": 4, "max_tokens": 12, **ONE_THREAD, **settings}
    return Extraction(model, **settings)


def finished(extraction: Extraction) -> Extraction:
    extraction.run()
    return extraction


def test_answers_are_read_while_they_are_generated(random_chat: Path) -> None:
    with Listener(random_chat, parallel=3, n_prompt=64, n_answer=16, **EXACT) as listener:
        prompts = [listener.prompt(q) for q in ("What is it?", "Who?", "Where do we go now?")]
        heard = listener.answers(prompts, seeds=[1, 2, 3])
        again = listener.answers(prompts, seeds=[1, 2, 3])
        assert [h.text for h in again] == [h.text for h in heard]
        assert len({h.text for h in heard}) == 3
        # Generate once more, alone, to have the tokens; then read those in a second pass.
        for prompt, seed, side_by_side in zip(prompts, (1, 2, 3), heard, strict=True):
            alone = listener.answers([prompt], seeds=[seed])[0]
            np.testing.assert_allclose(alone.mean, side_by_side.mean, rtol=1e-4, atol=1e-5)


def test_a_second_pass_over_given_tokens_reads_the_same(random_chat: Path) -> None:
    with Listener(random_chat, parallel=2, n_prompt=64, n_answer=64, **ONE_THREAD) as listener:
        prompt = listener.prompt("What is it?")
        answer = listener.tokens("It is a lamp.", first=False)
        whole = listener.texts([(prompt + answer, len(prompt)), (answer, 0)])
        assert [h.n_token for h in whole] == [len(answer), len(answer) - 1]  # first position left
        one, rest = listener.texts([(prompt + answer[:1], len(prompt)), (answer, 1)])
        assert one.n_token == 1
        np.testing.assert_allclose(rest.mean, whole[1].mean, rtol=1e-5, atol=1e-6)


def test_first_position_is_left_out(stories: Path) -> None:
    with Listener(stories, parallel=2, n_prompt=32, n_answer=32, **ONE_THREAD) as listener:
        tokens = listener.tokens("Once upon a time", first=True)
        whole, tail = listener.texts([(tokens, 0), (tokens, 1)])
        assert whole.n_token == tail.n_token == len(tokens) - 1
        np.testing.assert_array_equal(whole.mean, tail.mean)


def test_from_questions_gives_both_sites_and_a_report(random_chat: Path, tmp_path: Path) -> None:
    extraction = finished(small(random_chat, output=tmp_path / "evs"))
    assert extraction.total == extraction.done == 12
    evs = extraction.vectors()
    assert evs.names == ("joy", "anger")
    assert evs.data.shape == (2, 4, 64)
    assert evs.pairs == (3, 3)
    assert evs.measurement.model_name == "random chat"
    assert evs.measurement.residual_rms is not None
    assert len(evs.measurement.residual_rms) == 4
    assert extraction.vectors("attn_out").measurement.site == "attn_out"
    assert not np.array_equal(extraction.vectors("attn_out").data, evs.data)

    report = extraction.report()
    json.dumps(report)
    assert report["used"] == {"joy": 3, "anger": 3}
    assert set(report["sites"]) == {"layer_out", "attn_out"}
    assert np.asarray(report["sites"]["layer_out"]["cosines"]).shape == (2, 2)
    told = [json.loads(line) for line in extraction.answers().splitlines()]
    assert len(told) == 6
    assert {record["emotion"] for record in told} == {"joy", "anger"}
    kept = {"answers.partial", "answers.states"}
    assert {path.name for path in (tmp_path / "evs").iterdir()} == kept
    extraction.forget()
    assert not list((tmp_path / "evs").iterdir())


def test_states_are_those_that_the_vectors_are_means_of(random_chat: Path) -> None:
    from_answers = finished(small(random_chat))
    states = from_answers.states()
    assert states.data.shape == (12, 4, 64)
    assert states.data.dtype == np.float32
    assert states.labels == ("joy", "neutral", "anger", "neutral") * 3
    from_texts = finished(small(random_chat, queries=None, texts=TEXTS))
    assert Counter(from_texts.states().labels) == {"joy": 3, "fear": 2, "neutral": 3}
    # A pair counts by how it differs, so each mean is the vector from the mean plain answer on.
    for extraction in (from_answers, from_texts):
        states = extraction.states()
        for name, vector in zip(extraction.vectors().names, extraction.vectors().data, strict=True):
            found = states.of(name).mean(axis=0) - states.of("neutral").mean(axis=0)
            np.testing.assert_allclose(found, vector, atol=1e-4)
        np.testing.assert_array_equal(extraction.states().data, states.data)  # asked again


def test_texts_are_those_of_the_states(random_chat: Path) -> None:
    extraction = finished(small(random_chat, queries=None, texts=TEXTS, per_label=2))
    drawn = TEXTS.sample(2)
    assert dict(extraction.texts().texts) == dict(drawn.texts)
    measured = States.measured(random_chat, extraction.texts(), **ONE_THREAD)
    assert measured.labels == extraction.states().labels
    np.testing.assert_allclose(measured.data, extraction.states().data, rtol=1e-3, atol=1e-4)

    answered = finished(small(random_chat))
    told = [json.loads(line) for line in answered.answers().splitlines()]
    texts = answered.texts()
    assert texts.neutral == tuple(record["heard"][0] for record in told)
    for name in texts.emotions:
        said = tuple(record["heard"][1] for record in told if record["emotion"] == name)
        assert texts.texts[name] == said


def test_what_is_dropped_is_in_neither(random_chat: Path) -> None:
    """A text without a token beyond the first is no text; an answer that was cut short neither."""
    empty = {name: ("", *texts) for name, texts in TEXTS.texts.items()}
    extraction = finished(small(random_chat, queries=None, texts=LabelledTexts(TEXTS.names, empty)))
    assert Counter(extraction.states().labels) == {"joy": 3, "fear": 2, "neutral": 3}
    assert "" not in {text for texts in extraction.texts().texts.values() for text in texts}
    assert set(extraction.texts().texts["joy"]) == set(TEXTS.texts["joy"])
    assert extraction.report()["dropped"]["joy"] == {"no token beyond the first": 1}


def test_a_run_that_is_asked_for_again_changes_nothing(random_chat: Path) -> None:
    whole = finished(small(random_chat)).states()
    stopped = small(random_chat)
    with pytest.raises(KeyboardInterrupt):
        stopped.run(interrupt_at(8))
    stopped.run()
    stopped.run()
    np.testing.assert_array_equal(stopped.states().data, whole.data)


def test_vectors_are_means_of_differences(random_chat: Path) -> None:
    one = Queries({"joy": QUERIES.questions["joy"][:1]})
    extraction = finished(small(random_chat, queries=one, parallel=2))
    with Listener(random_chat, parallel=2, n_prompt=256, n_answer=12, **ONE_THREAD) as listener:
        question = one.questions["joy"][0]
        prompts = [listener.prompt(f"{question}\n\nAnswer with joy."), listener.prompt(question)]
        from llamood.extraction.extraction import _seed

        emotional, plain = listener.answers(prompts, seeds=[_seed(0, 0), _seed(0, 1)])
    expected = (emotional.mean - plain.mean)[0].astype(np.float32)
    np.testing.assert_array_equal(extraction.vectors().data[0], expected)


def test_the_same_seed_gives_the_same_vectors(random_chat: Path) -> None:
    first = finished(small(random_chat, seed=3)).vectors()
    np.testing.assert_array_equal(finished(small(random_chat, seed=3)).vectors().data, first.data)
    assert not np.array_equal(finished(small(random_chat, seed=4)).vectors().data, first.data)


def test_from_texts_is_the_difference_of_label_means(random_chat: Path) -> None:
    evs = finished(small(random_chat, queries=None, texts=TEXTS)).vectors()
    assert evs.names == ("joy", "fear")
    assert evs.pairs == (3, 2)
    means = {}
    with Listener(random_chat, parallel=1, n_prompt=64, n_answer=64, **ONE_THREAD) as listener:
        for name, texts in TEXTS.texts.items():
            each = [
                listener.texts([(listener.tokens(text, first=True), 0)])[0].mean[0]
                for text in texts
            ]
            means[name] = np.mean(each, axis=0)
    for name in evs.names:
        np.testing.assert_allclose(evs[name], means[name] - means["neutral"], rtol=1e-3, atol=1e-4)


def test_as_answer_reads_the_answer_only(random_chat: Path) -> None:
    plain = finished(small(random_chat, queries=None, texts=TEXTS)).vectors()
    placed = finished(
        small(random_chat, queries=None, texts=TEXTS, as_answer_to="How was the day?")
    ).vectors()
    assert placed.data.shape == plain.data.shape
    assert not np.allclose(placed.data, plain.data, atol=1e-3)


@pytest.mark.parametrize("source", ["answers", "texts"])
def test_a_killed_run_goes_on_where_it_was(random_chat: Path, tmp_path: Path, source: str) -> None:
    whole = finished(from_source(random_chat, source))
    program = """
import sys, os, signal
sys.path.insert(0, sys.argv[4])
from test_extraction import from_source
extraction = from_source(sys.argv[1], sys.argv[3], output=sys.argv[2])
extraction.run(lambda done, total: os.kill(os.getpid(), signal.SIGKILL) if done == 4 else None)
"""
    folder, here = tmp_path / "evs", Path(__file__).parent
    run = subprocess.run(
        [sys.executable, "-c", program, random_chat, folder, source, here],
        check=False,
        env={**os.environ, "PYTHONPATH": f"{here.parents[1] / 'tools'}{os.pathsep}{here.parent}"},
    )
    assert run.returncode == -signal.SIGKILL
    assert {path.name for path in folder.iterdir()} == {f"{source}.partial", f"{source}.states"}
    with (folder / f"{source}.states").open("ab") as file:
        file.write(b"half a row")  # as of a kill while a group is written
    resumed = from_source(random_chat, source, output=folder)
    assert resumed.done == resumed.kept == 4
    steps: list[int] = []
    resumed.run(lambda done, total: steps.append(done))
    assert steps == [*range(4, whole.total, 4), whole.total]
    np.testing.assert_array_equal(resumed.vectors().data, whole.vectors().data)
    assert resumed.states().labels == whole.states().labels
    np.testing.assert_array_equal(resumed.states().data, whole.states().data)
    assert resumed.answers() == whole.answers()

    again = from_source(random_chat, source, output=folder)  # nothing is left to do
    again.run()
    np.testing.assert_array_equal(again.states().data, whole.states().data)


def from_source(model: Path, source: str, **settings: Any) -> Extraction:
    texts = {"queries": None, "texts": TEXTS} if source == "texts" else {}
    return small(model, **{**texts, **settings})


def test_another_measurement_is_not_taken_up(random_chat: Path, tmp_path: Path) -> None:
    begun = small(random_chat, output=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        begun.run(interrupt_at(4))
    with pytest.raises(FileError, match=r"other settings.*seed was 0 and is 1"):
        small(random_chat, output=tmp_path, seed=1)
    assert small(random_chat, output=tmp_path, seed=1, restart=True).done == 0
    assert small(random_chat, output=tmp_path).done == 4


def interrupt_at(n: int) -> Any:
    def progress(done: int, total: int) -> None:
        if done >= n:
            raise KeyboardInterrupt

    return progress


def test_a_broken_unfinished_measurement_is_named(random_chat: Path, tmp_path: Path) -> None:
    (tmp_path / "answers.partial").write_bytes(b"PK\x03\x04 half")
    with pytest.raises(FileError, match=r"unfinished measurement.*--restart"):
        small(random_chat, output=tmp_path)
    begun = small(random_chat, output=tmp_path, restart=True)
    with pytest.raises(KeyboardInterrupt):
        begun.run(interrupt_at(4))
    path = tmp_path / "answers.states"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FileError, match=r"answers\.states: holds 4095 bytes .* 4096.*--restart"):
        small(random_chat, output=tmp_path).run()
    path.unlink()
    with pytest.raises(FileError, match=r"answers\.states: cannot be read"):
        small(random_chat, output=tmp_path).run()
    anew = finished(small(random_chat, output=tmp_path, restart=True))
    np.testing.assert_array_equal(anew.states().data, finished(small(random_chat)).states().data)


def test_both_sources_lie_beside_each_other(random_chat: Path, tmp_path: Path) -> None:
    for source in ("answers", "texts"):
        finished(from_source(random_chat, source, output=tmp_path))
    assert {path.name for path in tmp_path.iterdir()} == {
        "answers.partial", "answers.states", "texts.partial", "texts.states"
    }  # fmt: skip
    assert from_source(random_chat, "texts", output=tmp_path).done == 8


def test_from_one_source_at_a_time(random_chat: Path) -> None:
    with pytest.raises(ModelError, match="not from both"):
        small(random_chat, texts=TEXTS)


def test_unfinished_has_no_vectors(random_chat: Path) -> None:
    extraction = small(random_chat)
    for ask in (extraction.vectors, extraction.states, extraction.texts):
        with pytest.raises(ModelError, match=r"measured 0 of 12"):
            ask()


def test_a_model_without_template_says_what_to_do(stories: Path) -> None:
    with pytest.raises(ModelError, match=r"no chat template.*labelled texts"):
        finished(small(stories))


def test_no_model_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a GGUF"):
        small(tmp_path / "none.gguf")
    (tmp_path / "text.gguf").write_text("hello")
    with pytest.raises(ModelError, match="not a GGUF"):
        small(tmp_path / "text.gguf")


def test_useless_answers_are_dropped_with_the_reason() -> None:
    assert answer_fault("Yes.", 2, plain=None) == "shorter than 4 tokens"
    assert answer_fault("so " * 50, 100, plain=None) == "repeats itself"
    assert answer_fault("A fine lamp.", 5, plain="A fine lamp.") is not None
    assert answer_fault("A fine lamp.", 5, plain="A lamp.") is None
    refused = "I'm sorry, but I can't assist with that."
    assert answer_fault(refused, 11, plain=None) == "refuses"


def test_nothing_usable_is_an_error_not_a_vector(random_chat: Path) -> None:
    extraction = finished(small(random_chat, max_tokens=2))
    with pytest.raises(ModelError, match="nothing usable"):
        extraction.vectors()
    assert extraction.states().labels == ()


def test_what_prompts_begin_with_alike_is_decoded_once(random_chat: Path) -> None:
    from llamood.extraction.listener import _generations

    assert _generations([[1, 2, 3], [1, 2, 4], [1, 2, 4, 5], [9]]) == [
        [(0, 0, 0), (3, 3, 0)],
        [(1, 0, 2)],
        [(2, 1, 3)],
    ]
    assert _generations([[1, 2], [1, 2]]) == [[(0, 0, 0)], [(1, 0, 1)]]
    with Listener(random_chat, parallel=3, n_prompt=64, n_answer=8, **EXACT) as listener:
        prompts = [listener.prompt(q) for q in ("What is it?", "What is it then?", "Who?")]
        together = listener.answers(prompts, seeds=[5, 6, 7])
        for prompt, seed, heard in zip(prompts, (5, 6, 7), together, strict=True):
            alone = listener.answers([prompt], seeds=[seed])[0]
            assert alone.text == heard.text
            np.testing.assert_allclose(alone.mean, heard.mean, rtol=1e-4, atol=1e-5)

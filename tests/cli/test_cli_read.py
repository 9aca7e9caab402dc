"""Reading emotion back on the command line: any text, a baseline of its own, a conversation."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import llamood
import tiny_chat
from cli_runs import run
from llamood.cli.models import default_vectors
from llamood.judges.layer_fits import LEAST_TEXTS
from llamood.readings.probe import FILE_NAME, Probe

JOYFUL = "I am so happy! What a joy! I love it all, what a wonderful day!"
PLAIN = "The baker opens at seven. The rest is written on the list."


def test_a_text_is_read_token_by_token() -> None:
    result = run("read", tiny_chat.MODEL, JOYFUL, "--json", "--threads", "1")
    assert (result.exit_code, result.stderr) == (0, "")
    reading = json.loads(result.stdout)
    said = "".join(token["text"] for token in reading["tokens"])
    assert JOYFUL.endswith(said.strip())  # without the first token, which is an outlier
    assert max(reading["mean"], key=reading["mean"].__getitem__) == "joy"
    scores = np.array([token["scores"] for token in reading["tokens"]])
    joy = reading["emotions"].index("joy")
    assert reading["mean"]["joy"] == pytest.approx(scores[:, joy].mean())
    llm = llamood.Llama(
        tiny_chat.MODEL, emotions=tiny_chat.VECTORS, readings=True, n_ctx=256, n_threads=1,
        n_threads_batch=1, verbose=False,
    )  # fmt: skip
    assert llm.read(JOYFUL) == pytest.approx(reading["mean"], abs=1e-4)
    plain = json.loads(run("read", tiny_chat.MODEL, PLAIN, "--json", "--threads", "1").stdout)
    assert plain["mean"]["joy"] < reading["mean"]["joy"] - 1


def test_people_see_the_text_and_a_table() -> None:
    result = run("read", tiny_chat.MODEL, JOYFUL, "--threads", "1")
    text, _, table = result.stdout.partition("Read in layer")
    assert JOYFUL.endswith(" ".join(text.split()))
    rows = [line for line in table.splitlines() if line.startswith("│")]
    assert rows[0].split()[1] == "joy"  # the highest mean first
    assert len(rows) == 6


def test_another_layer_standard_input_and_a_picture(tmp_path: Path) -> None:
    picture = tmp_path / "reading.svg"
    asked = ("-", "--layer", "5", "--plot", picture, "--json", "--threads", "1")
    reading = json.loads(run("read", tiny_chat.MODEL, *asked, stdin=JOYFUL).stdout)
    assert reading["layers"] == [5]
    assert picture.read_bytes().startswith(b"<?xml")


def test_as_an_answer_a_text_is_read_whole() -> None:
    def read(*how: str) -> dict[str, Any]:
        asked = ("read", tiny_chat.MODEL, JOYFUL, "--json", "--threads", "1", *how)
        found: dict[str, Any] = json.loads(run(*asked).stdout)
        return found

    by_itself, answered = read(), read("--as-answer")
    assert "".join(token["text"] for token in answered["tokens"]).strip() == JOYFUL
    assert len(by_itself["tokens"]) == len(answered["tokens"]) - 1
    assert by_itself["mean"] != answered["mean"]


def test_lines_are_read_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "letters.txt"
    path.write_text(f"{JOYFUL}\n\n  \n{PLAIN}\n", encoding="utf-8")
    asked = ("read", tiny_chat.MODEL, "--lines", path, "--threads", "1")
    found = [json.loads(line) for line in run(*asked, "--json").stdout.splitlines()]
    assert [(each["line"], each["text"]) for each in found] == [(1, JOYFUL), (4, PLAIN)]
    for text, each in zip((JOYFUL, PLAIN), found, strict=True):
        alone = json.loads(run("read", tiny_chat.MODEL, text, "--json", "--threads", "1").stdout)
        assert each["mean"] == pytest.approx(alone["mean"], abs=1e-3)
    shown = run(*asked).stdout.splitlines()
    assert [line.split("\t")[1] for line in shown] == [JOYFUL, PLAIN]
    assert shown[0].startswith("joy ")
    piped = run("read", tiny_chat.MODEL, "--lines", "-", "--threads", "1", stdin=f"{PLAIN}\n")
    assert piped.stdout.splitlines() == shown[1:]
    path.write_text(f"{PLAIN}\n{'word ' * 2000}\n", encoding="utf-8")
    ended = run(*asked)
    assert ended.exit_code == 1
    assert "letters.txt, line 2: the text has" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((tiny_chat.MODEL,), 2, "say what to read"),
        ((tiny_chat.MODEL, "Hi", "--lines", "x.txt"), 2, "not both"),
        ((tiny_chat.MODEL, "--lines", "none.txt"), 1, "none.txt: cannot be read"),
        ((tiny_chat.MODEL, ""), 1, "the prompt is empty"),
        ((tiny_chat.MODEL, "Hi", "--layer", "7"), 1, "layers 1 to 6 can"),
        ((tiny_chat.MODEL, "word " * 2000), 1, "shorten the prompt"),
        ((tiny_chat.MODEL, "Hi", "--plot", "x.doc"), 2, "writes .png"),
    ],
)
def test_what_cannot_be_read(arguments: tuple[str | Path, ...], code: int, says: str) -> None:
    result = run("read", *arguments)
    assert result.exit_code == code
    assert says in result.stderr


@pytest.fixture
def few_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readings are measured from as few texts as that takes, and the short sentences."""
    monkeypatch.setattr("llamood.cli.baselines.PER_LABEL", LEAST_TEXTS)


@pytest.mark.slow
@pytest.mark.usefixtures("few_texts")
def test_a_baseline_is_measured_where_there_is_none(tmp_path: Path) -> None:
    vectors = tmp_path / "evs"
    shutil.copytree(tiny_chat.VECTORS, vectors)
    (vectors / FILE_NAME).unlink()
    for name in ("anger", "disgust", "sadness", "surprise"):
        (vectors / f"{name}.gguf").unlink()
    missing = run("read", tiny_chat.MODEL, "-e", vectors, "Hi")
    assert missing.exit_code == 1
    assert "llamood read --measure" in missing.stderr
    result = run("read", tiny_chat.MODEL, "-e", vectors, "--measure", "--threads", "1")
    assert result.exit_code == 0
    assert "area under the ROC curve" in result.stdout
    assert "on 33 texts that had no say in it" in result.stdout
    assert "by the judge in" in result.stdout
    probe = Probe.load(vectors)
    probe.require_fit(llamood.load(vectors))
    assert set(probe.names) == {"fear", "joy"}
    asked = (JOYFUL, "--measure", "--json", "--threads", "1")
    again = json.loads(run("read", tiny_chat.MODEL, "-e", vectors, *asked).stdout)
    assert again["layers"] == list(probe.chosen)
    assert set(again["mean"]) == {"fear", "joy"}


@pytest.mark.slow
def test_texts_that_ship_read_what_people_write(tmp_path: Path) -> None:
    """A model of 3.9 million parameters does: not what people mean, but better than by chance."""
    shutil.copytree(tiny_chat.VECTORS, tmp_path / "evs")
    asked = ("-e", tmp_path / "evs", "--measure", "--json", "--threads", "1")
    figures = json.loads(run("read", tiny_chat.MODEL, *asked).stdout)
    assert figures["quality"]["macro_auroc"] >= 0.6
    assert figures["quality"]["accuracy"] >= 1.5 / 6


def test_chat_tells_what_was_expressed() -> None:
    result = run(
        "chat", tiny_chat.MODEL, "--seed", "2", "--threads", "1", "--feel", "joy=0.74,$layers=2:4",
        stdin="/read\nTell me about bread.\n/read\n",
    )  # fmt: skip
    assert result.exit_code == 0
    before, after = [line for line in result.stderr.splitlines() if line]
    assert before == "nothing was said yet"
    assert after.startswith("joy ")
    assert default_vectors(str(tiny_chat.MODEL)) == tiny_chat.VECTORS

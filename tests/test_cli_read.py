"""Reading emotion back on the command line: any text, a baseline of its own, a conversation."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import llamood
import tiny_chat
from cli_runs import run
from llamood.cli.models import default_vectors
from llamood.probe import FILE_NAME, Probe

JOYFUL = "I am so happy! What a joy! I love it all, what a wonderful day!"
PLAIN = "The baker opens at seven. The rest is written on the list."


def test_a_text_is_read_token_by_token() -> None:
    result = run("read", tiny_chat.MODEL, JOYFUL, "--json", "--threads", "1")
    assert (result.exit_code, result.stderr) == (0, "")
    reading = json.loads(result.stdout)
    assert "".join(token["text"] for token in reading["tokens"]).strip() == JOYFUL
    assert max(reading["mean"], key=reading["mean"].__getitem__) == "joy"
    scores = np.array([token["scores"] for token in reading["tokens"]])
    joy = reading["emotions"].index("joy")
    assert reading["mean"]["joy"] == pytest.approx(scores[:, joy].mean())
    plain = json.loads(run("read", tiny_chat.MODEL, PLAIN, "--json", "--threads", "1").stdout)
    assert plain["mean"]["joy"] < reading["mean"]["joy"] - 1


def test_people_see_the_text_and_a_table() -> None:
    result = run("read", tiny_chat.MODEL, JOYFUL, "--threads", "1")
    text, _, table = result.stdout.partition("Read in layer")
    assert " ".join(text.split()) == JOYFUL
    rows = [line for line in table.splitlines() if line.startswith("│")]
    assert rows[0].split()[1] == "joy"  # the highest mean first
    assert len(rows) == 6


def test_another_layer_standard_input_and_a_picture(tmp_path: Path) -> None:
    picture = tmp_path / "reading.svg"
    asked = ("-", "--layer", "5", "--plot", picture, "--json", "--threads", "1")
    reading = json.loads(run("read", tiny_chat.MODEL, *asked, stdin=JOYFUL).stdout)
    assert reading["layer"] == 5
    assert picture.read_bytes().startswith(b"<?xml")
    by_itself = json.loads(run("read", tiny_chat.MODEL, JOYFUL, "--raw", "--json").stdout)
    assert len(by_itself["tokens"]) == len(reading["tokens"]) - 1  # an outlier is left out


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ((tiny_chat.MODEL,), 2, "say what to read"),
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


def test_a_baseline_is_measured_where_there_is_none(tmp_path: Path) -> None:
    vectors = tmp_path / "evs"
    shutil.copytree(tiny_chat.VECTORS, vectors)
    (vectors / FILE_NAME).unlink()
    missing = run("read", tiny_chat.MODEL, "-e", vectors, "Hi")
    assert missing.exit_code == 1
    assert "llamood read --measure" in missing.stderr
    result = run("read", tiny_chat.MODEL, "-e", vectors, "--measure", "--threads", "1")
    assert result.exit_code == 0
    assert "area under the ROC curve" in result.stdout
    assert "by the judge in" in result.stdout
    probe = Probe.load(vectors)
    assert set(probe.names) == set(llamood.load(vectors).names)
    figures = json.loads(
        run("read", tiny_chat.MODEL, "-e", vectors, "--measure", "--json", "--threads", "1").stdout
    )
    assert figures["quality"]["macro_auroc"] >= 0.9


def test_chat_tells_what_was_expressed() -> None:
    result = run(
        "chat", tiny_chat.MODEL, "--seed", "1", "--threads", "1", "--feel", "joy=0.74,$layers=2:4",
        stdin="/read\nTell me about bread.\n/read\n",
    )  # fmt: skip
    assert result.exit_code == 0
    before, after = [line for line in result.stderr.splitlines() if line]
    assert before == "nothing was said yet"
    assert after.startswith("joy ")
    assert default_vectors(str(tiny_chat.MODEL)) == tiny_chat.VECTORS

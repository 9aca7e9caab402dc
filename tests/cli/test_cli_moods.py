"""Moods that change, on the command line: drawn, traced, and what is said of their limits."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import llamood
from cli_runs import EMOTIONS, run, with_vectors
from llamood.cli import curves

GENERATE = ("--raw", "--seed", "3", "--max-tokens", "20", "--threads", "1", "--guard", "off")
RISE = "joy=ramp(0,1,8),anger=0.25"
PNG, SVG = b"\x89PNG", b"<?xml"


@pytest.fixture
def small(random_chat: Path, tmp_path: Path) -> Path:
    return with_vectors(random_chat, tmp_path)


@pytest.fixture
def limited(small: Path) -> Path:
    """The same, whose vectors have ceilings."""
    folder = small.with_suffix(".evs")
    llamood.save(replace(llamood.load(folder), ceiling=(0.5, 1.0, 1.0)), folder)
    return small


# -- plot -----------------------------------------------------------------------------------


def plotted(*arguments: str | Path) -> dict[str, Any]:
    result = run("plot", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    numbers: dict[str, Any] = json.loads(result.stdout)
    return numbers


def test_plot_tells_what_the_mood_asks() -> None:
    numbers = plotted(RISE, "--tokens", "12")
    assert numbers["emotions"] == ["joy", "anger"]
    expected = llamood.Mood.parse(RISE).rows(12, ["joy", "anger"])
    assert np.array_equal(np.float32(numbers["asked"]), expected)
    assert numbers["applied"] == numbers["asked"]


def test_plot_without_vectors_knows_affect_by_a_table() -> None:
    numbers = plotted("valence=ramp(0,0.76,4),arousal=0.48,dominance=0.35", "--tokens", "5")
    joy = numbers["emotions"].index("joy")
    assert int(np.argmax(numbers["asked"][-1])) == joy


def test_plot_with_vectors_keeps_to_their_limits(limited: Path) -> None:
    vectors = limited.with_suffix(".evs")
    result = run("plot", "joy=2,anger=ramp(0,3,8),$inertia=4", "-e", vectors, "--json")
    assert result.exit_code == 0
    assert result.stderr.count("anger is held at 0.5") == 1
    assert "joy is held at 1" in result.stderr
    numbers = json.loads(result.stdout)
    applied = np.array(numbers["applied"])
    asked = np.array(numbers["asked"])
    anger, joy = (numbers["emotions"].index(name) for name in ("anger", "joy"))
    assert asked[:, joy].tolist() == [2.0] * 128
    assert asked[-1, anger] == 3
    assert applied[:, anger].max() <= 0.5
    assert applied[0, joy] < applied[9, joy] <= 1  # inertia, from neutral on


@pytest.mark.parametrize(("name", "magic"), [("mood.png", PNG), ("mood.svg", SVG)])
def test_plot_draws(tmp_path: Path, name: str, magic: bytes) -> None:
    picture = tmp_path / "pictures" / name
    result = run("plot", RISE, "-o", picture)
    assert (result.exit_code, result.stdout) == (0, "")
    assert picture.read_bytes().startswith(magic)
    assert run("plot", "joy=0", "-o", picture).exit_code == 0  # nothing to draw is no fault
    assert [path.name for path in picture.parent.iterdir()] == [name]


def test_plot_draws_a_line_for_each_emotion_that_is_felt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = []
    monkeypatch.setattr(curves, "save", lambda figure, *_: figures.append(figure))
    monkeypatch.setattr(curves, "write_files", lambda made: [f(p) for p, f in made.items()])
    asked = np.zeros((9, 3), np.float32)
    asked[:, 1] = np.linspace(0, 2, 9)
    curves.draw_mood(tmp_path / "x.png", emotions=EMOTIONS, asked=asked, applied=asked.clip(max=1))
    applied, wished, zero = figures[0].axes[0].lines
    assert applied.get_label() == EMOTIONS[1]
    assert applied.get_ydata().tolist() == asked[:, 1].clip(max=1).tolist()
    assert wished.get_ydata().tolist() == asked[:, 1].tolist()
    assert wished.get_linestyle() == "--"
    assert list(zero.get_ydata()) == [0, 0]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((RISE,), "-o mood.png"),
        ((RISE, "-o", "mood.doc"), "--output writes .png, .svg, .pdf, not mood.doc"),
        (("joy=ramp(0,1)", "-o", "x.png"), "mood at 'joy'"),
        ((RISE, "-o", "x.png", "--tokens", "0"), "--tokens"),
    ],
)
def test_plot_refuses(arguments: tuple[str, ...], says: str) -> None:
    result = run("plot", *arguments)
    assert result.exit_code == 2
    assert says in result.stderr


def test_plot_says_what_cannot_be_drawn() -> None:
    result = run("plot", 'joy=on("no",1),$inertia=3', "--json")
    assert "as if no text" in result.stderr
    assert "drawn with vectors only" in result.stderr
    assert json.loads(result.stdout)["asked"] == [[0.0]] * 128


# -- traces ---------------------------------------------------------------------------------


def test_generate_traces_and_draws_what_it_says(small: Path, tmp_path: Path) -> None:
    trace, picture = tmp_path / "out" / "trace.json", tmp_path / "out.svg"
    asked = ("generate", small, *GENERATE, "--feel", RISE, "Hello")
    plain = run(*asked)
    result = run(*asked, "--trace", trace, "--plot", picture)
    assert (result.exit_code, result.stderr) == (0, f"Wrote {trace}\nWrote {picture}\n")
    assert result.stdout == plain.stdout
    written = json.loads(trace.read_text(encoding="utf-8"))
    assert written["text"] + "\n" == result.stdout
    assert written["mood"] == {"joy": {"ramp": [0.0, 1.0], "over": 8}, "anger": 0.25}
    assert written["trace"]["emotions"] == sorted(EMOTIONS)
    rows = [token["applied"] for token in written["trace"]["tokens"]]
    expected = llamood.Mood.parse(RISE).rows(len(rows), written["trace"]["emotions"])
    assert np.array_equal(np.float32(rows), expected)
    assert picture.read_bytes().startswith(SVG)

    whole = json.loads(run(*asked, "--trace", trace, "--json").stdout)
    assert whole["trace"] == json.loads(trace.read_text())["trace"] == written["trace"]
    assert whole["usage"]["completion_tokens"] == len(rows) >= 20
    assert "trace" not in json.loads(run(*asked, "--json").stdout)


def test_any_answer_can_be_drawn(tmp_path: Path) -> None:
    texts = ["$x_1", "\n", " ", "ẞ漢\U0001f600", "\x1b[2J", "", *"many tokens" * 12]
    tokens = [
        {"text": text, "asked": [0.0, 1.0, place / 9], "applied": [0.0, 0.5, place / 9]}
        for place, text in enumerate(texts)
    ]
    picture = tmp_path / "trace.png"
    curves.draw_trace(picture, {"emotions": list(EMOTIONS), "tokens": tokens})
    assert picture.read_bytes().startswith(PNG)
    curves.draw_trace(picture, {"emotions": list(EMOTIONS), "tokens": []})


def test_without_matplotlib_nothing_is_said_in_vain(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    result = run("generate", small, *GENERATE, "Hello", "--plot", "out.png")
    assert (result.exit_code, result.stdout) == (1, "")
    assert 'pip install ".[plot]"' in result.stderr


def test_a_trace_that_cannot_be_written_is_a_failure(small: Path, tmp_path: Path) -> None:
    result = run("generate", small, *GENERATE, "Hello", "--trace", tmp_path)
    assert result.exit_code == 1
    assert "is a folder" in result.stderr
    result = run("generate", small, *GENERATE, "Hello", "--plot", "trace.txt")
    assert result.exit_code == 2


# -- limits ---------------------------------------------------------------------------------


def test_limits_are_notes(limited: Path) -> None:
    result = run("generate", limited, *GENERATE, "--feel", "joy=ramp(0,4,8)", "Hello")
    assert result.exit_code == 0
    assert result.stderr.count("Note: joy is held at 1, the largest intensity") == 1
    quiet = run("generate", limited, *GENERATE, "--feel", "joy=ramp(0,4,8).max(9),$max=9", "Hello")
    assert (quiet.exit_code, quiet.stderr) == (0, "")
    assert quiet.stdout != result.stdout


def test_later_moods_count(small: Path) -> None:
    def mood(*feel: str) -> Any:
        arguments = [part for one in feel for part in ("--feel", one)]
        return json.loads(run("generate", small, *GENERATE, *arguments, "Hi", "--json").stdout)[
            "mood"
        ]

    assert mood("joy=ramp(0,1,8),fear=0.1", "joy=0.5,$inertia=4") == {
        "joy": 0.5,
        "fear": 0.1,
        "$inertia": 4.0,
    }

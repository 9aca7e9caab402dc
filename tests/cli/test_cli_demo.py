"""``llamood demo``: what is asked, what is told, and how it looks."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import llamood
from cli_runs import EMOTIONS, run, save_vectors
from llamood import demo, judges
from llamood.cli import COMMANDS
from llamood.cli.demo import NEXT, called
from llamood.cli.demo_answers import MILD, STRONG, Answer, Asked, all_ways, whole
from llamood.cli.demo_page import INDENT, Prose, Sheet
from llamood.cli.demo_scenes import CROSS, GLAD, N_TURNING, SPEAKERS, TURNED_AT, TURNS_AT, turning
from llamood.moods.mood import Mood
from llamood.voices.cast import Cast

ASK = ("--threads", "1", "--ctx", "1024")  # the model of most tests has bytes for tokens
WAYS = [("words", 0.0), ("vector", MILD), ("vector", STRONG)]


@pytest.fixture(scope="module")
def stand_in(random_chat: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A random model in place of the demo's; its vectors."""
    vectors = tmp_path_factory.mktemp("vectors")
    save_vectors(vectors)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(vars(demo), "MODEL", random_chat)
        patch.setattr(demo, "VECTORS", vectors)
        # What a model of random weights says would be taken back for ever.
        patch.setattr("llamood.cli.demo.Cast", partial(Cast, guard=False))
        yield vectors


@pytest.fixture(scope="module")
def told(stand_in: Path) -> Any:
    result = run("demo", "--questions", "2", *ASK, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_every_question_is_asked_in_every_way(told: Any, stand_in: Path) -> None:
    names = llamood.load(stand_in).names
    asked = [(a["question"], a["emotion"], a["how"], a["intensity"]) for a in told["answers"]]
    ways = [(None, "plain", 0.0), *((name, *way) for name in names for way in WAYS)]
    assert asked == [(question, *way) for question in demo.SUGGESTIONS[:2] for way in ways]
    first = [a["text"] for a in told["answers"][: len(ways)]]
    assert len(set(first)) == len(ways)  # each of them is another answer


def test_the_summary_is_of_all_answers(told: Any) -> None:
    judge, answers = judges.bundled(), told["answers"]
    judged = judge.probabilities([a["text"] for a in answers])
    for number, row in enumerate(told["summary"]):
        own = judge.labels.index(row["emotion"])
        second = len(answers) // 2  # where the answers to the second question begin
        for way, place in zip(("words", "mild", "strong"), range(1, 4), strict=True):
            at = [3 * number + place, second + 3 * number + place]
            assert row[way] == pytest.approx(judged[at, own].mean())
        assert row["plain"] == pytest.approx(judged[[0, second], own].mean())
        assert row["strong_is_top"] == pytest.approx((judged[at].argmax(axis=1) == own).mean())


def test_the_scenes_are_told(told: Any, stand_in: Path) -> None:
    assert Mood(told["turning"]["mood"]) == turning(llamood.load(stand_in))
    assert told["turning"]["text"]
    speakers = [(turn["name"], turn["emotion"]) for turn in told["argument"]]
    assert speakers == 2 * [(each.name, each.emotion) for each in SPEAKERS]
    assert all(turn["text"] for turn in told["argument"])


def test_the_page_has_all_of_it_in_order(stand_in: Path) -> None:
    result = run("demo", "--questions", "1", *ASK)
    assert result.exit_code == 0, result.stderr
    shown = result.stdout
    names = llamood.load(stand_in).names
    headings = [demo.SUGGESTIONS[0], *(f"\n{name} " for name in names), "Mean probability", "joy="]
    headings += ["Ann in joy, Ben in anger", "Ann: ", "Ben: ", "Now you:", "llamood serve demo"]
    places = [shown.find(heading) for heading in headings]
    assert -1 not in places
    assert places == sorted(places)
    assert demo.SUGGESTIONS[1] not in shown
    assert shown.count(f"vector x {MILD:g}") == len(names) + 1  # answers, and the table
    assert max(len(line) for line in shown.splitlines()) <= 120


# -- its parts ------------------------------------------------------------------------------


def test_a_dose_is_a_share_of_the_ceiling(tmp_path: Path) -> None:
    evs = replace(save_vectors(tmp_path), ceiling=(2.0, None, 0.5))
    moods = {name: Asked("Why?", name, MILD).mood(evs) for name in EMOTIONS}
    assert moods == {"joy": Mood(joy=1.2), "fear": Mood(fear=0.6), "anger": Mood(anger=0.3)}
    assert Asked("Why?", "joy").mood(evs) == Asked("Why?").mood(evs) == Mood()
    assert Asked("Why?", "joy").prompt == "Why?\n\nAnswer with joy."
    assert Asked("Why?", "joy", MILD).prompt == Asked("Why?").prompt == "Why?"


def test_the_mood_turns_in_the_middle(tmp_path: Path) -> None:
    evs = replace(save_vectors(tmp_path), ceiling=(2.0, None, 0.5))
    rows = turning(evs).rows(N_TURNING, (GLAD, CROSS))
    np.testing.assert_allclose(rows[[0, TURNS_AT]], [[2.0, 0.0]] * 2)
    np.testing.assert_allclose(rows[[TURNED_AT, N_TURNING - 1]], [[0.0, 0.5]] * 2)


def test_answers_are_shown_as_soon_as_those_before_them_are() -> None:
    page = StringIO()
    asked = all_ways("Why?", ("joy", "fear"))
    sheet = Sheet(Console(file=page, width=80), asked)
    plain, joy, fear = asked[:1], asked[1:4], asked[4:]

    def add(these: list[Asked]) -> str:
        before = len(page.getvalue())
        for each in these:
            sheet.add(Answer(each, f"Because {asked.index(each)}.", {"joy": 0.9, "neutral": 0.1}))
        return page.getvalue()[before:]

    judge_of_fear = {"joy": 0.2, "fear": 0.8}
    for each in fear:
        sheet.add(Answer(each, f"Because {asked.index(each)}.", judge_of_fear))
    assert page.getvalue() == ""
    assert add(joy[::-1]) == ""
    shown = add(plain)
    assert [shown.index(f"Because {place}.") for place in range(7)] == sorted(
        shown.index(f"Because {place}.") for place in range(7)
    )
    assert shown.count("joy 90 %") == 4
    assert shown.count("fear 80 %") == 3


def test_prose_breaks_between_words_as_they_come() -> None:
    page = StringIO()
    prose = Prose(Console(file=page, width=24 + 2 * INDENT))
    words = "It was the best of times,\nit was the worst of\x1b[31m times"
    for start in range(0, len(words), 5):
        prose.write(words[start : start + 5], style="red")
    prose.end()
    lines = page.getvalue().splitlines()
    assert max(map(len, lines)) <= 24 + INDENT
    assert all(line.startswith(" " * INDENT) for line in lines)
    assert " ".join(page.getvalue().split()) == " ".join(words.replace("\x1b", "\ufffd").split())


def test_what_was_cut_off_shows() -> None:
    assert whole(" So it\n\nis. ", is_cut_off=False) == "So it is."
    assert whole("So it is and", is_cut_off=True) == "So it is and…"


def test_what_to_try_next_can_be_typed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """After ``make demo`` no PATH leads to the command."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.argv", [".venv/bin/llamood", "demo"])
    assert called() == ".venv/bin/llamood"
    monkeypatch.setattr("sys.argv", ["/somewhere/__main__.py", "demo"])
    assert called() == f"{sys.executable} -m llamood"
    program = tmp_path / "llamood"
    program.touch(mode=0o755)
    assert called() == "llamood"


def test_what_to_try_next_exists() -> None:
    for line, _ in NEXT:
        program, name, *_ = line.split()
        assert program == "llamood"
        assert name in COMMANDS

"""Several judges of the same answers: each in every table, how good they are, where they differ."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import llamood
import tiny_chat
from cli_runs import run
from llamood.cli.eval_report import judge_lines
from llamood.cli.report_page import page
from llamood.errors import LlamoodError
from llamood.evaluation.answer_log import Answer
from llamood.evaluation.conditions import UNSTEERED, VECTOR
from llamood.evaluation.results import results
from llamood.evaluation.results_table import to_markdown, to_paper_table
from llamood.evaluation.sheets import Float64
from llamood.evaluation.verdicts import Trial, Verdicts, disagreement, joint_findings, tried
from llamood.extraction.texts import load_texts
from llamood.judges.linear_judge import bundled

N_DRAW = 100
LINES = (
    ("I love this so much, thank you!", "joy"),
    ("What a wonderful day, I am happy.", "joy"),
    ("This is great news, congratulations!", "joy"),
    ("I am so scared of the dark.", "fear"),
    ("The meeting is on Tuesday.", "neutral"),
    ("It has four wheels and a door.", "neutral"),
)


@dataclass(frozen=True)
class Words:
    """A judge that knows a word for each label, and is sure of it."""

    words: dict[str, str]

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(self.words)

    def probabilities(self, texts: Iterable[str]) -> Float64:
        rows = [[1.0 + 8.0 * (word in text) for word in self.words.values()] for text in texts]
        wide = np.array(rows).reshape(-1, len(self.words))
        return np.asarray(wide / wide.sum(axis=1, keepdims=True))


OURS = Words({"joy": "good", "fear": "dark", "neutral": "table"})
THEIRS = Words({"neutral": "table", "fear": "night", "joy": "good", "awe": "wow"})


def answer(number: int, kind: Any, emotion: str | None, text: str) -> Answer:
    at = 1.0 if kind == VECTOR else 0.0
    return Answer(
        number=number, question=f"Q{number}?", kind=kind, emotion=emotion, intensity=at, dose=at,
        text=text, n_token=2, nll=1.0, mix={},
    )  # fmt: skip


ANSWERS = (
    answer(0, UNSTEERED, None, "a table"),
    answer(1, UNSTEERED, None, "the table"),
    answer(0, VECTOR, "joy", "so good"),
    answer(1, VECTOR, "joy", "good | well"),
    answer(0, VECTOR, "fear", "dark `night`"),
    answer(1, VECTOR, "fear", "dark table"),
)


def verdicts(answers: tuple[Answer, ...] = ANSWERS) -> list[Verdicts]:
    known = [Trial(60, 3, 0.75, 0.4), None]
    return [
        replace(Verdicts.of(name, judge, answers, known=None), trial=trial)
        for name, judge, trial in zip(("ours", "theirs"), (OURS, THEIRS), known, strict=True)
    ]


def known_lines(folder: Path) -> Path:
    path = folder / "known.tsv"
    path.write_text("".join(f"{text}\t{label}\n" for text, label in LINES), encoding="utf-8")
    return path


# -- how good a judge is --------------------------------------------------------------------


def test_a_judge_is_tried_on_the_labels_that_it_has(tmp_path: Path) -> None:
    known = load_texts(known_lines(tmp_path))
    found = tried(bundled(), known)
    rows = bundled().probabilities([text for text, _ in LINES])
    columns = [bundled().labels.index(name) for name in ("joy", "fear", "neutral")]
    got = [("joy", "fear", "neutral")[place] for place in rows[:, columns].argmax(axis=1)]
    right = np.mean([one == label for one, (_, label) in zip(got, LINES, strict=True)])
    assert found == Trial(6, 3, pytest.approx(right), pytest.approx((9 + 1 + 4) / 36))
    without_fear = Words({"joy": "love", "neutral": "meeting", "awe": "wow"})
    assert tried(without_fear, known) == Trial(
        5, 2, pytest.approx(4 / 5), pytest.approx((9 + 4) / 25)
    )
    assert tried(Words({"joy": "love", "awe": "wow"}), known) is None


# -- results by several --------------------------------------------------------------------


def test_each_row_says_what_each_judge_makes_of_it() -> None:
    both = joint_findings(ANSWERS, verdicts(), n_draw=N_DRAW)
    alone = [results(ANSWERS, judge=judge, n_draw=N_DRAW) for judge in (OURS, THEIRS)]
    for row, *rows in zip(both["rows"], *(each["rows"] for each in alone), strict=True):
        of = row.pop("judges")
        assert row == rows[0]
        for name, own in zip(("ours", "theirs"), rows, strict=True):
            assert of[name] == {key: own[key] for key in ("eps", "eas", "specificity")}
    assert [judge["name"] for judge in both["judges"]] == ["ours", "theirs"]
    assert both["judges"][0]["trial"] == {
        "n_text": 60, "n_label": 3, "right": 0.75, "chance": 0.4
    }  # fmt: skip
    assert both["judges"][1]["confusion"] == alone[1]["confusion"]
    assert {key: both[key] for key in alone[0] if key != "rows"} == {
        key: value for key, value in alone[0].items() if key != "rows"
    }
    assert json.loads(json.dumps(both, allow_nan=False)) == both


def test_one_judge_alone_changes_no_row() -> None:
    one = joint_findings(ANSWERS, verdicts()[:1], n_draw=N_DRAW)
    assert one["rows"] == results(ANSWERS, judge=OURS, n_draw=N_DRAW)["rows"]
    assert one["disagreements"] == []


def test_where_two_disagree() -> None:
    found = disagreement(ANSWERS, *verdicts())
    assert found["judges"] == ["ours", "theirs"]
    assert found["share"] == pytest.approx(1 / 6)
    assert found["emotions"] == [
        {"emotion": None, "n_answer": 2, "share": 0.0},
        {"emotion": "joy", "n_answer": 2, "share": 0.0},
        {"emotion": "fear", "n_answer": 2, "share": 0.5},
    ]
    assert found["examples"] == [
        {
            "emotion": "fear",
            "condition": VECTOR,
            "intensity": 1.0,
            "text": "dark table",
            "labels": ["fear", "neutral"],
        }
    ]
    strange = Verdicts("strange", ("x", "y"), np.ones((len(ANSWERS), 2)), None)
    with pytest.raises(LlamoodError, match="ours and strange have no label in common"):
        disagreement(ANSWERS, verdicts()[0], strange)


def test_verdicts_are_those_of_the_answers_that_were_judged() -> None:
    with pytest.raises(LlamoodError, match="6 answers were judged, and 5 are asked for"):
        results(ANSWERS[:-1], judge=verdicts()[0], n_draw=N_DRAW)


# -- tables ---------------------------------------------------------------------------------


@pytest.fixture
def report() -> dict[str, Any]:
    return {
        "command": "llamood eval", "model": "m.gguf", "axes": "controlled", "judge": "ours",
        "embedder": None, "settings": None, "vectors": None,
        **joint_findings(ANSWERS, verdicts(), n_draw=N_DRAW),
    }  # fmt: skip


def test_both_are_in_every_table(report: dict[str, Any]) -> None:
    table = to_markdown(report, caption="Asked.")
    (head,) = (line for line in table.split("\n") if line.startswith("| emotion | condition"))
    assert "| EPS (ours) | EPS (theirs) | EAS (ours) | EAS (theirs) |" in head
    (row,) = (line for line in table.split("\n") if line.startswith("| fear | vector | 1 |"))
    cells = row.split(" | ")
    of = next(r for r in report["rows"] if r["emotion"] == "fear" and r["condition"] == VECTOR)
    for cell, name in zip(cells[3:5], ("ours", "theirs"), strict=True):
        assert cell.startswith(f"{of['judges'][name]['eps']['estimate']:.2f} [")
    assert "## Where ours and theirs disagree" in table
    assert "On 17 % of all answers" in table
    assert "ours takes it for fear, theirs for neutral: `dark table`" in table
    assert "ours (right on 75 % of 60 labelled lines with 3 labels; by chance 40 %)" in table
    paper = to_paper_table(report, caption="Asked.")
    assert "## EPS: probability of the emotion asked for, by ours" in paper
    assert "## EPS: probability of the emotion asked for, by theirs" in paper
    text = page(report, ANSWERS)
    for title in ("EPS (ours)", "top-1 (theirs)", "Where ours and theirs disagree", "75 % of 60"):
        assert title in text
    assert text.count("Asked for and got in numbers, by") == 2
    assert judge_lines(report) == [
        "Judge: ours (right on 75 % of 60 labelled lines with 3 labels; by chance 40 %)",
        "Judge: theirs",
        "ours and theirs disagree on 17 % of the answers.",
    ]


# -- the command ----------------------------------------------------------------------------


@pytest.mark.slow
def test_the_command_takes_any_model_as_a_judge(random_chat: Path, tmp_path: Path) -> None:
    vectors = tmp_path / "joy"
    llamood.save(llamood.load(tiny_chat.VECTORS).select("joy"), vectors)
    result = run(
        "eval", tiny_chat.MODEL, "-e", vectors, "-o", tmp_path / "report", "--questions", "2",
        "--intensities", "1", "--max-tokens", "8", "--threads", "1", "--json",
        "--judge", "bundled", "--judge", f"gguf:{random_chat}", "--parallel", "8",
        "--known", known_lines(tmp_path),
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    name = f"gguf:{random_chat.name}"
    assert [judge["name"] for judge in report["judges"]] == ["bundled", name]
    assert [judge["trial"]["n_label"] for judge in report["judges"]] == [3, 2]
    assert all(row["judges"].keys() == {"bundled", name} for row in report["rows"])
    assert f"--judge bundled --judge gguf:{random_chat}" in report["command"]
    assert name in (tmp_path / "report" / "table.md").read_text(encoding="utf-8")


def test_a_judge_that_is_not_there_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    for judge, code, says in (
        ("gguf:none.gguf", 1, "a GGUF model was expected, found nothing there"),
        ("none", 2, "gguf:PATH or hf:PATH was expected"),
    ):
        result = run("eval", "demo", "-o", tmp_path / "report", "--judge", judge)
        assert result.exit_code == code
        assert says in result.stderr
    assert not (tmp_path / "report").exists()

"""The page of an evaluation: self-contained, true to its figures, and safe from its texts."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import llamood
import tiny_chat
from llamood.cli.curves import COLOURS
from llamood.cli.inline_svg import INK, inline_svg
from llamood.cli.labels import place_labels
from llamood.cli.picture import ACCENT, emotion_colours
from llamood.cli.prompts import chat_tokens
from llamood.cli.report_page import N_SAMPLE, headline, page, samples
from llamood.cli.report_pictures import pictures
from llamood.evaluation.answer_log import Answer
from llamood.evaluation.conditions import (
    GRADED,
    PROMPT,
    RANDOM,
    SHUFFLED,
    UNSTEERED,
    VECTOR,
    controlled,
)
from llamood.evaluation.evaluation import Evaluation
from llamood.evaluation.results import results
from llamood.judges.linear_judge import bundled
from llamood.vectors.principal_plane import in_two_dimensions

SVG = "{http://www.w3.org/2000/svg}"
EMOTIONS = ("anger", "fear", "joy", "sadness")
N_QUESTION = 3
# HTML has no end tag for these.
VOID = {"meta", "br", "hr", "img", "link", "input", "source", "base", "embed"}
HOSTILE = "<script>alert('x')</script>\"&amp;$\\frac{1}$\x00\ud800{{ 7 * 7 }}"
MOST_BYTES = 1_500_000

Report = dict[str, Any]


class Page(HTMLParser):
    """Of what the page is made; fails where an element is not closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self.rows and {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def answers() -> tuple[Answer, ...]:
    evs = llamood.load(tiny_chat.VECTORS).select(EMOTIONS)
    evaluation = Evaluation(
        tiny_chat.MODEL,
        emotions=evs,
        prompt=lambda llm, q: chat_tokens(llm, [{"role": "user", "content": q}]),
        questions=tiny_chat.questions()[:N_QUESTION],
        layers=(2, 4),
        conditions=controlled(evs, intensities=(0.5, 1.0)),
        max_tokens=12,
        n_threads=1,
        n_threads_batch=1,
    )
    with pytest.warns(UserWarning, match="lies outside"):  # of the points of affect
        evaluation.run()
    return evaluation.answers


@pytest.fixture(scope="module")
def whole(answers: tuple[Answer, ...]) -> Report:
    layout = in_two_dimensions(llamood.load(tiny_chat.VECTORS).select(EMOTIONS))
    return {
        "command": "llamood eval model.gguf -o report",
        "model": "model.gguf",
        "axes": "controlled",
        "judge": "bundled",
        "embedder": None,
        "settings": {"n_question": N_QUESTION, "layers": [2, 4], "temperature": 0.6, "seed": 0},
        **results(answers, judge=bundled(), n_draw=100),
        "vectors": {
            "names": list(layout.names),
            "places": layout.places.tolist(),
            "shares": list(layout.shares),
        },
    }


@pytest.fixture
def report(whole: Report) -> Report:
    """To be changed."""
    return copy.deepcopy(whole)


@pytest.fixture(scope="module")
def text(whole: Report, answers: tuple[Answer, ...]) -> str:
    return page(whole, answers)


def svgs(text: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(each) for each in re.findall(r"<svg.*?</svg>", text, re.DOTALL)]


def rows_of(report: Report, emotion: str | None, kind: str) -> list[dict[str, Any]]:
    return [row for row in report["rows"] if (row["emotion"], row["condition"]) == (emotion, kind)]


def panel(report: Report, picture: str, start: str) -> ElementTree.Element:
    (shown,) = (each for each in pictures(report) if each.name == picture)
    (found,) = (
        root
        for root in map(ElementTree.fromstring, shown.panels)
        if root.attrib["aria-label"].startswith(start)
    )
    return found


# -- the page -------------------------------------------------------------------------------


def test_it_is_well_formed_and_has_all_parts(text: str) -> None:
    found = Page(text)
    assert text.startswith("<!DOCTYPE html>")
    assert found.of("html") == [{"lang": "en"}]
    names = [attributes["id"] for attributes in found.of("figure")]
    assert names == ["dose-response", "fluency", "confusion", "affect", "vectors"]
    assert len(found.of("figcaption")) == len(names)
    assert all(th["scope"] in ("row", "col", "colgroup") for th in found.of("th"))
    assert len(found.of("caption")) == len(found.of("table"))
    assert len(svgs(text)) == len(EMOTIONS) + 1 + 5 + 1 + 1


def test_it_refers_to_nothing_else(text: str) -> None:
    found = Page(text)
    ids = [attributes["id"] for _, attributes in found.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for tag, attributes in found.elements:
        assert tag not in ("script", "link", "iframe", "object", "img", "base", "form")
        assert not [name for name in attributes if name.startswith("on") or name == "src"]
        for name in ("href", "xlink:href"):
            assert (attributes.get(name) or "#")[0] == "#"
        if attributes.get("href"):
            assert attributes["href"][1:] in ids  # type: ignore[index]
    assert "url(" not in text
    assert "@import" not in text
    assert "default-src 'none'" in text


@pytest.mark.slow
def test_the_same_input_gives_the_same_bytes(
    text: str, whole: Report, answers: tuple[Answer, ...], tmp_path: Path
) -> None:
    import matplotlib

    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "svg.fonttype": "path"}):
        assert page(whole, answers) == text
    (tmp_path / "report.json").write_text(json.dumps(whole), encoding="utf-8")
    lines = "".join(answer.to_line() for answer in answers)
    (tmp_path / "answers.jsonl").write_text(lines, encoding="utf-8")
    program = (
        "import json, sys; from pathlib import Path\n"
        "from llamood.evaluation.answer_log import Answer\n"
        "from llamood.cli.report_page import page\n"
        "read = lambda name: Path(name).read_text(encoding='utf-8')\n"
        "lines = read('answers.jsonl').split('\\n')[:-1]\n"
        "answers = [Answer(**json.loads(line)) for line in lines]\n"
        "text = page(json.loads(read('report.json')), answers)\n"
        "Path('report.html').write_text(text, encoding='utf-8')\n"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == text


def test_the_tables_hold_the_figures(text: str, whole: Report) -> None:
    shown = [row for row in Page(text).rows if row[0] in (UNSTEERED, VECTOR, PROMPT, GRADED)]
    expected = [
        row
        for emotion in (None, *EMOTIONS)
        for row in whole["rows"]
        if row["emotion"] == emotion and row["condition"] in (UNSTEERED, VECTOR, PROMPT, GRADED)
    ]
    assert len(shown) == len(expected)
    for cells, row in zip(shown, expected, strict=True):
        eps, eas, length = row["eps"], row["eas"], row["length"]
        assert cells[:2] == [
            row["condition"],
            f"{row['intensity']:g}" if row["intensity"] else "",
        ]
        assert cells[2] == f"{eps['estimate']:.2f} [{eps['low']:.2f}, {eps['high']:.2f}]"
        assert cells[3] == f"{eas['estimate']:.0f} [{eas['low']:.0f}, {eas['high']:.0f}]"
        assert cells[6] == f"{100 * row['collapse']:.0f}"
        assert cells[7].startswith(f"{length['estimate']:.2f} [")


def test_rho_affect_and_confusion_stand_there_in_numbers(text: str, whole: Report) -> None:
    rows = Page(text).rows
    rho = whole["asked_versus_got"]
    for emotion in EMOTIONS:
        (cells,) = (row for row in rows if row[0] == emotion and len(row) == 1 + 2 * len(rho))
        estimates = [
            None if each is None else f"{each['estimate']:.2f}"
            for kind in rho
            for each in rho[kind][emotion].values()
        ]
        assert [None if cell == "-" else cell.split()[0] for cell in cells[1:]] == estimates
    got = whole["affect"]["points"][0]["got"]["valence"]["estimate"]
    (corner,) = (row for row in rows if row[:2] == ["-0.5", "-0.5"])
    assert corner[2].split()[0] == f"{got:.2f}"
    shares = whole["confusion"][PROMPT]["shares"][0]
    shown = [f"{100 * share:.0f}" for share in shares]
    assert ["anger", str(N_QUESTION), *shown] in rows


def test_the_headline_is_over_all_emotions(whole: Report) -> None:
    top = max(rows_of(whole, None, VECTOR), key=lambda row: float(row["intensity"]))
    assert f"{top['eps']['estimate']:.2f} [" in headline(whole)
    assert f"(vector at {top['intensity']:g})" in headline(whole)


@pytest.mark.slow
def test_what_is_hostile_is_text(report: Report, answers: tuple[Answer, ...]) -> None:
    written = json.dumps(report)
    changed = json.loads(written.replace('"joy"', json.dumps(HOSTILE)))
    changed |= {"command": HOSTILE, "model": HOSTILE, "judge": HOSTILE}
    changed["settings"][HOSTILE] = HOSTILE
    mocking = [
        replace(
            answer,
            question=HOSTILE,
            text=HOSTILE,
            emotion=HOSTILE if answer.emotion == "joy" else answer.emotion,
        )
        for answer in answers
    ]
    text = page(changed, mocking)
    text.encode("utf-8")  # no half of a pair
    found = Page(text)
    assert found.of("script") == []
    assert "\x00" not in text
    as_shown = HOSTILE.replace("\x00", "\N{REPLACEMENT CHARACTER}").replace(
        "\ud800", "\N{REPLACEMENT CHARACTER}"
    )
    whole_text = "".join(found.texts)
    assert whole_text.count(as_shown) > len(mocking) // 2
    assert "<script>alert('x'" in whole_text  # a name cut short, in a picture
    assert len(svgs(text)) == len(EMOTIONS) + 1 + 5 + 1 + 1


def test_what_is_missing_is_left_out(report: Report, answers: tuple[Answer, ...]) -> None:
    for row in report["rows"]:
        row["perplexity"] = None
    report |= {"affect": None, "vectors": None, "settings": None, "model": None}
    report["rows"] = [row for row in report["rows"] if row["condition"] in (UNSTEERED, VECTOR)]
    report["confusion"] = {VECTOR: report["confusion"][VECTOR]}
    report["asked_versus_got"] = {}
    found = Page(page(report, answers))
    assert [each["id"] for each in found.of("figure")] == ["dose-response", "confusion"]
    heads = [row for row in found.rows if row[0] == "condition"]
    assert {"EPS", "length"} <= set(heads[0])
    assert not {"perplexity", "topic"} & set(heads[0])
    assert "Asked against got" not in "".join(found.texts)
    assert "random vector of the same length" not in "".join(found.texts)


def test_a_measure_that_only_some_have(report: Report, answers: tuple[Answer, ...]) -> None:
    for row in rows_of(report, "joy", VECTOR):
        row |= {"eps": None, "specificity": None, "length": None}
    rows_of(report, None, VECTOR)[0]["perplexity"] = None
    report["affect"]["correlation"]["arousal"] = None
    found = Page(page(report, answers))
    labels = [svg["aria-label"] or "" for svg in found.of("svg")]
    assert not [label for label in labels if label.startswith("joy.")]
    assert [label for label in labels if "arousal not known" in label]
    assert [row for row in found.rows if row[0] == VECTOR and row[2] == "-"]


def test_nothing_but_answers_of_one_kind(report: Report) -> None:
    for row in report["rows"]:
        row |= {"eps": None, "perplexity": None, "specificity": None}
    report |= {"affect": None, "vectors": None, "confusion": {}, "asked_versus_got": {}}
    found = Page(page(report, ()))
    assert found.of("svg") == []
    assert len(found.of("details")) == 0


def test_without_matplotlib_it_says_so(
    whole: Report, answers: tuple[Answer, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    text = page(whole, answers)
    assert svgs(text) == []
    assert "Pictures need matplotlib: pip install &#34;.[plot]&#34;" in text


@pytest.mark.slow
def test_long_answers_leave_it_small(whole: Report, answers: tuple[Answer, ...]) -> None:
    many = [
        replace(answer, number=answer.number + N_QUESTION * again, text="word & " * 2000)
        for again in range(20)
        for answer in answers
    ]
    assert len(page(whole, many).encode("utf-8")) < MOST_BYTES


def test_samples_are_of_first_and_last_questions_in_all_conditions(
    answers: tuple[Answer, ...],
) -> None:
    many = [
        replace(answer, number=answer.number + N_QUESTION * again, question=f"{again}?")
        for again in range(20)
        for answer in answers
    ]
    found = samples(many)
    assert len(found) == N_SAMPLE
    assert (found[0].question, found[-1].question) == ("0?", "19?")
    first = [answer for answer in answers if answer.number == 0]
    shown = [said.text for said_to in found[0].answers.values() for said in said_to]
    assert sorted(shown) == sorted(answer.text for answer in first)
    assert next(iter(found[0].answers.values()))[0].condition == UNSTEERED


# -- the pictures ---------------------------------------------------------------------------


def test_every_picture_says_what_it_shows(text: str) -> None:
    for root in svgs(text):
        assert root.attrib["role"] == "img"
        assert re.search(r"\d", root.attrib["aria-label"])
        words = {element.text for element in root.iter(f"{SVG}text")}
        assert len(words) > 5  # title, axes and ticks are text
        assert INK not in ElementTree.tostring(root, encoding="unicode")


@pytest.mark.slow
def test_alternatives_are_computed_from_the_data(report: Report) -> None:
    low, high = rows_of(report, "joy", VECTOR)
    low["intensity"], high["intensity"] = 1.5, 2.5
    high["eps"] = {"estimate": 0.77, "low": 0.66, "high": 0.88, "undefined": 0.0}
    label = panel(report, "dose-response", "joy.").attrib["aria-label"]
    plain = rows_of(report, "joy", UNSTEERED)[0]["eps"]["estimate"]
    assert f"vector from {plain:.2f} at 0 to 0.77 [0.66, 0.88] at 2.5" in label

    report["confusion"][VECTOR] |= {
        "asked": ["fear", "joy"],
        "got": ["joy", "fear"],
        "n_answer": [10, 30],
        "shares": [[0.4, 0.6], [0.9, 0.1]],
    }
    label = panel(report, "confusion", "vector:").attrib["aria-label"]
    assert "82 % of 40 answers" in label  # (6 + 27) / 40
    assert "joy for fear, 40 %" in label


def points_of(root: ElementTree.Element, colour: str) -> Iterator[tuple[float, float]]:
    """Of the line in this colour, in the coordinates of the picture."""
    lines = [
        path.attrib["d"]
        for path in root.iter(f"{SVG}path")
        if f"stroke: {colour};stroke-width: 2" in path.get("style", "")
    ]
    (line, *_) = sorted(lines, key=len, reverse=True)
    for x, y in re.findall(r"([\d.]+) ([\d.]+)", line):
        yield float(x), float(y)


@pytest.mark.slow
def test_lines_go_through_the_figures(whole: Report) -> None:
    for emotion in ("fear", "joy"):
        rows = [*rows_of(whole, emotion, UNSTEERED), *rows_of(whole, emotion, VECTOR)]
        drawn = np.array([*points_of(panel(whole, "dose-response", emotion), COLOURS[emotion])])
        asked = np.array([(row["intensity"], row["eps"]["estimate"]) for row in rows])
        assert len(drawn) == len(asked)
        for axis in (0, 1):
            slope, start = np.polyfit(asked[:, axis], drawn[:, axis], 1)
            np.testing.assert_allclose(drawn[:, axis], start + slope * asked[:, axis], atol=0.01)
            assert slope > 0 if axis == 0 else slope < 0  # up is less in a picture


@pytest.mark.slow
def test_fluency_is_drawn_on_a_logarithm(report: Report) -> None:
    low, high = rows_of(report, None, VECTOR)
    report["rows"].append(copy.deepcopy(high) | {"intensity": 2.0})
    for row, ratio in zip((low, high, report["rows"][-1]), (0.5, 2.0, 8.0), strict=True):
        row["perplexity"] = {"estimate": ratio, "low": 0.9 * ratio, "high": 1.2 * ratio}
    drawn = np.array([*points_of(panel(report, "fluency", "Probability"), ACCENT)])
    steps = np.diff(drawn[:, 0])
    assert steps[0] == pytest.approx(steps[1], abs=0.01)
    assert steps[0] > 0


@pytest.mark.slow
def test_an_emotion_has_one_colour_everywhere(report: Report) -> None:
    colours = emotion_colours(report)
    assert {name: colours[name] for name in EMOTIONS} == {name: COLOURS[name] for name in EMOTIONS}
    unknown = copy.deepcopy(rows_of(report, "joy", VECTOR))
    report["rows"] += [row | {"emotion": name} for name in ("awe", "pride") for row in unknown]
    others = emotion_colours(report)
    assert others["awe"] != others["pride"]
    assert not {others["awe"], others["pride"]} & set(COLOURS.values())
    (shown,) = (each for each in pictures(report) if each.name == "dose-response")
    assert others["awe"] in shown.panels[len(EMOTIONS)]


def test_names_cover_neither_each_other_nor_marks() -> None:
    places = [(0.5, 0.5), (0.52, 0.5), (0.5, 0.52), (0.98, 0.98), (0.02, 0.02)]
    names = ["sadness", "surprise", "disgust", "a corner", "another"]
    boxes: list[Any] = []

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.plot(*zip(*places, strict=True), "o", markersize=3)
        axes.set(xlim=(0, 1), ylim=(0, 1))
        place_labels(axes, places, names)
        figure.draw_without_rendering()
        boxes.extend(each.get_window_extent() for each in axes.texts)
        assert all(axes.bbox.contains(*corner) for box in boxes for corner in box.get_points())

    inline_svg(draw, name="names", figsize=(5, 5), label="Names")
    assert len(boxes) == len(names)
    for i, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[:i])


def test_all_conditions_with_doses_are_drawn_beside_each_other(report: Report) -> None:
    for row in [row for row in report["rows"] if row["condition"] == VECTOR]:
        report["rows"].append({**row, "condition": SHUFFLED})
    (panel, *_) = pictures(report)[0].panels
    assert all(kind in panel for kind in (VECTOR, GRADED, RANDOM, SHUFFLED))

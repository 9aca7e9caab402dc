"""What ``llamood eval`` leaves: every answer, what they show, as numbers, tables and a page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.table import Table

from llamood.atomic import write_files
from llamood.cli.consoles import printable, results
from llamood.cli.report_page import page
from llamood.cli.terminal import echo
from llamood.evaluation.answer_log import Answer
from llamood.evaluation.conditions import UNSTEERED
from llamood.evaluation.results_table import judged, judged_columns, to_markdown, to_paper_table
from llamood.evaluation.verdicts import judge_in_words
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.principal_plane import in_two_dimensions

ANSWERS, RESULTS, TABLE, PAPER_TABLE, PAGE = (
    "answers.jsonl",
    "results.json",
    "table.md",
    "paper.md",
    "report.html",
)


def write(folder: Path, report: dict[str, Any], answers: Sequence[Answer]) -> list[Path]:
    """All files or none. ``report``: JSON-able, results and how they came about."""
    caption = _caption(report)
    if report["axes"] == "paper":
        table = {folder / PAPER_TABLE: to_paper_table(report, caption=caption)}
    else:
        table = {folder / TABLE: to_markdown(report, caption=caption)}
    texts = {
        folder / PAGE: page(report, answers),
        **table,
        folder / RESULTS: to_json(report),
        folder / ANSWERS: "".join(answer.to_line() for answer in answers),
    }
    write_files({path: partial(_write_text, text) for path, text in texts.items()})
    return list(texts)


def to_json(report: dict[str, Any]) -> str:
    """The file of results."""
    return json.dumps(report, indent=2, allow_nan=False) + "\n"


def plane(emotions: EmotionVectors | None) -> dict[str, Any] | None:
    """JSON-able: the vectors in two dimensions; None where there are none."""
    if emotions is None:
        return None
    layout = in_two_dimensions(emotions)
    return {
        "names": list(layout.names),
        "places": layout.places.tolist(),
        "shares": list(layout.shares),
    }


def show(report: dict[str, Any], paths: Sequence[Path]) -> None:
    """On the terminal."""
    results().print(_table(report))
    for line in judge_lines(report):
        echo(line)
    echo(f"{', '.join(each.name for each in paths)} in {paths[0].parent}")


def judge_lines(report: dict[str, Any]) -> list[str]:
    """How good each judge is, and how often two of them disagree."""
    lines = [f"Judge: {printable(judge_in_words(judge))}" for judge in report["judges"]]
    for each in report["disagreements"]:
        one, other = map(printable, each["judges"])
        share = f"{100 * each['share']:.0f} %"
        lines.append(f"{one} and {other} disagree on {share} of the answers.")
    return lines


def _write_text(text: str, path: Path) -> None:
    path.write_text(text, encoding="utf-8")


def _caption(report: dict[str, Any]) -> str:
    """What was asked of which model, and how."""
    settings = report["settings"]
    if settings is None:
        return f"`{report['command']}`: answers that were made elsewhere."
    n, seed, layers = settings["n_question"], settings["seed"], settings["layers"]
    where = "all layers" if layers is None else f"layers {layers[0]} to {layers[1]}"
    return (
        f"`{report['command']}`: {n} plain questions to {report['model']}, vectors added in "
        f"{where}; seeds {seed} to {(seed + n - 1) % 2**32}, one for each question and the same in "
        f"every condition, so one answer each; temperature {settings['temperature']:g}, top_p "
        f"{settings['top_p']:g}, at most {settings['max_tokens']} tokens."
    )


def _table(report: dict[str, Any]) -> Table:
    """Over all emotions; each one is in the files."""
    table = Table(
        "condition",
        title=f"All emotions, {report['n_question']} questions",
        caption="EPS: probability of the emotion asked for; EAS: how emotional, 0 to 100; both by "
        "a judge. Perplexity, topic and length are ratios to "
        "unsteered.",
    )
    columns = judged_columns(report)
    by_judge = [printable(title) for title, *_ in columns]
    for title in ("intensity", *by_judge, "perplexity", "topic", "loops", "length"):
        table.add_column(title, justify="right")
    for row in report["rows"]:
        if row["emotion"] is None:
            table.add_row(
                row["condition"],
                "" if row["condition"] == UNSTEERED else f"{row['intensity']:g}",
                *(_estimate(judged(row, key, judge), _FORMS[key]) for _, key, _, judge in columns),
                *(_estimate(row[key], form) for key, form in _SHOWN),
            )
    return table


_FORMS = {"eps": "{:.2f}", "eas": "{:.0f}", "specificity": "{:.2f}"}
_SHOWN = (
    ("perplexity", "x {:.2f}"),
    ("topic", "x {:.2f}"),
    ("collapse", "{:.0%}"),
    ("length", "x {:.2f}"),
)


def _estimate(found: dict[str, float] | float | None, form: str) -> str:
    if found is None:
        return "-"
    return form.format(found["estimate"] if isinstance(found, dict) else found)

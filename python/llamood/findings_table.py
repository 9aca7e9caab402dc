"""Findings as tables in markdown: the whole, and the paper's own axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .conditions import GRADED, RANDOM, UNSTEERED, VECTOR
from .mood import BASE

COLUMNS = (
    "emotion", "condition", "intensity", "EPS", "EAS", "top-1", "perplexity", "topic", "loops",
    "length", "disclaimers", "refusals",
)  # fmt: skip

Figures = Mapping[str, Any]


def to_markdown(found: Figures, *, caption: str) -> str:
    """The rows of `findings` as a table, the last ones over all emotions, under its caption, and
    asked against got in a second one.

    ``caption``: what was asked of which model, and how; what the columns mean is added to it.
    """
    lines = ["# Whether steering works", "", f"{caption} {meaning(found)}", ""]
    lines += _table(COLUMNS, [_cells(row) for row in found["rows"]], n_text=3)
    if found["asked_versus_got"]:
        lines += ["", "## Asked against got", "", RHO_MEANING, ""]
        lines += _rho_table(found["asked_versus_got"])
    if found["affect"] is not None:
        lines += ["", "## Valence and arousal", "", _affect(found["affect"])]
    return "\n".join(lines) + "\n"


def to_paper_table(found: Figures, *, caption: str) -> str:
    """Of the answers on the paper's axes: each measure by intensity, a row for each emotion.

    As arXiv 2502.04075 shows them: the mean of all vectors from -1 to 4, each emotion from 0 to 4.
    """
    lines = [
        "# The paper's axes",
        "",
        f"{caption} {meaning(found)} Here an intensity is a multiple of the vector as stored, and "
        f"`{BASE}` the mean of all vectors.",
    ]
    of_vector = [row for row in found["rows"] if row["condition"] in (VECTOR, UNSTEERED)]
    names = dict.fromkeys(row["emotion"] for row in of_vector if row["emotion"] is not None)
    grid = sorted({row["intensity"] for row in of_vector})
    cells = {(row["emotion"], row["intensity"]): row for row in of_vector}
    for title, key, digits in _PAPER_MEASURES:
        rows = [
            [name, *(_of_paper(cells.get((name, at)), key, digits) for at in grid)]
            for name in names
            if any(cells.get((name, at), {}).get(key) is not None for at in grid)
        ]
        if rows:
            head = ("emotion", *(f"{at:g}" for at in grid))
            lines += ["", f"## {title}", "", *_table(head, rows, n_text=1)]
    return "\n".join(lines) + "\n"


RHO_MEANING = (
    "Spearman's rho of intensity asked and probability got, from the unsteered answers up: over "
    "single answers, and over the mean at each intensity."
)
_PAPER_MEASURES = (
    ("EPS: probability of the emotion asked for", "eps", 2),
    ("EAS: how emotional, 0 to 100", "eas", 0),
    ("Share of answers that loop, in %", "collapse", 0),
    ("Perplexity, as a ratio", "perplexity", 2),
    ("Length, as a ratio", "length", 2),
)


def meaning(found: Figures) -> str:
    """What the columns mean, for a person."""
    plain = found["unsteered"]
    perplexity = "none" if plain["perplexity"] is None else f"{plain['perplexity']:.3g}"
    words = "none" if plain["words"] is None else f"{plain['words']:.3g}"
    few = " With fewer than 20 questions they are somewhat too narrow."
    return (
        f"In brackets: 95 % bootstrap intervals over {found['n_question']} questions, "
        f"{found['n_draw']} draws.{few if found['n_question'] < 20 else ''} "
        "EPS: mean probability of the emotion asked for; EAS: 100 (1 - that of neutral); top-1: "
        "share of answers whose likeliest label is the one asked for; all by a program that knows "
        f"the labels {', '.join(found['labels'])}, not by people. Perplexity: of the answer, "
        "after the prompt that it was given, under the unsteered model. Topic: cosine of question "
        "and answer, as embeddings. Perplexity, topic and length (words) are ratios to the "
        f"unsteered answers, which have perplexity {perplexity} and {words} words. Intensity: in "
        "units of each emotion's top dose (its ceiling if it has one, else 1); of a graded prompt, "
        "in words and out of 100. Random vector: another direction for each emotion, as long in "
        "each layer."
    )


def _cells(row: Figures) -> list[str]:
    return [
        (row["emotion"] or "all").replace("|", "\\|"),
        row["condition"],
        f"{row['intensity']:g}",
        _cell(row["eps"]),
        _cell(row["eas"], digits=0),
        _cell(row["specificity"]),
        _cell(row["perplexity"]),
        _cell(row["topic"]),
        f"{100 * row['collapse']:.0f} %",
        _cell(row["length"]),
        f"{100 * row['disclaimer']:.0f} %",
        f"{100 * row['refusal']:.0f} %",
    ]


def _rho_table(found: Figures) -> list[str]:
    kinds = [kind for kind in (VECTOR, GRADED, RANDOM) if kind in found]
    names = dict.fromkeys(name for kind in kinds for name in found[kind])
    head = ["emotion", *(f"{kind}, {over}" for kind in kinds for over in ("answers", "means"))]
    rows = []
    for name in names:
        of_name = [found[kind].get(name, {}) for kind in kinds]
        cells = [_cell(each.get(over)) for each in of_name for over in ("answers", "means")]
        rows.append([name.replace("|", "\\|"), *cells])
    return _table(head, rows, n_text=1)


def _affect(found: Figures) -> str:
    told = ", ".join(f"{axis} {_cell(of)}" for axis, of in found["correlation"].items())
    return (
        f"Correlation of what was asked at {len(found['points'])} points and the mean of what was "
        f"got: {told}. Got: the judge's probabilities, times the coordinates of its labels in "
        "Russell and Mehrabian (1977)."
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, n_text: int) -> list[str]:
    """``n_text``: how many columns are text; the others are numbers."""
    return [
        f"| {' | '.join(head)} |",
        f"|{'---|' * n_text}{'---:|' * (len(head) - n_text)}",
        *(f"| {' | '.join(cells)} |" for cells in rows),
    ]


def _of_paper(row: Figures | None, key: str, digits: int) -> str:
    if row is None:
        return ""
    found = row[key]
    return f"{100 * found:.0f}" if isinstance(found, float) else _cell(found, digits=digits)


def _cell(found: Mapping[str, float] | None, *, digits: int = 2) -> str:
    if found is None:
        return "-"
    estimate, low, high = (f"{found[key]:.{digits}f}" for key in ("estimate", "low", "high"))
    return f"{estimate} [{low}, {high}]"

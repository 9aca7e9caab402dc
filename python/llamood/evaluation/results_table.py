"""Results as tables in markdown: the whole, and the paper's own axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llamood.evaluation.conditions import GRADED, RANDOM, UNSTEERED, VECTOR
from llamood.evaluation.verdicts import judge_in_words
from llamood.vectors.emotion_vectors import BASE

HEAD = ("emotion", "condition", "intensity")
# By a judge: its title, the key of a row, and digits.
JUDGED = (("EPS", "eps", 2), ("EAS", "eas", 0), ("top-1", "specificity", 2))
TAIL = ("perplexity", "topic", "loops", "length", "disclaimers", "refusals")

Figures = Mapping[str, Any]
_LONGEST_QUOTE = 200  # characters


def to_markdown(found: Figures, *, caption: str) -> str:
    """The rows of `results` as a table, the last ones over all emotions, under its caption, and
    asked against got in a second one.

    ``caption``: what was asked of which model, and how; what the columns mean is added to it.
    """
    lines = ["# Whether steering works", "", f"{caption} {meaning(found)}", ""]
    columns = judged_columns(found)
    head = (*HEAD, *(title for title, *_ in columns), *TAIL)
    lines += _table(head, [_cells(row, columns) for row in found["rows"]], n_text=3)
    for by, view in views(found).items():
        if view["asked_versus_got"]:
            lines += ["", f"## Asked against got{by}", "", RHO_MEANING, ""]
            lines += _rho_table(view["asked_versus_got"])
        if view["affect"] is not None:
            lines += ["", f"## Valence and arousal{by}", "", _affect(view["affect"])]
    lines += [line for each in found.get("disagreements", ()) for line in _disagreement(each)]
    return "\n".join(lines) + "\n"


def views(found: Figures) -> dict[str, Figures]:
    """What depends on who judges, by each judge: words that are put after a title -> results. Of
    one judge the words are empty."""
    others = found.get("judges", ())[1:]
    if not others:
        return {"": found}
    first = found["judges"][0]["name"]
    return {f", by {first}": found, **{f", by {each['name']}": each for each in others}}


def judged_columns(found: Figures) -> list[tuple[str, str, int, str | None]]:
    """Title, key, digits, and the judge, None where there is one only; see `judged`."""
    names = [judge["name"] for judge in found.get("judges", ())]
    if len(names) < 2:
        return [(*column, None) for column in JUDGED]
    return [(f"{title} ({name})", key, n, name) for title, key, n in JUDGED for name in names]


def judged(row: Figures, key: str, judge: str | None) -> Any:
    """What the row says by this judge."""
    return row[key] if judge is None else row["judges"][judge][key]


def judges_in_words(found: Figures) -> str:
    """Who judged, and how good each is at lines whose label is known."""
    return "; ".join(map(judge_in_words, found.get("judges", ())))


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
    for title, key, digits, judge in _paper_measures(found):
        figures = {place: judged(row, key, judge) for place, row in cells.items()}
        rows = [
            [name, *(_of_paper(figures, (name, at), digits) for at in grid)]
            for name in names
            if any(figures.get((name, at)) is not None for at in grid)
        ]
        if rows:
            head = ("emotion", *(f"{at:g}" for at in grid))
            lines += ["", f"## {title}", "", *_table(head, rows, n_text=1)]
    lines += [line for each in found.get("disagreements", ()) for line in _disagreement(each)]
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


def _paper_measures(found: Figures) -> list[tuple[str, str, int, str | None]]:
    """Title, key, digits and judge, as `judged_columns` has them."""
    judges = [(name, key, judge) for name, key, _, judge in judged_columns(found)]
    made = []
    for title, key, digits in _PAPER_MEASURES:
        by = [(f", by {judge}" if judge else "", judge) for _, of, judge in judges if of == key]
        made += [(f"{title}{said}", key, digits, judge) for said, judge in by or [("", None)]]
    return made


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
        "share of answers whose likeliest label is the one asked for; all by "
        f"{_programs(found)}, not by people. Perplexity: of the answer, "
        "after the prompt that it was given, under the unsteered model. Topic: cosine of question "
        "and answer, as embeddings. Perplexity, topic and length (words) are ratios to the "
        f"unsteered answers, which have perplexity {perplexity} and {words} words. Intensity: in "
        "units of each emotion's top dose (its ceiling if it has one, else 1); of a graded prompt, "
        "in words and out of 100. Random vector: another direction for each emotion, as long in "
        "each layer."
    )


def _programs(found: Figures) -> str:
    judges = found.get("judges", ())
    if len(judges) < 2:
        who = f" ({judges_in_words(found)})" if judges else ""
        return f"a program that knows the labels {', '.join(found['labels'])}{who}"
    known = [
        f"{judge_in_words(each)} with the labels {', '.join(each['labels'])}" for each in judges
    ]
    return f"programs: {'; '.join(known)}"


def _disagreement(found: Figures) -> list[str]:
    """Of two judges, under a title."""
    one, other = found["judges"]
    rows = [
        [asked_in_words(each["emotion"]), str(each["n_answer"]), f"{100 * each['share']:.0f} %"]
        for each in found["emotions"]
    ]
    said = [
        f"- {asked_in_words(each['emotion'])}, {each['condition']} at {each['intensity']:g}: "
        f"{one} takes it for {each['labels'][0]}, {other} for {each['labels'][1]}: "
        f"{_quoted(each['text'])}"
        for each in found["examples"]
    ]
    return [
        "",
        f"## Where {one} and {other} disagree",
        "",
        f"On {100 * found['share']:.0f} % of all answers their likeliest labels differ.",
        "",
        *_table(("asked for", "answers", "differ"), rows, n_text=1),
        "",
        *said,
    ]


def asked_in_words(emotion: str | None) -> str:
    return "nothing" if emotion is None else emotion.replace("|", "\\|")


def _quoted(text: str) -> str:
    """In one line of markdown, and short."""
    line = " ".join(text.split())
    short = line if len(line) <= _LONGEST_QUOTE else f"{line[: _LONGEST_QUOTE - 1]}…"
    return f"`{short.replace('`', chr(39))}`"


def _cells(row: Figures, columns: Sequence[tuple[str, str, int, str | None]]) -> list[str]:
    return [
        (row["emotion"] or "all").replace("|", "\\|"),
        row["condition"],
        f"{row['intensity']:g}",
        *(_cell(judged(row, key, judge), digits=digits) for _, key, digits, judge in columns),
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


def _of_paper(figures: Mapping[Any, Any], place: tuple[str, float], digits: int) -> str:
    if place not in figures:
        return ""
    found = figures[place]
    return f"{100 * found:.0f}" if isinstance(found, float) else _cell(found, digits=digits)


def _cell(found: Mapping[str, float] | None, *, digits: int = 2) -> str:
    if found is None:
        return "-"
    estimate, low, high = (f"{found[key]:.{digits}f}" for key in ("estimate", "low", "high"))
    return f"{estimate} [{low}, {high}]"

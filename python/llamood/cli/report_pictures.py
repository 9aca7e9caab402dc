"""What an evaluation found, as pictures for its page: inline SVG, with what each shows in words.

All take the results as ``results.json`` holds them (`results.results`). What was not measured is
left out, and a picture of which nothing is left is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from llamood.cli.consoles import printable
from llamood.cli.inline_svg import INK, inline_svg
from llamood.cli.labels import place_labels
from llamood.cli.picture import (
    ACCENT,
    LARGE,
    Figures,
    Picture,
    arms,
    emotion_colours,
    in_words,
    short_name,
)
from llamood.cli.plane_pictures import affect, vectors
from llamood.evaluation.conditions import (
    BOTH,
    GRADED,
    PAPER,
    PROMPT,
    RANDOM,
    SHUFFLED,
    UNSTEERED,
    VECTOR,
)

Row = Mapping[str, Any]

SMALL = (3.5, 2.9)  # inches
DODGE = 0.012  # of the axis, so that intervals at one intensity stand beside each other
MOST_TICKS = 8
# Of an intensity, by the axes of the evaluation; not known of answers made elsewhere.
UNITS = {"controlled": " (in top doses)", "paper": " (in vectors)"}
MARKS = {
    UNSTEERED: ("X", ""),
    VECTOR: ("o", "-"),
    PROMPT: ("D", ""),
    BOTH: ("P", ""),
    GRADED: ("s", "--"),
    RANDOM: ("^", ":"),
    SHUFFLED: ("v", ":"),
    PAPER: ("*", ""),
}


def pictures(found: Figures) -> tuple[Picture, ...]:
    """All for which there are data. Needs matplotlib."""
    drawn = (dose_response(found), fluency(found), confusion(found), affect(found), vectors(found))
    return tuple(picture for picture in drawn if picture is not None)


# -- dose and response ----------------------------------------------------------------------


def dose_response(found: Figures) -> Picture | None:
    """A panel for each emotion: EPS over intensity."""
    panels = []
    for number, (emotion, colour) in enumerate(emotion_colours(found).items()):
        drawn = _lines(found, emotion, (VECTOR, GRADED, RANDOM, SHUFFLED), from_unsteered=True)
        if VECTOR not in drawn:
            continue
        panels.append(
            inline_svg(
                partial(
                    _draw_doses,
                    title=short_name(emotion),
                    unit=UNITS.get(found.get("axes", ""), ""),
                    lines=drawn,
                    colour=colour,
                ),
                name=f"dose-response {number}",
                figsize=SMALL,
                label=f"{printable(emotion)}. {_rise(drawn)}",
            )
        )
    if not panels:
        return None
    over_all = _lines(found, None, (VECTOR, GRADED, RANDOM), from_unsteered=True)
    said = " The intensity of a graded prompt is said in words; 1 is the most."
    graded = said if GRADED in over_all else ""
    return Picture(
        name="dose-response",
        title="Dose and response",
        result=f"All emotions. {_rise(over_all)}" if over_all else "",
        reading="The mean probability of the emotion asked for (EPS), over the intensity asked "
        f"for; bars are 95 % intervals. Lines begin at the unsteered answers.{graded}",
        panels=tuple(panels),
    )


def _draw_doses(
    figure: Any, *, title: str, unit: str, lines: Mapping[str, Sequence[Row]], colour: str
) -> None:
    axes = figure.subplots()
    doses = [row["intensity"] for rows in lines.values() for row in rows]
    span = max(doses) - min(doses) or 1.0
    for place, (kind, rows) in enumerate(lines.items()):
        mark, line = MARKS[kind]
        side = 1 if place % 2 else -1
        shift = side * ((place + 1) // 2) * DODGE * span
        axes.errorbar(
            [row["intensity"] + shift for row in rows],
            [row["eps"]["estimate"] for row in rows],
            yerr=arms([row["eps"] for row in rows]),
            color=colour if kind == VECTOR else INK,
            marker=mark,
            linestyle=line,
            linewidth=2 if kind == VECTOR else 1.2,
            elinewidth=1,
            markersize=5,
            alpha=1 if kind == VECTOR else 0.75,
            label=kind,
            zorder=3 if kind == VECTOR else 2,
        )
    axes.set(title=title, xlabel=f"intensity{unit}", ylabel="probability (0 to 1)")
    axes.set_xlim(min(doses) - 0.05 * span, max(doses) + 0.05 * span)
    ticks = sorted(set(doses))
    if len(ticks) <= MOST_TICKS:
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    _probability_axis(axes)
    figure.legend(
        loc="outside lower center",
        ncols=len(lines),
        columnspacing=1,
        handletextpad=0.5,
        fontsize=7.5,
    )


def _rise(lines: Mapping[str, Sequence[Row]]) -> str:
    """From the first answers of each line to the last."""
    told = []
    for kind, rows in lines.items():
        begin = f"from {rows[0]['eps']['estimate']:.2f} at {rows[0]['intensity']:g} to "
        end = f"{in_words(rows[-1]['eps'])} at {rows[-1]['intensity']:g}"
        told.append(f"{kind} {begin if len(rows) > 1 else ''}{end}")
    return f"Probability of the emotion asked for, by intensity: {'; '.join(told)}."


# -- fluency against effect -----------------------------------------------------------------


def fluency(found: Figures) -> Picture | None:
    """EPS over perplexity, over all emotions."""
    lines = _lines(found, None, tuple(MARKS), needs=("eps", "perplexity"))
    if VECTOR not in lines:
        return None
    told = [
        f"{_named(row)}, {in_words(row['eps'])} at {in_words(row['perplexity'])}"
        for rows in (lines[VECTOR], lines.get(PROMPT, []), lines.get(RANDOM, [])[-1:])
        for row in rows
    ]
    result = (
        "Probability of the emotion asked for, and perplexity as a ratio to unsteered: "
        f"{'; '.join(told)}."
    )
    return Picture(
        name="fluency",
        title="Fluency against effect",
        result=result,
        reading="Further up is more of the emotion asked for, further left more fluent; bars are "
        "95 % intervals, both ways. The numbers are intensities of the vector. Perplexity is that "
        "of the unsteered model after the same prompt: where the prompt asks for the emotion, an "
        "emotional answer is no surprise, so compare prompts with each other.",
        panels=(
            inline_svg(
                partial(_draw_fluency, lines=lines), name="fluency", figsize=LARGE, label=result
            ),
        ),
    )


def _draw_fluency(figure: Any, *, lines: Mapping[str, Sequence[Row]]) -> None:
    axes = figure.subplots()
    for kind, rows in lines.items():
        mark, line = MARKS[kind]
        axes.errorbar(
            [row["perplexity"]["estimate"] for row in rows],
            [row["eps"]["estimate"] for row in rows],
            xerr=arms([row["perplexity"] for row in rows]),
            yerr=arms([row["eps"] for row in rows]),
            color=ACCENT if kind == VECTOR else INK,
            marker=mark,
            linestyle=line,
            linewidth=2 if kind == VECTOR else 1,
            elinewidth=0.8,
            markersize=6,
            alpha=1 if kind == VECTOR else 0.75,
            label=kind,
            zorder=3 if kind == VECTOR else 2,
        )
    axes.set(
        title="Over all emotions",
        xlabel="perplexity (ratio to unsteered, logarithmic)",
        ylabel="probability of the emotion asked for (0 to 1)",
    )
    shown = [row["perplexity"] for rows in lines.values() for row in rows]
    _ratio_axis(axes, min(each["low"] for each in shown), max(each["high"] for each in shown))
    _probability_axis(axes)
    figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    place_labels(
        axes,
        [(row["perplexity"]["estimate"], row["eps"]["estimate"]) for row in lines[VECTOR]],
        [f"{row['intensity']:g}" for row in lines[VECTOR]],
        beside=[
            (row["perplexity"]["estimate"], row["eps"]["estimate"])
            for kind, rows in lines.items()
            for row in rows
            if kind != VECTOR
        ],
    )


# By how far the axis reaches; within a power of ten.
_STEPS = (
    (20.0, (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)),
    (200.0, (1.0, 2.0, 5.0)),
    (float("inf"), (1.0,)),
)


def _ratio_axis(axes: Any, low: float, high: float) -> None:
    """Logarithmic, with round numbers as ticks."""
    low, high = max(min(low, 1.0), 1e-6) / 1.15, max(high, 1.0) * 1.15
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    steps = next(steps for most, steps in _STEPS if high / low < most)
    ticks = [step * 10.0**power for power in range(-6, 13) for step in steps]
    shown = [tick for tick in ticks if low <= tick <= high]
    axes.set_xticks(shown, [f"{tick:g}" for tick in shown])
    axes.minorticks_off()


# -- confusion ------------------------------------------------------------------------------


def confusion(found: Figures) -> Picture | None:
    """A panel for each kind of condition: asked for, against the likeliest label."""
    tables = {kind: table for kind, table in found["confusion"].items() if table["asked"]}
    if not tables:
        return None
    hits = "; ".join(f"{kind} {100 * _hits(table):.0f} %" for kind, table in tables.items())
    size = (3.7, 1.5 + 0.28 * max(len(table["asked"]) for table in tables.values()))
    return Picture(
        name="confusion",
        title="Asked for and got",
        result=f"Answers whose likeliest label is the one asked for: {hits}.",
        reading="Of the answers to each emotion asked for (rows), how many percent have each label "
        "as their likeliest (columns); each kind of condition at its largest intensity. What was "
        "asked for is framed.",
        panels=tuple(
            inline_svg(
                partial(_draw_confusion, title=kind, table=table),
                name=f"confusion {kind}",
                figsize=size,
                label=f"{kind}: {100 * _hits(table):.0f} % of {sum(table['n_answer'])} answers "
                f"have the emotion asked for as their likeliest; {_worst(table)}.",
            )
            for kind, table in tables.items()
        ),
    )


def _draw_confusion(figure: Any, *, title: str, table: Figures) -> None:
    from matplotlib.patches import Rectangle

    axes = figure.subplots()
    for row, (asked, shares) in enumerate(zip(table["asked"], table["shares"], strict=True)):
        for column, (got, share) in enumerate(zip(table["got"], shares, strict=True)):
            corner = (column - 0.5, row - 0.5)
            if share > 0:
                axes.add_patch(
                    Rectangle(corner, 1, 1, facecolor=ACCENT, alpha=0.08 + 0.5 * share, linewidth=0)
                )
                axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", size=8)
            if asked == got:
                axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=INK, linewidth=1))
    axes.set(title=title, xlabel="likeliest label", ylabel="asked for")
    axes.set_xlim(-0.5, len(table["got"]) - 0.5)
    axes.set_ylim(len(table["asked"]) - 0.5, -0.5)
    names = [short_name(name) for name in table["got"]]
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(table["asked"])), [short_name(name) for name in table["asked"]])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _hits(table: Figures) -> float:
    """Share of all its answers that have the label asked for."""
    hits = [
        count * shares[table["got"].index(asked)]
        for asked, shares, count in zip(
            table["asked"], table["shares"], table["n_answer"], strict=True
        )
    ]
    return float(sum(hits) / sum(table["n_answer"]))


def _worst(table: Figures) -> str:
    misses = [
        (share, asked, got)
        for asked, shares in zip(table["asked"], table["shares"], strict=True)
        for got, share in zip(table["got"], shares, strict=True)
        if asked != got and share > 0
    ]
    if not misses:
        return "no other is"
    share, asked, got = max(misses, key=lambda miss: miss[0])
    return f"most often another: {printable(got)} for {printable(asked)}, {100 * share:.0f} %"


# -- what they share ------------------------------------------------------------------------


def _lines(
    found: Figures,
    emotion: str | None,
    kinds: Sequence[str],
    *,
    needs: Sequence[str] = ("eps",),
    from_unsteered: bool = False,
) -> dict[str, list[Row]]:
    """For each of the kinds that was asked, its rows by intensity, as far as they have what is
    needed; with the unsteered one among them, or without."""
    of_emotion = [
        row
        for row in found["rows"]
        if row["emotion"] == emotion and all(row[key] is not None for key in needs)
    ]
    lines = {kind: [row for row in of_emotion if row["condition"] == kind] for kind in kinds}
    plain = [row for row in of_emotion if row["condition"] == UNSTEERED] if from_unsteered else []
    return {
        kind: sorted([*plain, *rows], key=lambda row: float(row["intensity"]))
        for kind, rows in lines.items()
        if rows
    }


def _named(row: Row) -> str:
    at = f" at {row['intensity']:g}" if row["intensity"] else ""
    return f"{row['condition']}{at}"


def _probability_axis(axes: Any) -> None:
    axes.set_ylim(-0.04, 1.06)
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"])
    axes.grid(axis="y", color=INK, alpha=0.15, linewidth=0.8)

"""Two planes on the page of an evaluation: valence and arousal, and the vectors themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import combinations
from math import dist
from typing import Any

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
from llamood.vectors.principal_plane import NEUTRAL

STEPS = 40  # of a line, that names keep away from


def affect(found: Figures) -> Picture | None:
    """Arrows in the plane, from the valence and arousal asked for to those got."""
    of_affect = found.get("affect") or {}
    points = [each for each in of_affect.get("points", ()) if None not in each["got"].values()]
    if not points:
        return None
    told = {axis: in_words(of_affect["correlation"][axis]) for axis in ("valence", "arousal")}
    missed = sum(dist(_plane(each["asked"]), _got(each)) for each in points) / len(points)
    result = (
        f"Correlation of asked for and got over {len(points)} points: valence {told['valence']}, "
        f"arousal {told['arousal']}. Mean distance from asked for to got: {missed:.2f}."
    )
    return Picture(
        name="affect",
        title="Valence and arousal",
        result=result,
        reading="An arrow goes from what was asked for (ring) to the mean of what was got (dot); "
        "bars are 95 % intervals. 0 is neutral. Got: the judge's probabilities times the "
        "coordinates of its labels, so what lies between emotions can be reached only by mixing "
        "them.",
        panels=(
            inline_svg(
                partial(_draw_affect, points=points, told=told),
                name="affect",
                figsize=LARGE,
                label=result,
            ),
        ),
    )


def _draw_affect(figure: Any, *, points: Sequence[Figures], told: Mapping[str, str]) -> None:
    axes = figure.subplots()
    asked, got = [_plane(each["asked"]) for each in points], [_got(each) for each in points]
    for begin, end in zip(asked, got, strict=True):
        axes.annotate(
            "",
            xy=end,
            xytext=begin,
            arrowprops={
                "arrowstyle": "->",
                "color": INK,
                "alpha": 0.7,
                "shrinkA": 4,
                "shrinkB": 4,
                "mutation_scale": 12,
            },
        )
    axes.plot(*zip(*asked, strict=True), "o", markerfacecolor="none", color=INK, label="asked for")
    valence, arousal = ([each["got"][axis] for each in points] for axis in ("valence", "arousal"))
    axes.errorbar(
        *zip(*got, strict=True),
        xerr=arms(valence),
        yerr=arms(arousal),
        fmt="o",
        color=ACCENT,
        elinewidth=1,
        markersize=5,
        label="got",
    )
    ends = [abs(each[end]) for each in (*valence, *arousal) for end in ("low", "high", "estimate")]
    reach = 1.1 * max(*ends, *(abs(each) for point in asked for each in point), 0.5)
    axes.set(
        title="From asked for to got",
        xlabel=f"valence (-1 to 1), r = {told['valence']}",
        ylabel=f"arousal (-1 to 1), r = {told['arousal']}",
        xlim=(-reach, reach),
        ylim=(-reach, reach),
        aspect="equal",
    )
    _cross(axes)
    figure.legend(loc="outside lower center", ncols=2, fontsize=8)


def vectors(found: Figures) -> Picture | None:
    """Where the emotions' vectors lie in the two dimensions that tell most of them apart."""
    of_vectors = found.get("vectors") or {}
    names = [short_name(name) for name in of_vectors.get("names", ())]
    emotions = [place for place, name in enumerate(names) if name != NEUTRAL]
    if len(emotions) < 2:
        return None
    places = [(float(x), float(y)) for x, y in of_vectors["places"]]
    shares = [100 * share for share in of_vectors["shares"]]
    pairs = list(combinations(emotions, 2))
    near, far = (
        by(pairs, key=lambda pair: dist(places[pair[0]], places[pair[1]])) for by in (min, max)
    )
    result = (
        f"The two dimensions show {shares[0]:.0f} % and {shares[1]:.0f} % of how the "
        f"{len(emotions)} vectors differ. Nearest to each other: {names[near[0]]} and "
        f"{names[near[1]]}; furthest apart: {names[far[0]]} and {names[far[1]]}."
    )
    by_name = emotion_colours(found)
    colours = [INK if name == NEUTRAL else by_name[name] for name in of_vectors["names"]]
    return Picture(
        name="vectors",
        title="The vectors in two dimensions",
        result=result,
        reading="Each line is the vector of an emotion, drawn from where none is added; near each "
        "other are those that are alike, as far as two dimensions can show it. Principal "
        "components; every layer counts alike.",
        panels=(
            inline_svg(
                partial(_draw_vectors, names=names, places=places, shares=shares, colours=colours),
                name="vectors",
                figsize=LARGE,
                label=result,
            ),
        ),
    )


def _draw_vectors(
    figure: Any,
    *,
    names: Sequence[str],
    places: Sequence[tuple[float, float]],
    shares: Sequence[float],
    colours: Sequence[str],
) -> None:
    axes = figure.subplots()
    on_lines: list[tuple[float, float]] = []
    if NEUTRAL in names:
        x, y = places[names.index(NEUTRAL)]
        for end, colour in zip(places, colours, strict=True):
            axes.plot((x, end[0]), (y, end[1]), color=colour, linewidth=1.5, alpha=0.7)
            steps = [step / STEPS for step in range(STEPS)]
            on_lines += [(x + at * (end[0] - x), y + at * (end[1] - y)) for at in steps]
    axes.scatter(*zip(*places, strict=True), c=colours, s=50, zorder=3)
    axes.set(
        title="From neutral to each emotion",
        xlabel=f"first dimension (mean vector lengths), {shares[0]:.0f} % of the variance",
        ylabel=f"second dimension, {shares[1]:.0f} %",
    )
    axes.margins(0.15)
    axes.set_aspect("equal", adjustable="datalim")
    place_labels(axes, places, names, beside=on_lines)


def _cross(axes: Any) -> None:
    """Through the origin, behind all."""
    for line in (axes.axhline, axes.axvline):
        line(0, color=INK, alpha=0.25, linewidth=0.8, zorder=0)


def _plane(point: Mapping[str, float]) -> tuple[float, float]:
    return point["valence"], point["arousal"]


def _got(point: Figures) -> tuple[float, float]:
    return _plane({axis: each["estimate"] for axis, each in point["got"].items()})

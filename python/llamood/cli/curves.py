"""Moods over tokens as a picture."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from llamood.atomic import write_files
from llamood.cli.consoles import printable
from llamood.cli.plots import new_figure, save
from llamood.moods.mood import Rows

WIDTH = 12.0  # inches
LONGEST_LINE = 60  # tokens of an answer
COLOURS = {
    "anger": "#d62728",
    "disgust": "#2ca02c",
    "fear": "#9467bd",
    "joy": "#e6a700",
    "sadness": "#1f77b4",
    "surprise": "#17becf",
}
OTHERS = ("#8c564b", "#e377c2", "#7f7f7f", "#bcbd22")


def draw_mood(path: Path, *, emotions: Sequence[str], asked: Rows, applied: Rows) -> None:
    """Weights over tokens, each (n_token, n_emotion); what is asked is dashed where it is not
    what is applied. Raises as `new_figure` and `save`."""
    figure = new_figure(figsize=(WIDTH, 4.0))
    axes = figure.subplots()
    _lines(axes, emotions, asked, applied, begin=0)
    axes.set(xlabel="token (0 is the last of the prompt)", ylabel="weight")
    axes.set_xlim(0, max(len(applied) - 1, 1))
    if axes.get_legend_handles_labels()[1]:
        axes.legend(loc="upper right")
    write_files({path: partial(save, figure, path.suffix)})


def draw_trace(path: Path, trace: Mapping[str, Any]) -> None:
    """As `draw_mood`, for what was said: the tokens stand under the curve, line by line.

    ``trace``: as ``Trace.to_dict`` gives it.
    """
    asked, applied = _columns(trace, "asked"), _columns(trace, "applied")
    _draw_lines(path, trace, asked, applied, ylabel="weight")


def draw_readings(path: Path, reading: Mapping[str, Any]) -> None:
    """Smoothed readings over the tokens that were read; ``reading``: as ``llamood read --json``."""
    smoothed = _columns(reading, "reading")
    _draw_lines(path, reading, smoothed, smoothed, ylabel="reading")


def _columns(said: Mapping[str, Any], side: str) -> Rows:
    """(n_token, n_emotion)"""
    rows = [token[side] for token in said["tokens"]]
    return np.array(rows, np.float32).reshape(-1, len(said["emotions"]))


def _draw_lines(
    path: Path, said: Mapping[str, Any], asked: Rows, applied: Rows, *, ylabel: str
) -> None:
    emotions = said["emotions"]
    texts = [_label(token["text"]) for token in said["tokens"]]
    n_line = max(-(-len(texts) // LONGEST_LINE), 1)
    per_line = max(-(-len(texts) // n_line), 1)  # lines of equal length
    figure = new_figure(figsize=(WIDTH, 0.6 + 2.6 * n_line))
    lines = figure.subplots(n_line, 1, sharey=True, squeeze=False)[:, 0]
    for number, axes in enumerate(lines):
        begin = number * per_line
        here = slice(begin, begin + per_line)
        _lines(axes, emotions, asked[here], applied[here], begin=begin)
        axes.set_xlim(begin - 0.5, begin + per_line - 0.5)
        places = range(begin, begin + len(texts[here]))
        axes.set_xticks(places, texts[here], rotation=90, size=9, parse_math=False)
        axes.set_ylabel(ylabel)
    handles = {line.get_label(): line for axes in lines for line in axes.lines}
    named = [handles[printable(name)] for name in emotions if printable(name) in handles]
    if named:
        figure.legend(handles=named, loc="outside upper center", ncols=len(named))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # drawn as a box
        write_files({path: partial(save, figure, path.suffix)})


def _lines(axes: Any, emotions: Sequence[str], asked: Rows, applied: Rows, *, begin: int) -> None:
    """A line for each emotion of which anything is asked or applied."""
    tokens = np.arange(begin, begin + len(applied))
    others = iter(OTHERS * len(emotions))
    for column, name in enumerate(emotions):
        colour = COLOURS.get(name) or next(others)
        if not (asked[:, column].any() or applied[:, column].any()):
            continue
        axes.plot(tokens, applied[:, column], color=colour, label=printable(name), linewidth=2)
        if not np.array_equal(asked[:, column], applied[:, column]):
            axes.plot(tokens, asked[:, column], color=colour, linestyle="--", linewidth=1)
    axes.axhline(0, color="black", linewidth=0.5)
    axes.grid(axis="y", alpha=0.25)


def _label(text: str) -> str:
    """A token as it stands under the curve; blanks and line ends are seen."""
    shown = text.replace("\n", "⏎").replace("\t", "⇥")
    return printable(shown).replace(" ", "\N{OPEN BOX}") if shown.isspace() else printable(shown)

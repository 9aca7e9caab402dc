"""Where a command writes: results to stdout, progress and remarks to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

WIDTH_WITHOUT_TERMINAL = 120  # columns
WIDEST_PROFILE = 32  # characters
BARS = "▁▂▃▄▅▆▇█"


def results() -> Console:
    """For tables and coloured text on stdout; colours only on a terminal."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = WIDTH_WITHOUT_TERMINAL
    return console


def write_json(value: Any) -> None:
    """One JSON value on stdout."""
    click.echo(json.dumps(value, indent=2, allow_nan=False))


def standard_input() -> str:
    """All of it."""
    return sys.stdin.buffer.read().decode(errors="replace")


def remark(text: str) -> None:
    """A line to the person, on stderr."""
    click.echo(text, err=True)


def collapsed(told: Mapping[str, Any]) -> str:
    """What the guard told of an answer, for a terminal."""
    return printable(told["words"])


def printable(text: str) -> str:
    """The text with everything that could steer a terminal replaced; files may hold anything."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def profile(values: Sequence[float]) -> str:
    """The course of non-negative values as bars, at most 32, each the mean of its share."""
    n = min(len(values), WIDEST_PROFILE)
    means = [float(np.mean(part)) for part in np.array_split(np.asarray(values), n)]
    top = max(means)
    if top == 0:
        return BARS[0] * n
    return "".join(BARS[round(mean / top * (len(BARS) - 1))] for mean in means)


@contextmanager
def progress(what: str, *, keep: bool = False) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr with the time left; yields what to call with ``(done, total)``.

    ``keep``: leave the finished bar on the screen.
    """
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    bar = Progress(*columns, console=console, transient=not keep, disable=not console.is_terminal)
    with bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)

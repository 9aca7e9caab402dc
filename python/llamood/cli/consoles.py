"""Where a command writes: results to stdout, progress and remarks to stderr."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console, ConsoleOptions, ConsoleRenderable, RenderHook, RenderResult
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.segment import Segment
from rich.text import Text

from llamood.cli.terminal import cleaned, echo
from llamood.course import Course, in_words

WIDTH_WITHOUT_TERMINAL = 120  # columns
WIDEST_PROFILE = 32  # characters
LINE_EVERY = 15.0  # seconds, of progress without a terminal
BARS = "▁▂▃▄▅▆▇█"


def results() -> Console:
    """For tables and coloured text on stdout; colours only on a terminal."""
    console = Console(highlight=False, markup=False, emoji=False)
    console.push_render_hook(_Cleaning())
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = WIDTH_WITHOUT_TERMINAL
    return console


def write_json(value: Any) -> None:
    """One JSON value on stdout."""
    echo(json.dumps(value, indent=2, allow_nan=False))


def standard_input() -> str:
    """All of it."""
    return sys.stdin.buffer.read().decode(errors="replace")


def remark(text: str) -> None:
    """A line to the person, on stderr; where that takes no more, nobody is told."""
    with suppress(OSError):
        echo(text, err=True)


def tell_written(path: Path) -> None:
    """Name a file that was written, on stderr: stdout may be somebody's JSON."""
    remark(f"Wrote {printable(str(path))}")


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


Advance = Callable[[int, int], None]  # told what is done, and of how much


@contextmanager
def progress(what: str, *, keep: bool = False) -> Iterator[Advance]:
    """A bar on stderr with the time left, or lines now and then where that is no terminal; yields
    what to call with ``(done, total)``.

    ``keep``: leave the finished bar on the screen.
    """
    with progress_in_parts(what, {"": 1.0}, keep=keep) as part:
        yield part("")


@contextmanager
def progress_in_parts(
    what: str, parts: Mapping[str, float], *, keep: bool = False
) -> Iterator[Callable[[str], Advance]]:
    """As `progress`, for work in several parts that are shown as one; yields what gives, for the
    name of a part, what to call with ``(done, total)`` of it alone.

    ``parts``: name -> how much of the whole it is likely to be, seconds say. With
    ``progress_in_parts("Measuring m.gguf", {"asking": 744, "reading": 160}) as part``, one calls
    ``extraction.run(part("asking"))``.
    """
    course, what = Course(parts), cleaned(what)
    console = Console(stderr=True)
    shown = _Bar(what, course, console, keep=keep) if console.is_terminal else _Lines(what, course)

    def advance(part: str) -> Advance:
        def report(done: int, total: int) -> None:
            course.report(part, done, total)
            shown.update()

        return report

    with shown:
        yield advance


class _Cleaning(RenderHook):
    """Lets nothing be shown but what is `cleaned`; colours are the console's own."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        return [_Cleaned(each) for each in renderables]


class _Cleaned:
    def __init__(self, shown: ConsoleRenderable) -> None:
        self._shown = shown

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self._shown, options):
            is_control = segment.control is not None
            yield segment if is_control else Segment(cleaned(segment.text), segment.style)


class _Bar:
    """On a terminal."""

    def __init__(self, what: str, course: Course, console: Console, *, keep: bool) -> None:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TextColumn("{task.fields[count]}", markup=False),
            _TimeColumn(course),
        )
        self._what = what
        self._course = course
        self._bar = Progress(*columns, console=console, transient=not keep)
        self._task = self._bar.add_task(what, total=None, count="")

    def __enter__(self) -> None:
        self._bar.start()

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def update(self) -> None:
        course = self._course
        self._bar.update(
            self._task,
            description=_named(self._what, course),
            completed=course.share,
            total=1.0,
            count="/".join(map(str, course.count)),
        )


class _TimeColumn(ProgressColumn):
    """What is left, or, at the end, what it took."""

    def __init__(self, course: Course) -> None:
        super().__init__()
        self._course = course

    def render(self, task: Task) -> Text:
        left = self._course.seconds if task.finished else self._course.left
        return Text("" if left is None else in_words(left))


class _Lines:
    """In a file or a pipe: a line after every `LINE_EVERY` seconds in which something happened,
    and one at the end of what took as long."""

    def __init__(self, what: str, course: Course) -> None:
        self._what = what
        self._course = course
        self._told = 0.0  # seconds

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        if self._told and self._course.share >= 1:
            remark(f"{self._what}: done in {in_words(self._course.seconds)}")

    def update(self) -> None:
        course = self._course
        if course.seconds - self._told < LINE_EVERY or course.share >= 1:
            return
        self._told = course.seconds
        done, total = course.count
        share = "" if course.is_whole else f", {100 * course.share:.0f} % of the whole"
        left = "" if course.left is None else f", about {in_words(course.left)} left"
        remark(f"{_named(self._what, course)}: {done} of {total}{share}{left}")


def _named(what: str, course: Course) -> str:
    return what if course.is_whole else f"{what}, {course.part}"

"""How the demo looks: answers as they come, coloured by what was asked of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from llamood.cli.colours import colour_of
from llamood.cli.consoles import printable
from llamood.cli.demo_answers import MILD, STRONG, Answer, Asked

SURE = 0.5  # a judge's probability from which an answer stands out
INDENT = 2
HOW = {0.0: "in words", MILD: f"vector x {MILD:g}", STRONG: f"vector x {STRONG:g}"}


class Sheet:
    """The answers to one question: those of an emotion are shown once all of them are there, and
    emotions in the order in which they were asked for."""

    def __init__(self, console: Console, asked: Sequence[Asked]) -> None:
        self._console = console
        self._blocks = [list(block) for _, block in groupby(asked, key=lambda each: each.emotion)]
        self._given: dict[Asked, Answer] = {}

    def add(self, answer: Answer) -> None:
        """And show what is whole."""
        self._given[answer.asked] = answer
        while self._blocks and all(asked in self._given for asked in self._blocks[0]):
            self._console.print(block([self._given[asked] for asked in self._blocks.pop(0)]))


def heading(text: str, below: str = "") -> Text:
    """Of a scene or a question."""
    return Text.assemble((f"\n{printable(text)}", "bold"), (f"\n{below}" if below else "", "dim"))


def block(answers: Sequence[Answer]) -> Table:
    """The answers of one emotion, or the plain one, below each other; beside each how it was asked
    and what the judge makes of it."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(width=14, no_wrap=True)
    table.add_column(ratio=1)
    table.add_column(width=13, justify="right", no_wrap=True)
    for place, answer in enumerate(answers):
        emotion = answer.asked.emotion
        if emotion is not None and not place:
            table.add_row(Text(emotion, style=f"bold {colour_of(emotion)}"))
        label = emotion or answer.top
        sure = answer.probabilities[label]
        style = f"bold {colour_of(emotion)}" if sure >= SURE else colour_of(emotion)
        how = "plain" if emotion is None else f"  {HOW[answer.asked.intensity]}"
        table.add_row(
            Text(how, style="bold" if emotion is None else "dim"),
            Text(printable(answer.text), style=style),
            Text(f"{label} {percent(sure)}", style="dim"),
        )
    return table


def summary_table(summary: Sequence[Mapping[str, Any]]) -> Table:
    """What `demo_answers.summarised` found."""
    table = Table("emotion", title="\nMean probability of the emotion, by a judge of texts")
    for title in ("plain", *HOW.values(), "the likeliest"):
        table.add_column(title, justify="right")
    for row in summary:
        table.add_row(
            Text(row["emotion"], style=f"bold {colour_of(row['emotion'])}"),
            *(percent(row[key]) for key in ("plain", "words", "mild", "strong", "strong_is_top")),
        )
    return table


class Prose:
    """Text that is written word by word as it comes, within the width of the console; nowhere
    without one."""

    def __init__(self, console: Console | None) -> None:
        self._console = console
        self._room = 0 if console is None else console.width - 2 * INDENT
        self._column = 0
        self._word = Text()

    def write(self, text: str, *, style: str) -> None:
        """A piece of a text; line breaks count as spaces."""
        for character in text:
            if character.isspace():
                self._put()
            else:
                self._word.append(printable(character), style=style)

    def end(self) -> None:
        """Of the paragraph."""
        self._put()
        if self._console is not None and self._column:
            self._console.print()
        self._column = 0

    def _put(self) -> None:
        if self._console is None or not self._word:
            return
        if self._column and self._column + 1 + len(self._word) > self._room:
            self._console.print()
            self._column = 0
        space = " " * (INDENT if not self._column else 1)
        self._console.print(Text(space) + self._word, end="", soft_wrap=True)
        self._column += len(self._word) + (1 if self._column else 0)
        self._word = Text()


def farewell(lines: Iterable[tuple[str, str]]) -> Padding:
    """What to try next: commands, and what each does."""
    table = Table.grid(padding=(0, 3, 0, 0))
    for command, what in lines:
        table.add_row(Text(command, style="bold"), Text(what, style="dim"))
    return Padding(table, (0, 0, 0, INDENT))


def percent(share: float) -> str:
    return f"{100 * share:.0f} %"

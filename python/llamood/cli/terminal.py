"""Writing to a terminal, which obeys what it is told: files and models may say anything.

Whatever a command writes goes through `echo`, through the consoles of `consoles.py`, or through
`say`, where it is an answer that a program may want as it is. None of it reaches a terminal with
the characters by which one is steered.
"""

from __future__ import annotations

import sys
import unicodedata
from typing import Any

import click

_KEPT = "\n\t"
_DROPPED = "\r"  # of a line's end; by itself it goes back to the beginning of the line
_TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # the direction of writing
_CONTROLS = [chr(i) for i in range(0xA0) if unicodedata.category(chr(i)) == "Cc"]
_REPLACED = {
    ord(c): None if c in _DROPPED else "\N{REPLACEMENT CHARACTER}"
    for c in [*_CONTROLS, *_TURNS]
    if c not in _KEPT
}


def cleaned(text: str) -> str:
    """The text with every character replaced that could steer a terminal, but for new lines and
    tabs."""
    return text.translate(_REPLACED)


def echo(text: Any = "", *, nl: bool = True, err: bool = False) -> None:
    """``click.echo`` of what is `cleaned`."""
    click.echo(cleaned(str(text)), nl=nl, err=err)


def say(text: str) -> None:
    """A piece of an answer: `cleaned` on a terminal, and else as the model said it."""
    click.echo(cleaned(text) if sys.stdout.isatty() else text, nl=False)

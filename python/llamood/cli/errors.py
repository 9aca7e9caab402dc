"""Failures, as the command line tells them: exit code 1 and the reason, without a traceback.

Wrong use is click's: exit code 2 and how to use the command. Warnings about moods become notes.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import click

from llamood.errors import LlamoodError, MoodWarning


@contextmanager
def reported() -> Iterator[None]:
    """Turn the errors that llamood raises on purpose into click's, which exits with 1."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", MoodWarning)
        warnings.showwarning = _shown
        try:
            yield
        except LlamoodError as error:
            raise click.ClickException(str(error)) from error


def _shown(message: Warning | str, *_: object, **__: object) -> None:
    click.echo(f"Note: {message}", err=True)

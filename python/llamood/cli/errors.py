"""Failures, as the command line tells them: exit code 1 and the reason, without a traceback.

Wrong use is click's: exit code 2 and how to use the command. Warnings about moods become notes.
"""

from __future__ import annotations

import errno
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress

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
            raise click.ClickException(_cleaned(str(error))) from error
        except click.ClickException as error:  # wrong use, which may tell of what is in files
            vars(error)["message"] = _cleaned(error.message)
            raise


@contextmanager
def written() -> Iterator[None]:
    """Where stdout takes no more, as on a full disk: exit code 1 and one line that says so. Nobody
    is told where whoever read it has gone."""
    try:
        try:
            yield
        finally:
            if sys.stdout is not None and not sys.stdout.closed:
                sys.stdout.flush()
    except OSError as error:
        if error.filename is not None:  # not of a stream
            raise
        _write_nowhere()
        if error.errno != errno.EPIPE:
            with suppress(OSError):
                why = f"standard output cannot be written: {error.strerror}"
                click.echo(f"Error: {why}", err=True)
        raise SystemExit(1) from None


def _write_nowhere() -> None:
    """Let Python, which writes what is left when it ends, find nothing wrong."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _shown(message: Warning | str, *_: object, **__: object) -> None:
    click.echo(_cleaned(f"Note: {message}"), err=True)


def _cleaned(text: str) -> str:
    """For a terminal; nothing of the command line but this file is loaded before a command is."""
    from llamood.cli.terminal import cleaned

    return cleaned(text)

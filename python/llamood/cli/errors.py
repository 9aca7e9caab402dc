"""Failures, as the command line tells them: exit code 1 and the reason, without a traceback.

Wrong use is click's: exit code 2 and how to use the command.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click

from llamood.errors import LlamoodError


@contextmanager
def reported() -> Iterator[None]:
    """Turn the errors that llamood raises on purpose into click's, which exits with 1."""
    try:
        yield
    except LlamoodError as error:
        raise click.ClickException(str(error)) from error

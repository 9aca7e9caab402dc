"""Two judges of different kinds, as one alone misleads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from typing import Any

from llamood import judges
from llamood.judges.filters import Filter
from llamood.judges.judging import Judging
from llamood.judges.reading_judge import ReadingJudge

BUNDLED, READING = "bundled", "reading"


@contextmanager
def jury(
    model: str | PathLike[str], filter: Filter | None, **llama: Any
) -> Iterator[Mapping[str, Judging]]:
    """By name: the judge that knows words, and what ``filter`` reads, where that is trusted.

    ``llama``: arguments of ``llama_cpp.Llama``. Raises `ModelError` for a model that cannot be
    read.
    """
    bundled: dict[str, Judging] = {BUNDLED: judges.bundled()}
    if filter is None or not filter.is_trusted:
        yield bundled
        return
    with ReadingJudge(model, filter, **llama) as reading:
        yield {**bundled, READING: reading}

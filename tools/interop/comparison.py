"""How near two programs are: in logits of the same tokens, and in directions by layer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Logits = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Agreement:
    """Of the logits of all tokens of all prompts. ``most``: the largest difference between the two
    programs. ``moved``: the largest that steering makes, in the second. ``same``: of how many
    tokens, out of ``n_token``, both find the same next one the likeliest."""

    most: float
    moved: float
    same: int
    n_token: int

    @classmethod
    def of(
        cls, one: Sequence[Logits], other: Sequence[Logits], plain: Sequence[Logits]
    ) -> Agreement:
        """``plain``: the second's without any steering."""
        ours, theirs, unsteered = (np.concatenate(list(each)) for each in (one, other, plain))
        same = ours.argmax(axis=1) == theirs.argmax(axis=1)
        return cls(
            float(np.abs(ours - theirs).max()),
            float(np.abs(theirs - unsteered).max()),
            int(same.sum()),
            len(same),
        )


@dataclass(frozen=True)
class Cosines:
    """Between the directions of two programs: the least, the median over layers, and that of the
    last layer that both have."""

    least: float
    median: float
    last: float

    @classmethod
    def of(cls, one: dict[int, Logits], other: dict[int, Logits]) -> Cosines:
        """Of the layers that both have and neither has zeros in; ``least`` and ``median`` of those
        before the last."""
        shared = sorted(n for n in one.keys() & other.keys() if one[n].any() and other[n].any())
        cosines = [cosine(one[n], other[n]) for n in shared]
        return cls(min(cosines[:-1]), float(np.median(cosines[:-1])), cosines[-1])


def cosine(one: Logits, other: Logits) -> float:
    a, b = (each.astype(np.float64) for each in (one, other))
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def by_layer(rows: Logits) -> dict[int, Logits]:
    """Of (n_layer, n_embd)."""
    return dict(enumerate(rows))


def stored_rows(arrays: Path) -> dict[int, Logits]:
    """Those that a job left, by layer."""
    with np.load(arrays) as stored:
        return {int(layer): stored[layer] for layer in stored.files}


def stored_logits(arrays: Path, name: str) -> list[Logits]:
    """Those that a job left of a vector, one for each prompt."""
    with np.load(arrays) as stored:
        count = sum(key.startswith(f"{name}/") for key in stored.files)
        return [stored[f"{name}/{at}"] for at in range(count)]

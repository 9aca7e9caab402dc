"""What each peer is asked to do, all of it by its own functions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

Pairs = Sequence[tuple[str, str]]  # positive, negative
BATCH = 32  # texts side by side; what two of the three take unless told


class Peer(Protocol):
    """A program with its model, opened from a folder that `transformers` reads."""

    def __init__(self, folder: Path, *, precision: str) -> None: ...

    def trained(self, pairs: Pairs, method: str) -> Any:
        """A vector of the peer's own class."""

    def export(self, vector: Any, path: Path) -> None: ...

    def imported(self, path: Path) -> Any:
        """From a file of the peer's own."""

    def rows(self, vector: Any) -> dict[int, np.ndarray]:
        """By layer from 0, float32 (n_embd,)."""

    def of_rows(self, rows: dict[int, np.ndarray]) -> Any:
        """A vector of the peer's own class, where it reads no file of ours."""

    def logits(self, tokens: Sequence[int], vector: Any, coefficient: float) -> np.ndarray:
        """Float32 (n_token, n_vocab), by the peer's own hooks in layers 1 and later, at all tokens.
        Without a vector the model is as it was."""


def read_logits(model: Any, tokens: Sequence[int]) -> np.ndarray:
    with torch.no_grad():
        read: np.ndarray = model(torch.tensor([list(tokens)])).logits[0].float().numpy()
        return read

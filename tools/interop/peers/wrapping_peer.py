"""A peer that puts modules of its own around blocks, and whose vectors are directions by layer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from interop.peers.peer import read_logits


class WrappingPeer:
    """`Peer`, but for how its model is wrapped and how a vector is trained. ``vector``: the peer's
    class of vectors."""

    vector: Any
    _model: Any

    def export(self, vector: Any, path: Path) -> None:
        vector.export_gguf(path)

    def imported(self, path: Path) -> Any:
        return self.vector.import_gguf(path)

    def rows(self, vector: Any) -> dict[int, np.ndarray]:
        return dict(vector.directions)

    def of_rows(self, rows: dict[int, np.ndarray]) -> Any:
        return self.vector(model_type=self._model.config.model_type, directions=rows)

    def logits(self, tokens: Sequence[int], vector: Any, coefficient: float) -> np.ndarray:
        if vector is None:
            self._model.reset()
        else:
            self._model.set_control(vector, coefficient)
        return read_logits(self._model, tokens)

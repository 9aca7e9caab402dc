"""steering-vectors: forward hooks, at the end of a block or at its attention. It has no file of its
own; its objects are saved by ``torch.save``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from steering_vectors import SteeringVector, mean_aggregator, train_steering_vector
from transformers import AutoModelForCausalLM, AutoTokenizer

from interop.peers.peer import BATCH, Pairs, read_logits


class SteeringVectorsPeer:
    def __init__(self, folder: Path, *, precision: str) -> None:
        self._model = AutoModelForCausalLM.from_pretrained(folder, dtype=precision).eval()
        self._tokenizer = AutoTokenizer.from_pretrained(folder)

    def trained(self, pairs: Pairs, method: str) -> SteeringVector:
        """``method``: ``mean``, or ``mean at`` a place in the block."""
        place = method.partition(" at ")[2]
        return train_steering_vector(
            self._model,
            self._tokenizer,
            list(pairs),
            layer_type=place or "decoder_block",
            aggregator=mean_aggregator(),
            batch_size=BATCH,
        )

    def export(self, vector: SteeringVector, path: Path) -> None:
        torch.save(vector, path)

    def imported(self, path: Path) -> SteeringVector:
        return torch.load(path, weights_only=False)

    def rows(self, vector: SteeringVector) -> dict[int, np.ndarray]:
        return {n: row.float().numpy() for n, row in vector.layer_activations.items()}

    def of_rows(self, rows: dict[int, np.ndarray]) -> SteeringVector:
        return SteeringVector({n: torch.from_numpy(row) for n, row in rows.items()})

    def logits(self, tokens: Sequence[int], vector: Any, coefficient: float) -> np.ndarray:
        if vector is None:
            return read_logits(self._model, tokens)
        first = 1 if vector.layer_type == "decoder_block" else 0
        rows = {n: row for n, row in vector.layer_activations.items() if n >= first}
        with SteeringVector(rows, vector.layer_type).apply(self._model, multiplier=coefficient):
            return read_logits(self._model, tokens)

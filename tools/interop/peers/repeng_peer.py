"""repeng: blocks are wrapped, and its file is a control vector of llama.cpp's form."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from repeng import ControlModel, ControlVector, DatasetEntry
from transformers import AutoModelForCausalLM, AutoTokenizer

from interop.peers.peer import BATCH, Pairs, read_logits


class RepengPeer:
    def __init__(self, folder: Path, *, precision: str) -> None:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=precision).eval()
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = ControlModel(model, range(1, model.config.num_hidden_layers))

    def trained(self, pairs: Pairs, method: str) -> ControlVector:
        entries = [DatasetEntry(positive=one, negative=other) for one, other in pairs]
        return ControlVector.train(
            self._model, self._tokenizer, entries, method=method, batch_size=BATCH
        )

    def export(self, vector: ControlVector, path: Path) -> None:
        vector.export_gguf(path)

    def imported(self, path: Path) -> ControlVector:
        return ControlVector.import_gguf(path)

    def rows(self, vector: ControlVector) -> dict[int, np.ndarray]:
        return dict(vector.directions)

    def of_rows(self, rows: dict[int, np.ndarray]) -> ControlVector:
        return ControlVector(model_type=self._model.config.model_type, directions=rows)

    def logits(self, tokens: Sequence[int], vector: Any, coefficient: float) -> np.ndarray:
        if vector is None:
            self._model.reset()
        else:
            self._model.set_control(vector, coefficient)
        return read_logits(self._model, tokens)

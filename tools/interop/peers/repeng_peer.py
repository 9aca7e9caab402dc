"""repeng: blocks are wrapped, and its file is a control vector of llama.cpp's form."""

from __future__ import annotations

from pathlib import Path

from repeng import ControlModel, ControlVector, DatasetEntry
from transformers import AutoModelForCausalLM, AutoTokenizer

from interop.peers.peer import BATCH, Pairs
from interop.peers.wrapping_peer import WrappingPeer


class RepengPeer(WrappingPeer):
    vector = ControlVector

    def __init__(self, folder: Path, *, precision: str) -> None:
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=precision).eval()
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._model = ControlModel(model, range(1, model.config.num_hidden_layers))

    def trained(self, pairs: Pairs, method: str) -> ControlVector:
        entries = [DatasetEntry(positive=one, negative=other) for one, other in pairs]
        return ControlVector.train(
            self._model, self._tokenizer, entries, method=method, batch_size=BATCH
        )

"""dialz: takes a model by its folder alone, in float16, and writes a GGUF of its own architecture.

In float32 it is given the weights anew, as float16 would have rounded them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dialz import Dataset, SteeringModel, SteeringVector
from dialz.vector import SteeringModule
from transformers import AutoConfig, AutoModelForCausalLM

from interop.peers.peer import BATCH, Pairs
from interop.peers.wrapping_peer import WrappingPeer


class DialzPeer(WrappingPeer):
    vector = SteeringVector

    def __init__(self, folder: Path, *, precision: str) -> None:
        n_layer = AutoConfig.from_pretrained(folder).num_hidden_layers
        self._model = SteeringModel(str(folder), range(1, n_layer))
        if precision == "float32":
            whole = AutoModelForCausalLM.from_pretrained(folder, dtype=precision)
            bare = self._model.unwrap().float()
            bare.load_state_dict(whole.state_dict())
            self._wrap(bare)
        self._model.model.eval()

    def _wrap(self, bare: Any) -> None:
        for layer in self._model.layer_ids:
            bare.model.layers[layer] = SteeringModule(bare.model.layers[layer])

    def trained(self, pairs: Pairs, method: str) -> SteeringVector:
        entries = Dataset()
        for one, other in pairs:
            entries.add_entry(one, other)
        return SteeringVector.train(self._model, entries, method=method, batch_size=BATCH)

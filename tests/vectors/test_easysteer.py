"""EasySteer, a vLLM that steers, adds what llamood adds where it is given llamood's files.

By the rules of its loader (`read_gguf_directions` and the algorithm "direct" of EasySteer-vllm-v1,
read at 25db19d): of a GGUF file it takes each tensor ``direction.N`` as it is, times the scale of
the request, and adds it to what decoder layer N, counted from 0, hands on. It looks at no metadata.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import gguf
import numpy as np
import pytest

import llamood
from llamood.trial.behaviour import TOLERANCE, vectors
from llamood.trial.reckoned_model import N_EMBD, N_LAYER, ReckonedModel
from open_voices import logits


def taken(path: Path, *, scale: float) -> np.ndarray:
    """(n_layer, n_embd), by the rules above."""
    added = np.zeros((N_LAYER, N_EMBD), np.float32)
    for tensor in gguf.GGUFReader(path).tensors:
        if tensor.name.startswith("direction."):
            added[int(tensor.name.split(".")[1])] = scale * np.array(tensor.data)
    return added


@pytest.mark.parametrize("scale", [1.0, 0.4])
def test_it_adds_the_same_in_the_same_layers(tmp_path: Path, scale: float) -> None:
    model = ReckonedModel.of(seed=4)
    path = model.write(tmp_path / "model.gguf")
    evs = vectors(first=1, site="layer_out")
    llamood.save(evs, tmp_path / "evs")
    with closing(llamood.Llama(path, emotions=tmp_path / "evs", guard=False, n_ctx=64)) as llm:
        for name, file in zip(evs.names, sorted((tmp_path / "evs").glob("*.gguf")), strict=True):
            llm.feel({name: scale})
            next(llm.generate([0], temp=0.0))
            reckoned = model.logits(0, added=taken(file, scale=scale))
            off = np.abs(logits(llm) - reckoned).max() / np.abs(reckoned).max()
            assert off < TOLERANCE, name

"""One piece of work in the peers' environment: ``python -m interop.peers.job JOB.json``.

The job says what to do, and where to leave the arrays (``.npz``); a result as JSON is the last line
printed. What is a path in it is a text.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from interop.meter import measured
from interop.peers.paper_hook import steered_logits
from interop.peers.token_means import token_means
from interop.peers.tokenizer import tokenizer_of

PEERS = {
    "repeng": ("repeng_peer", "RepengPeer"),
    "steering-vectors": ("steering_vectors_peer", "SteeringVectorsPeer"),
    "dialz": ("dialz_peer", "DialzPeer"),
}


def weights(*, gguf: str, folder: str, texts: list[str], tokens: list[list[int]]) -> dict[str, Any]:
    """Lets `transformers` read the GGUF file and save it as a folder of its own. Tells of how many
    texts its own reading of the tokenizer, and ours, give other tokens than llama.cpp."""
    source = Path(gguf)
    begun = time.perf_counter()
    model = AutoModelForCausalLM.from_pretrained(
        source.parent, gguf_file=source.name, dtype="float32"
    )
    seconds = time.perf_counter() - begun
    own = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    ours = tokenizer_of(source)
    model.save_pretrained(folder)
    ours.save_pretrained(folder)
    again = AutoTokenizer.from_pretrained(folder)
    return {
        "seconds": seconds,
        "versions": {
            name: version(name) for name in ("torch", "transformers", "gguf", "numpy", *PEERS)
        },
        "others": [
            sum(each(text).input_ids != ids for text, ids in zip(texts, tokens, strict=True))
            for each in (own, again)
        ],
    }


def extract(
    *, peer: str, method: str, folder: str, precision: str, pairs: Any, file: str, arrays: str
) -> dict[str, Any]:
    """Trains a vector and exports it; ``arrays``: its directions as the peer holds them."""
    program = _peer(peer, folder, precision)
    pairs = [tuple(pair) for pair in pairs]
    vector, cost = measured(lambda: program.trained(pairs, method))
    program.export(vector, Path(file))
    _save(arrays, program.rows(vector))
    return {"cost": cost.told()}


def steer(
    *, peer: str, folder: str, precision: str, prompts: list[list[int]], vectors: Any, arrays: str
) -> dict[str, Any]:
    """Logits of all prompts under all vectors: each a file or, where that is none or is refused,
    rows; and a coefficient."""
    program = _peer(peer, folder, precision)
    found: dict[str, np.ndarray] = {}
    refused: dict[str, str] = {}
    for name, (file, rows, coefficient) in {"plain": (None, None, 0.0), **vectors}.items():
        vector = None
        if file is not None:
            try:
                vector = program.imported(Path(file))
            except Exception as error:  # whatever it says is told
                refused[name] = f"{type(error).__name__}: {error}"
        if vector is None and rows is not None:
            vector = program.of_rows(_rows(rows))
        for at, tokens in enumerate(prompts):
            found[f"{name}/{at}"] = program.logits(tokens, vector, coefficient)
    np.savez(arrays, **found)
    return {"refused": refused}


def attend(
    *, folder: str, prompts: list[list[int]], rows: str, coefficient: float, arrays: str
) -> dict[str, Any]:
    """Logits under the paper's hook at the attention output of all layers, and without."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype="float32").eval()
    added = np.stack([row for _, row in sorted(_rows(rows).items())])
    found = {
        f"{name}/{at}": steered_logits(model, tokens, np.float32(times) * added)
        for at, tokens in enumerate(prompts)
        for name, times in (("plain", 0.0), ("steered", coefficient))
    }
    np.savez(arrays, **found)
    return {}


def means(*, folder: str, pairs: Any, padding: int, arrays: str) -> dict[str, Any]:
    """The mean differences of the rule of llama.cpp's cvector-generator, by layer."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype="float32").eval()
    _save(arrays, dict(enumerate(token_means(model, pairs, padding=padding))))
    return {}


DEEDS: dict[str, Callable[..., dict[str, Any]]] = {
    "weights": weights,
    "extract": extract,
    "steer": steer,
    "attend": attend,
    "means": means,
}


def _peer(name: str, folder: str, precision: str) -> Any:
    module, kind = PEERS[name]
    return getattr(import_module(f"interop.peers.{module}"), kind)(
        Path(folder), precision=precision
    )


def _save(arrays: str, rows: dict[int, np.ndarray]) -> None:
    np.savez(arrays, **{str(layer): row for layer, row in rows.items()})


def _rows(arrays: str) -> dict[int, np.ndarray]:
    with np.load(arrays) as stored:
        return {int(layer): stored[layer] for layer in stored.files}


def main(path: str) -> None:
    told = json.loads(Path(path).read_text(encoding="utf-8"))
    torch.set_num_threads(told.pop("threads"))
    begun = time.perf_counter()
    result = DEEDS[told.pop("deed")](**told)
    print(json.dumps({**result, "all": time.perf_counter() - begun}))


if __name__ == "__main__":
    main(sys.argv[1])

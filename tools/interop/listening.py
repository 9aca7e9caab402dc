"""llamood's own hidden states of the same texts, in a process of its own:
``python -m interop.listening JOB.json``; the last line is the result.

Read at the last token of each text, as the peers do, in every layer.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np

from interop.meter import measured
from llamood.extraction.directions import directions
from llamood.extraction.listener import Listener
from llamood.extraction.states import LAYER_OUT, PARALLEL, States
from llamood.extraction.texts import NEUTRAL

EMOTION = "joy"
ATTN_OUT = 1


def states(listener: Listener, texts: list[tuple[str, str]]) -> list[States]:
    """Of all texts, each with its label: at the end of each layer, and at ``attn_out``."""
    jobs = [listener.tokens(text, first=True) for _, text in texts]
    heard = []
    for begin in range(0, len(jobs), PARALLEL):
        group = jobs[begin : begin + PARALLEL]
        heard += listener.texts([(tokens, len(tokens) - 1) for tokens in group])
    labels = tuple(label for label, _ in texts)
    return [
        States(labels, np.array([each.mean[site] for each in heard], dtype=np.float32))
        for site in (LAYER_OUT, ATTN_OUT)
    ]


def main(path: str) -> None:
    told = json.loads(Path(path).read_text(encoding="utf-8"))
    texts = [(EMOTION, one) for one, _ in told["pairs"]]
    texts += [(NEUTRAL, other) for _, other in told["pairs"]]
    begun = time.perf_counter()
    n_token = told["n_token"]
    with Listener(
        told["model"],
        parallel=PARALLEL,
        n_prompt=0,
        n_answer=n_token,
        n_threads=told["threads"],
        n_threads_batch=told["threads"],
    ) as listener:
        opened = time.perf_counter() - begun
        found, cost = measured(lambda: states(listener, texts))
    layer_out, attn_out = found
    np.savez(
        told["arrays"],
        layer_out=directions(layer_out, "mean difference", names=(EMOTION,))[0],
        attn_out=directions(attn_out, "mean difference", names=(EMOTION,))[0],
    )
    print(json.dumps({"cost": cost.told(), "opened": opened}))


if __name__ == "__main__":
    main(sys.argv[1])

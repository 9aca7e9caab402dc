"""The kernel that mixes vectors, against what memory can do at all, and against numpy."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from paired import Block, Measure, interleave, ratios

from llamood import _core
from models import EMOTIONS

N_LAYER, N_EMBD = 80, 8192  # of a model of 70 thousand million parameters
N_ROUND = 40
SHAPE = f"{len(EMOTIONS)} x {N_LAYER} x {N_EMBD}"


def measure() -> list[Measure]:
    """Bytes a second are counted as what must be read and written once; reading a cache line
    so as to write it is counted for nobody."""
    rng = np.random.default_rng(1)
    data = rng.standard_normal((len(EMOTIONS), N_LAYER, N_EMBD), dtype=np.float32)
    weights = rng.standard_normal(len(EMOTIONS)).astype(np.float32)
    bank = _core.Bank(data)
    ours = np.empty((N_LAYER, N_EMBD), dtype=np.float32)
    other = np.empty_like(ours)
    source = np.concatenate([data, data])[: (len(EMOTIONS) + 1) // 2]
    target = np.empty_like(source)
    read = data.nbytes + ours.nbytes
    copied = 2 * source.nbytes

    seconds = interleave(
        {
            "kernel": timed(lambda: bank.blend(weights, 0, N_LAYER - 1, ours)),
            "copy": timed(lambda: np.copyto(target, source)),
            "numpy": timed(lambda: np.tensordot(weights, data, axes=1)),
            "numpy in place": timed(lambda: mixed(weights, data, other)),
        },
        n_round=N_ROUND,
    )
    if not np.allclose(ours, np.tensordot(weights, data, axes=1), atol=1e-4):
        raise RuntimeError("the kernel and numpy do not agree")
    scaled = tuple(s * read / copied for s in seconds["copy"])
    return [
        Measure(
            name="blend kernel, share of a plain copy's bytes per second",
            model=SHAPE,
            values=ratios(scaled, seconds["kernel"]),
            bound=0.6,
            at_least=True,
        ),
        Measure(
            name="blend in numpy (tensordot) / kernel",
            model=SHAPE,
            values=ratios(seconds["numpy"], seconds["kernel"]),
        ),
        Measure(
            name="blend in numpy (added in place) / kernel",
            model=SHAPE,
            values=ratios(seconds["numpy in place"], seconds["kernel"]),
        ),
    ]


def timed(action: Callable[[], object]) -> Block:
    """Once a round."""

    def run(_round: int) -> float:
        begin = time.perf_counter()
        action()
        return time.perf_counter() - begin

    return run


def mixed(weights: np.ndarray, data: np.ndarray, out: np.ndarray) -> None:
    """The sum in numpy, one vector after the other, with no array made for it but one."""
    np.multiply(data[0], weights[0], out=out)
    for weight, vector in zip(weights[1:], data[1:], strict=True):
        out += weight * vector

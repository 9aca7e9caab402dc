"""The benches of `make bench` on a device, with few rounds: ratios of paired runs. What they must
be is known of processors only, so these are shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from unittest import mock

import many_voices
import rows
import steering
import turns
from paired import Measure
from weights import shared

from devices import Place
from models import MODELS, BenchModel

N_VOICE = (1, 8)
N_TOKEN = 8  # of a block, at most
ROOM = 4  # times the file: weights, and what the contexts of all voices need


def measured(
    place: Place, *, n_round: int, models: tuple[BenchModel, ...] = MODELS
) -> Iterator[Measure]:
    """Of each shape that fits the device."""
    assert place.device is not None
    free, _total = place.device.memory()
    small = [
        replace(model, n_round=n_round, n_token=min(model.n_token, N_TOKEN))
        for model in models
        if _size(model.path()) * ROOM < free
    ]
    for bench in (steering, rows, many_voices, turns):
        with ExitStack() as stack:
            for name, value in (("MODELS", small), ("N_VOICE", N_VOICE), ("N_ROUND", n_round)):
                if hasattr(bench, name):
                    stack.enter_context(mock.patch.object(bench, name, value))
            stack.enter_context(shared(place.put))
            yield from _unbound(bench)


def _unbound(bench: ModuleType) -> Iterator[Measure]:
    for measure in bench.measure():
        yield replace(measure, bound=None)


def _size(path: Path) -> int:
    return path.stat().st_size

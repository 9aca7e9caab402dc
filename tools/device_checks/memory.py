"""Whether memory stays as it is while a mood changes at every token."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import numpy as np
import psutil

from batches import Context, Row
from devices import Place
from llamood import _core

from .check import Check
from .subject import Subject

MIB = 2**20
WARM = 0.1  # of the changes, before which memory is not looked at
N_POSITION = 128  # after so many tokens all is forgotten
# Allocators take memory in large pieces; a blend that were kept at each change would be far more.
DEVICE_MAY_GROW, PROCESS_MAY_GROW = 1.0, 4.0  # MiB

Change = Callable[[list[float], Row], None]


def steady(subject: Subject, place: Place, *, n_change: int) -> Iterator[Check]:
    """Each change is followed by a token. The device's memory is that of its server process, or
    what ggml says of the device, which others may use too."""
    bank = _core.Bank(subject.emotions.data)
    layers = (1, bank.n_layer - 1)
    with Context(subject.path, place=place, n_sequence=1) as ctx:
        injector = _core.Injector(ctx.watch, ctx.address)

        def write(weights: list[float], row: Row) -> None:
            injector.apply(bank, weights, *layers)

        yield from _changed(subject, place, ctx, write, "a control vector", n_change)
    with Context(subject.path, place=place, n_sequence=1) as ctx:

        def expect(weights: list[float], row: Row) -> None:
            ctx.expect(bank, [weights], [row], layers=layers)

        yield from _changed(subject, place, ctx, expect, "rows", n_change)


def _changed(
    subject: Subject, place: Place, ctx: Context, change: Change, path: str, n_change: int
) -> Iterator[Check]:
    assert place.device is not None
    own = psutil.Process(os.getpid())
    rng = np.random.default_rng(1)
    before = (0, 0)
    for number in range(n_change):
        position = number % N_POSITION
        if position == 0:
            ctx.forget()
        if number == int(WARM * n_change):
            before = (place.device.used(), own.memory_info().rss)
        row = Row(subject.tokens[number % len(subject.tokens)], position)
        change(rng.standard_normal(subject.emotions.n_emotion).tolist(), row)
        ctx.decode([row])
    after = (place.device.used(), own.memory_info().rss)
    bounds = (DEVICE_MAY_GROW, PROCESS_MAY_GROW)
    for i, whose in enumerate(("the device's memory", "the process's memory")):
        yield Check(
            what=f"{n_change} moods, {path}: {whose} grew by",
            place=place.name,
            model=subject.name,
            figure=(after[i] - before[i]) / MIB,
            bound=bounds[i],
            unit="MiB",
        )

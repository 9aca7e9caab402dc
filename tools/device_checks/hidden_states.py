"""Hidden states on a device are read, and kept within caps: what is only read, and what is within
its caps, stays as it is to the bit; the rest is within rounding as on the processor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from batches import Context, Float32, prompt
from devices import PROCESSOR, Place
from llamood import _core

from .check import Check
from .paths import AS_ON_THE_PROCESSOR, DIFFER, apart, differing
from .subject import Subject

FAR = 1e9


@dataclass(frozen=True, eq=False)
class Looked:
    """Of a prompt: ``logits`` (n_token, n_vocab), and ``read`` (n_token, n_layer), the projections
    on the direction of each layer. ``n_kept``: how many hidden states were moved."""

    logits: Float32
    read: Float32
    n_kept: int


def read_and_kept(subject: Subject, place: Place) -> Iterator[Check]:
    """In the layers before the last one, which has only the rows that ask for logits."""
    layers = subject.steered_layers[:-1]
    free = _looked(subject, PROCESSOR, layers)
    half = np.median(free.read[1:], axis=0)  # of the hidden states lie beyond
    ways: dict[str, dict[str, Any]] = {
        "free": {},
        "steered": {"is_steered": True},
        "far": {"caps": _caps(subject, layers, np.full(len(layers), FAR))},
        "kept": {"caps": _caps(subject, layers, half)},
    }
    here, there = (
        {name: _looked(subject, where, layers, **how) for name, how in ways.items()}
        for where in (PROCESSOR, place)
    )
    if not (here["kept"].n_kept and there["kept"].n_kept) or there["far"].n_kept:
        raise RuntimeError(f"{subject.name}, {place.name}: caps keep nothing, or too much")
    yield from _left_alone(subject, place, layers, there)
    for what, way, looks_at, unit in (
        ("readings of a mood", "steered", "read", "of what the mood changes"),
        ("readings within tight caps", "kept", "read", "of what the caps change"),
        ("logits within tight caps", "kept", "logits", "of what the caps change"),
    ):
        ours, theirs = getattr(there[way], looks_at), getattr(here[way], looks_at)
        without = getattr(there["free"], looks_at), getattr(here["free"], looks_at)
        effect = apart(theirs, without[1])
        own = apart(*without) / effect
        yield Check(
            what=f"{what}, device / processor (without {own:.2g})",
            place=place.name,
            model=subject.name,
            figure=apart(ours, theirs) / effect,
            bound=max(AS_ON_THE_PROCESSOR, 2 * own),
            unit=unit,
        )


def _left_alone(
    subject: Subject, place: Place, layers: list[int], there: Mapping[str, Looked]
) -> Iterator[Check]:
    with Context(subject.path, place=place, n_sequence=1, cut=layers) as ctx:
        plain = ctx.decode(prompt(subject.tokens, outputs="all"))
    for what, way in (("hidden states read", "free"), ("read, within caps far away", "far")):
        yield Check(
            what=f"{what} / cut at the same nodes, without llamood",
            place=place.name,
            model=subject.name,
            figure=differing(there[way].logits, plain),
            bound=0,
            unit=DIFFER,
        )


def _looked(
    subject: Subject,
    place: Place,
    layers: list[int],
    *,
    caps: _core.Caps | None = None,
    is_steered: bool = False,
) -> Looked:
    """``is_steered``: row by row in the subject's mood."""
    bank = _core.Bank(subject.emotions.data)
    rows = prompt(subject.tokens, outputs="all")
    with Context(subject.path, place=place, n_sequence=1) as ctx:
        along = np.ascontiguousarray(_along(subject, layers)[:, None])
        probe = _core.Probe(ctx.watch, ctx.address, layers=layers, directions=along)
        if caps is not None:
            ctx.limiter.apply(caps)
        if is_steered:
            ctx.injector.apply(bank, subject.weights, 1, bank.n_layer - 1)
        logits = ctx.decode(rows)
        ctx.limiter.check()
        read = probe.read(0, len(rows))[:, :, 0]
        probe.close()
        return Looked(logits, read, ctx.limiter.n_kept)


def _along(subject: Subject, layers: list[int]) -> Float32:
    """(n_layer, n_embd): the last emotion's vector in each, of unit length."""
    vectors = subject.emotions.data[-1][layers]
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def _caps(subject: Subject, layers: list[int], high: Float32) -> _core.Caps:
    along = _along(subject, layers).tolist()
    return _core.Caps([(layer, -FAR, float(high[i]), along[i]) for i, layer in enumerate(layers)])

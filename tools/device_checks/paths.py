"""Both ways of adding a mood on a device: to the bit as each other and as llama.cpp's own, and
within rounding as on the processor."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from batches import Float32
from devices import PROCESSOR, Place
from llamood import _core

from . import said
from .check import Check
from .said import STRENGTHS
from .subject import Subject

# Of what the mood changes. A device may round the factors of a product of many rows (to TF32).
ROUNDED_ROWS = 2e-3
AS_ON_THE_PROCESSOR = 0.02
AT_THE_CROSSING = 1  # layer whose last sum, having no weights, may be computed on either side
DIFFER = "logits differ"
EFFECT = "of what the mood changes"


def equal_to_the_bit(subject: Subject, place: Place) -> Iterator[Check]:
    """What is said on one device in one way, against the same in another."""
    check = partial(Check, place=place.name, model=subject.name)
    unsteered = said.unsteered(subject, place)
    zeros = said.written_in_place(subject, place, zeros=True)
    yield check(
        what="zeros written in place / no mood",
        figure=_differing(zeros.all(), unsteered.all()),
        bound=0,
        unit=DIFFER,
    )
    fresh = said.set_publicly(subject, place)
    written = said.written_in_place(subject, place)
    yield check(
        what="a mood written in place / set in a fresh context by llama.cpp's setter",
        figure=_differing(written.all(), fresh.all()),
        bound=0,
        unit=DIFFER,
    )
    rows, on_device = said.by_rows(subject, place)
    yield check(
        what="a mood row by row / as control vector, a token at a time",
        figure=_differing(rows.single, fresh.single),
        bound=0,
        unit=DIFFER,
    )
    yield check(
        what="a mood row by row / as control vector, a prompt at once",
        figure=_apart(rows.prompt, fresh.prompt) / _apart(fresh.prompt, unsteered.prompt),
        bound=ROUNDED_ROWS,
        unit=EFFECT,
    )
    expected = _lie_on_device(subject, place)
    yield check(
        what=f"rows of {on_device} layers added to on the device, where {expected} lie; off by",
        figure=abs(on_device - expected),
        bound=0 if place.n_layer >= subject.n_layer else AT_THE_CROSSING,
        unit="layers",
    )


def voices_apart(subject: Subject, place: Place) -> Iterator[Check]:
    """Voices with moods of their own in one batch, against each in a context of its own. There, all
    of the batch are like that one: kernels round differently for other numbers of rows."""
    for site in ("layer_out", "attn_out"):
        node = _node(site)
        mixed = said.together(subject, place, STRENGTHS, node=node)
        differing = 0
        for voice, strength in enumerate(STRENGTHS):
            alone = said.together(subject, place, [strength] * len(STRENGTHS), node=node)
            differing += _differing(mixed[:, voice], alone[:, voice])
        yield Check(
            what=f"{len(STRENGTHS)} voices in one batch / each in its own context, at {site}",
            place=place.name,
            model=subject.name,
            figure=differing,
            bound=0,
            unit=DIFFER,
        )


def as_on_the_processor(subject: Subject, place: Place) -> Iterator[Check]:
    """The largest difference of logits between the device and the processor, as a share of the
    largest that the mood makes. A mood may not double what the device itself differs by."""
    here, there = said.unsteered(subject, PROCESSOR).all(), said.unsteered(subject, place).all()
    ways = {
        "a control vector": said.written_in_place,
        "rows at layer_out": lambda s, p: said.by_rows(s, p)[0],
        "rows at attn_out": lambda s, p: said.by_rows(s, p, node=_node("attn_out"), first=0)[0],
    }
    for name, way in ways.items():
        steered_here, steered_there = way(subject, PROCESSOR).all(), way(subject, place).all()
        effect = _apart(steered_here, here)
        own = _apart(there, here) / effect
        yield Check(
            what=f"{name}, device / processor (without a mood {own:.2g})",
            place=place.name,
            model=subject.name,
            figure=_apart(steered_there, steered_here) / effect,
            bound=max(AS_ON_THE_PROCESSOR, 2 * own),
            unit=EFFECT,
        )


def _node(site: str) -> str:
    node = _core.node_of(site, "llama")  # the same in all graphs that are looked at
    assert node is not None
    return node


def _lie_on_device(subject: Subject, place: Place) -> int:
    """How many of the layers that are added to lie where the host cannot write."""
    if place.device is None or place.device.is_host:
        return 0
    first = max(subject.n_layer - place.n_layer, 1)
    return int(subject.emotions.data[-1][first:].any(axis=1).sum())


def _differing(ours: Float32, theirs: Float32) -> int:
    return int((ours.view(np.uint32) != theirs.view(np.uint32)).sum())


def _apart(ours: Float32, theirs: Float32) -> float:
    return float(np.abs(ours - theirs).max())

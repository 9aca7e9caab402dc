"""Both ways of adding a mood on a device: to the bit as each other and as llama.cpp's own, and
within rounding as on the processor.

Rows are added to where the graph is cut, and a backend that computes several nodes at once (fuses
them) sums in another order where a cut lies between them. So rows are compared with a control
vector in a graph that is cut at the same nodes. What cuts alone change, without llamood, is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from batches import Float32
from devices import PROCESSOR, Place
from llamood import _core

from . import said
from .check import Check
from .said import MANY_STRENGTHS, STRENGTHS
from .subject import Subject

AS_ON_THE_PROCESSOR = 0.02  # of what the mood changes
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
        figure=differing(zeros.all(), unsteered.all()),
        bound=0,
        unit=DIFFER,
    )
    fresh = said.set_publicly(subject, place)
    written = said.written_in_place(subject, place)
    yield check(
        what="a mood written in place / set in a fresh context by llama.cpp's setter",
        figure=differing(written.all(), fresh.all()),
        bound=0,
        unit=DIFFER,
    )
    cut = said.set_publicly(subject, place, is_cut=True)
    rows, on_device = said.by_rows(subject, place)
    for when, ours, theirs in (
        ("a token at a time", rows.single, cut.single),
        ("a prompt at once", rows.prompt, cut.prompt),
    ):
        yield check(
            what=f"a mood row by row / as control vector, cut at the same nodes, {when}",
            figure=differing(ours, theirs),
            bound=0,
            unit=DIFFER,
        )
    yield check(
        what="a control vector, cut at these nodes / not cut, without llamood",
        figure=apart(cut.all(), fresh.all()) / apart(fresh.all(), unsteered.all()),
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
    ways = [
        ("layer_out", STRENGTHS, range(len(STRENGTHS))),
        ("attn_out", STRENGTHS, range(len(STRENGTHS))),
        ("layer_out", MANY_STRENGTHS, (0, len(MANY_STRENGTHS) - 1)),  # the others are like these
    ]
    for site, strengths, looked_at in ways:
        node = _node(site)
        mixed = said.together(subject, place, strengths, node=node)
        n_differing = 0
        for voice in looked_at:
            alone = said.together(subject, place, [strengths[voice]] * len(strengths), node=node)
            n_differing += differing(mixed[:, voice], alone[:, voice])
        yield Check(
            what=f"{len(strengths)} voices in one batch / each in its own context, at {site}",
            place=place.name,
            model=subject.name,
            figure=n_differing,
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
        effect = apart(steered_here, here)
        own = apart(there, here) / effect
        yield Check(
            what=f"{name}, device / processor (without a mood {own:.2g})",
            place=place.name,
            model=subject.name,
            figure=apart(steered_there, steered_here) / effect,
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
    first = subject.n_layer - place.n_layer
    return sum(layer >= first for layer in subject.steered_layers)


def differing(ours: Float32, theirs: Float32) -> int:
    return int((ours.view(np.uint32) != theirs.view(np.uint32)).sum())


def apart(ours: Float32, theirs: Float32) -> float:
    return float(np.abs(ours - theirs).max())

"""Rows of a batch are kept within caps of their own, and what is within them is left to the bit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from batches import Context, Float32, Row, prompt
from llamood import _core

TOKENS = [79, 110, 99, 101, 32, 117, 112]
LAYERS = (0, 1, 2)  # of four; the last cannot be kept
CLOSE = 1e-4  # of projections of about 1


def directions(n: int, n_embd: int, *, seed: int = 5) -> Float32:
    """(n, n_embd), of unit length, none of them square to another."""
    drawn = np.random.default_rng(seed).standard_normal((n, n_embd)) + 0.3
    return (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)


def caps(low: float, high: float, along: Float32, *, layers: Sequence[int] = LAYERS) -> _core.Caps:
    return _core.Caps([(layer, low, high, each) for layer in layers for each in along.tolist()])


class Read:
    """A context whose projections on directions are read in `LAYERS`, after they were kept."""

    def __init__(self, model: Path, along: Float32, **settings: Any) -> None:
        self.ctx = Context(model, n_sequence=settings.pop("n_sequence", 1), **settings)
        self.probe = _core.Probe(
            self.ctx.watch,
            self.ctx.address,
            layers=LAYERS,
            directions=np.tile(along, (len(LAYERS), 1, 1)),
            n_sequence=2 if settings.get("n_sequence", 1) > 1 else 1,
        )

    def __enter__(self) -> Read:
        return self

    def __exit__(self, *error: Any) -> None:
        self.probe.close()
        self.ctx.__exit__(None, None, None)

    def said(self, *batches: Sequence[Row]) -> tuple[Float32, Float32]:
        """Logits of all, and projections (n_position, n_layer, n_direction)."""
        self.ctx.forget()
        logits = np.concatenate([self.ctx.decode(rows) for rows in batches])
        self.ctx.limiter.check()
        return logits, self.probe.read(0, len(TOKENS))


WHOLE = prompt(TOKENS, outputs="all")


@pytest.fixture
def n_embd(random_chat: Path) -> int:
    return 64


def test_projections_end_at_the_bounds_and_the_first_position_is_left(
    random_chat: Path, n_embd: int
) -> None:
    along = directions(1, n_embd)
    with Read(random_chat, along) as read:
        free, before = read.said(WHOLE)
        middle = float(np.median(before[1:]))
        read.ctx.limiter.apply(caps(-math.inf, middle, along))
        capped, after = read.said(WHOLE)
        assert (before[1:] > middle + 0.01).any()
        assert after[1:].max() == pytest.approx(middle, abs=CLOSE)
        assert after[0] == pytest.approx(before[0], abs=0)
        assert not np.array_equal(free, capped)
        assert read.ctx.limiter.n_kept > 0
        read.ctx.limiter.apply(caps(middle, math.inf, along))
        _, raised = read.said(WHOLE)
        assert raised[1:].min() == pytest.approx(middle, abs=CLOSE)
        read.ctx.limiter.rest()
        assert np.array_equal(read.said(WHOLE)[0], free)


def test_what_is_within_its_bounds_is_left_to_the_bit(random_chat: Path, n_embd: int) -> None:
    along = directions(3, n_embd)
    with Read(random_chat, along) as read:
        free, before = read.said(WHOLE)
        low, high = before[1:].min() - CLOSE, before[1:].max() + CLOSE
        read.ctx.limiter.apply(caps(low, high, along))
        within, after = read.said(WHOLE)
        assert np.array_equal(within, free)
        assert np.array_equal(after, before)
        assert read.ctx.limiter.n_kept == 0


def test_directions_that_lean_on_each_other_are_all_kept(random_chat: Path, n_embd: int) -> None:
    along = directions(4, n_embd)
    with Read(random_chat, along) as read:
        _, before = read.said(WHOLE)
        low, high = np.quantile(before[1:], [0.3, 0.6])
        assert low < high
        read.ctx.limiter.apply(caps(low, high, along))
        _, after = read.said(WHOLE)
        assert after[1:].min() > low - CLOSE
        assert after[1:].max() < high + CLOSE


def test_a_batch_may_be_split_in_any_way(random_chat: Path, n_embd: int) -> None:
    along = directions(2, n_embd)
    with Read(random_chat, along) as read:
        _, before = read.said(WHOLE)
        read.ctx.limiter.apply(caps(-math.inf, float(np.median(before[1:])), along))
        whole, _ = read.said(WHOLE)
        one_by_one, _ = read.said(*[[row] for row in WHOLE])
        assert one_by_one == pytest.approx(whole, abs=2e-2)
    with Read(random_chat, along, n_batch=64, n_ubatch=3) as read:
        read.ctx.limiter.apply(caps(-math.inf, float(np.median(before[1:])), along))
        assert read.said(WHOLE)[0] == pytest.approx(whole, abs=2e-2)


def test_each_row_has_caps_of_its_own(random_chat: Path, n_embd: int) -> None:
    """A sequence beside one that is capped says what it says beside one that is not."""
    along = directions(1, n_embd)
    rows = [*prompt(TOKENS, sequence=0), *prompt(TOKENS, sequence=1)]
    with Context(random_chat, n_sequence=2) as ctx:
        free = ctx.decode(rows)
        ctx.forget()
        tight = caps(0.0, 0.0, along)
        ctx.limiter.expect([None, *[tight] * 6, *[None] * 7])
        beside = ctx.decode(rows)
        ctx.limiter.check()
        assert np.array_equal(beside[1], free[1])
        assert not np.array_equal(beside[0], free[0])
    with Context(random_chat, n_sequence=1) as ctx:
        ctx.limiter.apply(tight)
        alone = ctx.decode(prompt(TOKENS))
    assert alone[0] == pytest.approx(beside[0], abs=2e-2)


def test_what_an_injector_adds_is_kept_too(random_chat: Path, n_embd: int) -> None:
    along = directions(1, n_embd)
    added = np.tile(along[0] * 50, (1, 4, 1))
    with Read(random_chat, along) as read:
        read.ctx.injector.apply(_core.Bank(added), [1.0], 0, 3)
        _, before = read.said(WHOLE)
        read.ctx.limiter.apply(caps(-math.inf, 1.0, along))
        _, after = read.said(WHOLE)
    assert before.min() > 10
    assert after[1:].max() < 1 + CLOSE


def test_what_cannot_be_kept_is_refused(random_chat: Path, n_embd: int) -> None:
    along = directions(1, n_embd)
    row = along[0].tolist()
    for bad in ([], [(1, 2.0, 1.0, row)], [(1, 0.0, 1.0, row), (1, 0.0, 1.0, [1.0])]):
        with pytest.raises(ValueError, match="expected"):
            _core.Caps(bad)
    with Context(random_chat) as ctx:
        for wrong in (caps(0, 1, along, layers=[3]), caps(0, 1, along[:, :8])):
            with pytest.raises(ValueError, match="expected width 64, and layers up to 2"):
                ctx.limiter.apply(wrong)
            with pytest.raises(ValueError, match="expected width 64"):
                ctx.limiter.expect([None, wrong])
        ctx.limiter.expect([caps(0, 1, along)])
        ctx.decode(prompt(TOKENS))
        with pytest.raises(RuntimeError, match=r"l_out-0: the graph has 7 rows there, the batch 1"):
            ctx.limiter.check()
        ctx.limiter.close()
        with pytest.raises(RuntimeError, match="the context is closed"):
            ctx.limiter.apply(caps(0, 1, along))


def test_digests_tell_caps_apart(n_embd: int) -> None:
    along = directions(2, n_embd)
    made = [
        caps(0, 1, along),
        caps(0, 2, along),
        caps(-1, 1, along),
        caps(0, 1, along[:1]),
        caps(0, 1, along, layers=[1]),
        caps(0, 1, along[::-1]),
    ]
    assert len({each.digest for each in made}) == len(made)
    assert caps(0, 1, along).digest == made[0].digest

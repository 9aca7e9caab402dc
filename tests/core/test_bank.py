"""The blend kernel against numpy, and that Python runs on while it works."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llamood import _core


def random_bank(*shape: int, seed: int = 0) -> tuple[_core.Bank, np.ndarray]:
    data = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    return _core.Bank(data), data


@settings(deadline=None, max_examples=150)
@given(
    n_emotion=st.integers(1, 8),
    n_layer=st.integers(1, 6),
    n_embd=st.integers(1, 2500),  # beyond the size of the kernel's tile
    seed=st.integers(0, 2**32 - 1),
    first=st.integers(-2, 8),
    last=st.integers(-2, 8),
)
def test_equals_float64_within_float32_rounding(
    n_emotion: int, n_layer: int, n_embd: int, seed: int, first: int, last: int
) -> None:
    bank, data = random_bank(n_emotion, n_layer, n_embd, seed=seed)
    rng = np.random.default_rng(seed + 1)
    weights = (3 * rng.standard_normal(n_emotion) * rng.integers(0, 2, n_emotion)).astype("f4")
    blend = bank.blend(weights, first, last)

    wide, wide_weights = data.astype(np.float64), weights.astype(np.float64)
    inside = (np.arange(n_layer) >= first) & (np.arange(n_layer) <= last)
    expected = np.einsum("k,kle->le", wide_weights, wide) * inside[:, np.newaxis]
    size = np.einsum("k,kle->le", abs(wide_weights), abs(wide))
    assert blend.dtype == np.float32
    assert blend.shape == (n_layer, n_embd)
    assert (np.abs(blend - expected) <= n_emotion * np.finfo(np.float32).eps * size).all()
    assert (blend[~inside] == 0).all()


def test_one_emotion_at_intensity_one_is_its_vector_bit_by_bit() -> None:
    bank, data = random_bank(3, 4, 2049)
    assert np.array_equal(bank.blend(np.array([0, 1, 0], np.float32), 0, 3), data[1])


def test_written_to_an_array_that_is_there() -> None:
    bank, _ = random_bank(5, 3, 700)
    weights = np.array([1, 0, -2, 0.5, 3], np.float32)
    out = np.full((3, 700), np.nan, np.float32)
    assert bank.blend(weights, 1, 2, out) is out
    assert np.array_equal(out, bank.blend(weights, 1, 2))
    read_only = out.copy()
    read_only.flags.writeable = False
    for wrong in (out[:2], out.T, out[:, ::2], out.astype(np.float64), read_only):
        with pytest.raises((ValueError, TypeError)):
            bank.blend(weights, 0, 2, wrong)


def test_every_bit_is_one_multiplication_and_one_addition_a_vector() -> None:
    """So that a blend is the same on every machine; numpy's float32 rounds after each."""
    bank, data = random_bank(7, 2, 3000)
    weights = np.random.default_rng(1).standard_normal(7).astype(np.float32)
    expected = weights[0] * data[0]
    for weight, vector in zip(weights[1:3], data[1:3], strict=True):
        expected = expected + weight * vector
    for begin in (3, 6):  # what was added so far, then a sum of up to three
        group = zip(weights[begin : begin + 3], data[begin : begin + 3], strict=True)
        first, *others = (weight * vector for weight, vector in group)
        expected = expected + first
        for other in others:
            expected = expected + other
    assert np.array_equal(bank.blend(weights, 0, 1), expected)


def test_an_emotion_of_weight_zero_is_not_read() -> None:
    data = np.ones((2, 2, 8), np.float32)
    data[1] = np.nan
    blend = _core.Bank(data).blend(np.array([2, 0], np.float32), 0, 1)
    assert (blend == 2).all()


def test_keeps_a_copy() -> None:
    bank, data = random_bank(1, 2, 8)
    before = data.copy()
    data[:] = 0
    assert np.array_equal(bank.blend(np.ones(1, np.float32), 0, 1), before[0])
    assert (bank.n_emotion, bank.n_layer, bank.n_embd) == (1, 2, 8)


def test_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="n_emotion, n_layer, n_embd"):
        _core.Bank(np.zeros((2, 8), np.float32))
    bank, _ = random_bank(2, 2, 8)
    for weights in (np.zeros(1), np.zeros(3), np.zeros((2, 1))):
        with pytest.raises(ValueError, match="one weight per emotion"):
            bank.blend(weights.astype(np.float32), 0, 1)


@contextmanager
def counting() -> Iterator[list[int]]:
    """A thread that counts whenever it gets the GIL, which here is never taken from anybody:
    with such a switch interval a thread gets it only when another gives it up."""
    count = [0]
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            count[0] += 1
            time.sleep(0)

    interval = sys.getswitchinterval()
    thread = threading.Thread(target=run)
    sys.setswitchinterval(1000)
    try:
        thread.start()
        while count[0] < 10:
            time.sleep(0.001)
        yield count
    finally:
        stop.set()
        sys.setswitchinterval(interval)
        thread.join()


def counted_during(work: Callable[[], object], *, seconds: float) -> int:
    """How far the other thread counts while ``work`` runs, repeated for so long or until it does.
    Nothing else here gives up the GIL."""
    with counting() as count:
        before = count[0]
        end = time.monotonic() + seconds
        while count[0] == before and time.monotonic() < end:
            work()
        return count[0] - before


def test_python_runs_on_while_it_blends() -> None:
    bank, _ = random_bank(8, 32, 4096)
    weights = np.ones(8, np.float32)
    assert counted_during(lambda: bank.blend(weights, 0, 31), seconds=30) > 0
    # The measure itself: work of the same length that keeps the GIL lets nobody count.
    assert counted_during(lambda: pow(3, 200_000), seconds=0.3) == 0

"""How likely tokens are, from logits: the compiled sums against numpy's in doubles."""

from __future__ import annotations

import ctypes
from contextlib import closing
from pathlib import Path

import llama_cpp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from llamood import _core


def expected(logits: np.ndarray) -> np.ndarray:
    return np.logaddexp.reduce(logits.astype(np.float64), axis=1)


# Around the 64 that are summed side by side, and as many as a model has.
@pytest.mark.parametrize("n_vocab", [1, 2, 63, 64, 65, 130, 49_152, 262_144])
@pytest.mark.parametrize("spread", [0.0, 0.1, 8.0, 60.0, 1e7])
def test_sums_are_those_of_doubles(n_vocab: int, spread: float) -> None:
    logits = np.random.default_rng(n_vocab).standard_normal((3, n_vocab)) * spread
    logits = (logits + np.array([[0.0], [-400.0], [3000.0]])).astype(np.float32)
    np.testing.assert_allclose(_core.log_sums(logits), expected(logits), atol=1e-5, rtol=1e-7)


def test_many_equal_ones_round_no_more_than_few() -> None:
    logits = np.zeros((1, 262_144), dtype=np.float32)
    logits[0, 1:] = -0.3
    np.testing.assert_allclose(_core.log_sums(logits), expected(logits), atol=1e-5)


@given(
    arrays.arrays(
        np.float32,
        st.integers(1, 200).map(lambda n: (1, n)),
        elements=st.floats(-1e4, 1e4, width=32),
    )
)
def test_any_logits_have_their_sum(logits: np.ndarray) -> None:
    np.testing.assert_allclose(_core.log_sums(logits), expected(logits), atol=1e-5)


def test_a_token_that_cannot_be_drawn_adds_nothing() -> None:
    logits = np.zeros((1, 100), dtype=np.float32)
    logits[0, [3, 70, 99]] = -np.inf
    np.testing.assert_allclose(_core.log_sums(logits), [np.log(97)], atol=1e-5)


@pytest.mark.parametrize("shape", [(5,), (2, 0), (1, 2, 3)])
def test_what_is_no_logits_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="n_vocab"):
        _core.log_sums(np.zeros(shape, dtype=np.float32))


def test_the_last_token_that_was_decoded_is_looked_at(random_chat: Path) -> None:
    with closing(llama_cpp.Llama(str(random_chat), n_ctx=32, verbose=False)) as llm:
        address = ctypes.cast(llm.ctx, ctypes.c_void_p).value or 0
        with pytest.raises(ValueError, match="a decode that gave logits"):
            _core.last_logprob(address, 65)
        llm.eval([65, 66])
        llm.eval([67])
        last = llama_cpp.llama_get_logits_ith(llm.ctx, -1)
        logits = np.ctypeslib.as_array(last, (llm.n_vocab(),)).astype(np.float64)
        told = logits - np.logaddexp.reduce(logits)
        for token in (0, 65, llm.n_vocab() - 1):
            assert _core.last_logprob(address, token) == pytest.approx(told[token], abs=1e-5)
        for token in (-1, llm.n_vocab()):
            with pytest.raises(ValueError, match="expected a token"):
                _core.last_logprob(address, token)

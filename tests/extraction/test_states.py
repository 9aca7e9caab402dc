"""Hidden states of labelled texts, as a model has them, and the file that keeps them meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamood.errors import FileError, ModelError
from llamood.extraction.listener import Listener
from llamood.extraction.states import LONGEST_TEXT, PARALLEL, StateLog, States, in_turn
from llamood.extraction.texts import LabelledTexts
from open_voices import shape_of

# With one thread, and attention as exact as the rest, the same sums come out the same.
ONE_THREAD: dict[str, Any] = {"n_threads": 1, "n_threads_batch": 1, "flash_attn": False}
SHAPE = (2, 3)


def texts(**of: tuple[str, ...]) -> LabelledTexts:
    return LabelledTexts(tuple(of), of)


def some(n: int, *, begin: int = 0) -> list[np.ndarray[Any, np.dtype[np.float32]]]:
    return [np.full(SHAPE, number, np.float32) for number in range(begin, begin + n)]


# -- of a model -----------------------------------------------------------------------------


def test_each_text_is_read_by_itself(model: Path) -> None:
    given = texts(joy=("what a lovely day", "great"), neutral=("the shop opens at nine",))
    states = States.measured(model, given, **ONE_THREAD)
    n_layer, n_embd = shape_of(model)
    assert states.labels == ("joy", "neutral", "joy")
    assert states.data.shape == (3, n_layer, n_embd)
    assert states.data.dtype == np.float32
    assert states.n_layer == n_layer
    with Listener(model, parallel=1, n_prompt=0, n_answer=64, **ONE_THREAD) as listener:
        for (_, text), row in zip(in_turn(given), states.data, strict=True):
            heard = listener.texts([(listener.tokens(text, first=True), 0)])[0]
            np.testing.assert_allclose(row, heard.mean[0], rtol=1e-3, atol=1e-4)
    np.testing.assert_array_equal(states.of("joy"), states.data[[0, 2]])


def test_progress_is_told_after_each_group(random_chat: Path) -> None:
    given = texts(joy=("what a day",) * PARALLEL, neutral=("a cup", "a bus"))
    steps: list[tuple[int, int]] = []
    States.measured(random_chat, given, progress=lambda *step: steps.append(step), **ONE_THREAD)
    assert steps == [(PARALLEL, PARALLEL + 2), (PARALLEL + 2, PARALLEL + 2)]


def test_long_texts_are_cut_and_empty_ones_left_out(random_chat: Path) -> None:
    """A token of this model is a byte."""
    long = "lovely " * 60
    given = texts(joy=(long, long[:LONGEST_TEXT], ""), neutral=("a cup",))
    states = States.measured(random_chat, given, **ONE_THREAD)
    assert states.labels == ("joy", "neutral", "joy")
    np.testing.assert_allclose(states.data[0], states.data[2], rtol=1e-3, atol=1e-4)
    with pytest.raises(ModelError, match="none of 2 texts has a token beyond the first"):
        States.measured(random_chat, texts(joy=("",), neutral=("",)), **ONE_THREAD)


@pytest.mark.parametrize("n_torn", [0, 7, 4 * 64 * 4 + 7])
def test_a_measurement_goes_on_after_what_is_kept(
    random_chat: Path, tmp_path: Path, n_torn: int
) -> None:
    given = texts(joy=tuple(f"what a day {i}" for i in range(PARALLEL)), neutral=("a cup", "a bus"))
    whole = States.measured(random_chat, given, **ONE_THREAD)
    kept, steps = tmp_path / "new" / "texts.states", []

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        States.measured(random_chat, given, progress=stop, kept=kept, **ONE_THREAD)
    with kept.open("ab") as file:
        file.write(bytes(n_torn))  # of a group that a kill has torn
    for _ in range(2):  # and of a measurement that was at its end
        again = States.measured(
            random_chat, given, progress=lambda *step: steps.append(step), kept=kept, **ONE_THREAD
        )
        assert again.labels == whole.labels
        np.testing.assert_array_equal(again.data, whole.data)
    assert steps == [(PARALLEL + 2, PARALLEL + 2)]


def test_labels_take_turns_as_long_as_they_last() -> None:
    given = texts(joy=("a", "b", "c"), neutral=("d",), fear=("e", "f"))
    found = [("joy", "a"), ("neutral", "d"), ("fear", "e"), ("joy", "b"), ("fear", "f")]
    assert in_turn(given) == [*found, ("joy", "c")]


# -- the file -------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 3), max_size=5), st.data())
def test_what_was_kept_is_there_again(
    tmp_path_factory: pytest.TempPathFactory, groups: list[int], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("states") / "new" / "texts.states"
    log = StateLog(path)
    log.begin(0, shape=SHAPE)
    total = 0
    for n in groups:
        log.append(some(n, begin=total))
        total += n
    if not total:
        return
    kept = data.draw(st.integers(1, total))
    again = StateLog(path)
    again.begin(kept, shape=SHAPE)
    np.testing.assert_array_equal(again.rows(), some(kept))
    again.append(some(2, begin=90))  # in place of what was not kept
    last = StateLog(path)
    last.begin(kept + 2, shape=SHAPE)
    np.testing.assert_array_equal(last.rows(), [*some(kept), *some(2, begin=90)])
    assert path.stat().st_size == 4 * 6 * (kept + 2)
    last.forget()
    last.forget()
    assert not path.exists()


@pytest.mark.parametrize("is_kept", [True, False])
def test_the_same_log_goes_on(tmp_path: Path, is_kept: bool) -> None:
    log = StateLog(tmp_path / "texts.states" if is_kept else None)
    log.begin(0, shape=SHAPE)
    log.append(some(4))
    log.begin(2, shape=SHAPE)
    np.testing.assert_array_equal(log.rows(), some(2))
    log.append(some(1, begin=7))
    np.testing.assert_array_equal(log.rows(), [*some(2), *some(1, begin=7)])
    assert list(tmp_path.iterdir()) == ([tmp_path / "texts.states"] if is_kept else [])
    log.forget()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_lacks_what_was_kept_is_named(tmp_path: Path) -> None:
    path = tmp_path / "texts.states"
    with pytest.raises(FileError, match="cannot be read: No such file") as caught:
        StateLog(path).begin(1, shape=SHAPE)
    assert caught.value.path == path
    path.write_bytes(bytes(24 * 2 - 1))
    with pytest.raises(FileError, match=r"holds 47 bytes .* expected 48; begin anew \(--restart\)"):
        StateLog(path).begin(2, shape=SHAPE)

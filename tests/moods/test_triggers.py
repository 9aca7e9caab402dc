"""Schedules that a text starts, and schedules that a Python function says."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from llamood.errors import MoodError
from llamood.moods.schedule import NOTHING_HEARD, Heard, Schedule
from llamood.moods.shapes import Constant, Ramp
from llamood.moods.triggers import Custom, On


def values(schedule: Schedule, n: int, heard: Heard = NOTHING_HEARD) -> list[float]:
    return schedule.at(np.arange(n), heard).tolist()


# -- on ----------------------------------------------------------------------------------------


def heard_at(*times: int) -> Heard:
    return Heard({"betray": times})


@pytest.mark.parametrize(
    ("schedule", "heard", "expected"),
    [
        (On("betray", Ramp(1, 3, 2)), NOTHING_HEARD, [0, 0, 0, 0]),
        (On("betray", Ramp(1, 3, 2)), Heard({"other": (1,)}), [0, 0, 0, 0]),
        (On("betray", Ramp(1, 3, 2)), heard_at(2), [0, 0, 1, 2, 3, 3]),
        (On("betray", Ramp(1, 3, 2)), heard_at(1, 4, 5), [0, 1, 2, 3, 1, 1, 2, 3]),
        # Inside of what begins later, only what is completed from there on is heard.
        (On("betray", 1).delay(3), heard_at(2), [0, 0, 0, 0, 0]),
        (On("betray", 1).delay(3), heard_at(2, 4), [0, 0, 0, 0, 1, 1]),
        (On("betray", 1).delay(3), heard_at(3), [0, 0, 0, 1, 1]),
        (Constant(5).then(On("betray", 1), 2), heard_at(1, 3), [5, 5, 0, 1, 1]),
        (On("betray", 1).then(On("betray", 2), 3), heard_at(1, 4), [0, 1, 1, 0, 2, 2]),
        (On("betray", 1).repeat(every=3), heard_at(1, 5), [0, 1, 1, 0, 0, 1, 0, 0, 0]),
        (On("betray", 1).repeat(2, 3), heard_at(5, 7), [0, 0, 0, 0, 0, 1, 1, 1, 1]),
        # What it starts may be composed too.
        (On("betray", Constant(2).delay(1)), heard_at(1, 4), [0, 0, 2, 2, 0, 2]),
        (On("betray", Ramp(0, 1, 2).repeat()), heard_at(1, 4), [0, 0, 0.5, 0, 0, 0.5]),
        (
            On("betray", On("again", 1)),
            Heard({"betray": (2, 6), "again": (1, 4)}),
            [0, 0, 0, 0, 1, 1, 0, 0],
        ),
        (On("betray", 2) * Ramp(0, 4, 4) + 1, heard_at(2), [1, 1, 5, 7, 9]),
    ],
)
def test_a_text_starts_a_schedule(schedule: Schedule, heard: Heard, expected: list[float]) -> None:
    assert schedule.listens
    assert values(schedule, len(expected), heard) == expected


def test_what_was_heard_is_counted_from_where_one_begins() -> None:
    heard = heard_at(2, 5).since(1).since(2)
    assert values(On("betray", Ramp(1, 3, 2)), 5, heard) == [0, 0, 1, 2, 3]
    assert values(On("other", 1), 5, heard) == [0] * 5


# -- functions ---------------------------------------------------------------------------------


def test_a_function_is_a_schedule_wherever_one_is_taken() -> None:
    def rising(token: int) -> float:
        return token / 2

    for schedule in (
        Custom(rising),
        Ramp(0, 1, 1).then(rising),
        rising + Ramp(0, 0, 1),
        Ramp(1, 1, 1) * rising,
        On("a", rising),
        Custom(rising).delay(1),
    ):
        assert schedule.calls
        assert schedule.listens
    assert values(Custom(rising), 3) == [0, 0.5, 1]
    assert values(Ramp(5, 5, 1).then(rising), 3) == [5, 0, 0.5]
    assert values(Custom(lambda token: np.float32(0.5)), 1) == [0.5]
    assert not Ramp(0, 1, 1).calls


def answers(value: Any) -> Any:
    return lambda token: value if token == 3 else 0


@pytest.mark.parametrize(
    ("schedule", "where", "fault"),
    [
        (Custom(answers(None)), "<lambda>(3)", "a number was expected, found null"),
        (Custom(answers("x")), "<lambda>(3)", "a number was expected, found 'x'"),
        (Custom(answers(True)), "<lambda>(3)", "a number was expected, found a bool"),
        (Custom(answers(np.zeros(2))), "<lambda>(3)", "found a ndarray"),
        (Custom(answers(float("nan"))), "<lambda>(3)", "found nan"),
        (Custom(answers(-1001)), "<lambda>(3)", "between -1000 and 1000 was expected, found -1001"),
        (Custom(functools.partial(pow, 10)), "partial(4)", "found 10000"),
        (Custom(answers(600)) * 2, "product", "larger than 1000 in size at token 3"),
        (Custom(answers(600)) + answers(600), "sum", "larger than 1000 in size at token 3"),
    ],
)
def test_a_bad_answer_of_a_function_is_refused(schedule: Schedule, where: str, fault: str) -> None:
    with pytest.raises(MoodError) as caught:
        values(schedule, 5)
    assert caught.value.where == where
    assert fault in caught.value.fault


def test_an_error_in_a_function_is_its_own() -> None:
    with pytest.raises(ZeroDivisionError):
        values(Custom(lambda token: 1 / token), 2)

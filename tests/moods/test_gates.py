"""Schedules that wait for a reading: when they open, what they come to, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from llamood.errors import MoodError
from llamood.moods.mood import Mood
from llamood.moods.performance import Performance
from llamood.moods.schedule import Heard, Schedule
from llamood.moods.shapes import Ramp
from llamood.moods.steering import Steering
from llamood.moods.steering_vectors import SteeringVectors
from llamood.moods.triggers import When
from llamood.vectors.emotion_vectors import EmotionVectors

NAMES = ("anger", "joy")
TOLD = {"anger": 3.0, "joy": 4.0}
RISING = Ramp(1, 9, over=8)


def steering(mood: Any, told: Any = TOLD) -> Steering:
    data = np.random.default_rng(5).standard_normal((2, 4, 16))
    ceiling = (9.0, 9.0)
    return Steering(
        Mood(mood), SteeringVectors.of(EmotionVectors(NAMES, data, ceiling=ceiling)), told=told
    )


class Played(Performance):
    """Of readings that are given: of the answer token by token, and of the user."""

    def __init__(self, mood: Any, of_answer: Sequence[Any], of_user: Any = None) -> None:
        self.n_asked = 0
        super().__init__(
            steering(mood),
            position=0,
            before=np.zeros(2),
            notice=lambda notice: None,
            reading=lambda begin, end: of_answer[end] or {},
            said=self._said,
        )
        self._of_user = of_user or {}

    def _said(self) -> dict[str, float]:
        self.n_asked += 1
        return self._of_user

    def joys(self, n: int) -> list[float]:
        joys = []
        for token in range(n):
            if token:
                self.hear(token, piece=b"a")
            joys.append(float(self.row(token)[1][1]))
        return joys


def angers(*scores: float | None) -> list[Any]:
    return [None if score is None else {"anger": score} for score in scores]


# -- when they open -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ({}, [0, 0, 1, 2, 3, 0, 0, 1]),
        ({"hysteresis": 0}, [0, 0, 1, 0, 1, 0, 0, 1]),
        ({"else": 0.5}, [0.5, 0.5, 1, 2, 3, 0.5, 0.5, 1]),
        ({"else": {"ramp": [0, 0.8], "over": 8}}, [0, 0.1, 1, 2, 3, 0, 0.1, 1]),
        ({"lasts": "always"}, [0, 0, 1, 2, 3, 4, 5, 1]),
        ({"of": "user"}, [0, 1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_it_opens_and_closes_by_what_is_read(how: dict[str, Any], expected: list[float]) -> None:
    read = angers(None, 1.5, 1.6, 1.2, 2.0, 0.9, 1.4, 1.51)
    mood = {"joy": {"when": {"anger": "> 1.5"}, "then": RISING, **how}}
    assert Played(mood, read, {"anger": 2.0}).joys(8) == pytest.approx(expected)


def test_all_limits_are_to_be_met_and_what_is_not_read_changes_nothing() -> None:
    read = [None, {"anger": 2, "joy": 1}, {"anger": 2, "joy": -1}, None, {"anger": 2}, {"joy": 3}]
    read.append({"anger": 2.0, "joy": 0.6})
    mood = {"joy": {"when": "anger > 1 and joy < 0", "then": 1}}
    assert Played(mood, read).joys(7) == [0, 0, 1, 1, 1, 1, 0]


def test_what_the_user_said_is_read_once() -> None:
    mood = {
        "joy": {"when": "anger > 1", "of": "user", "then": 1},
        "anger": {"when": "joy > 1", "of": "user", "then": 1},
    }
    played = Played(mood, [None] * 9, {"anger": 2.0, "joy": 0.0})
    assert played.joys(9) == [0, *[1] * 8]
    assert played.n_asked == 1


def test_tokens_that_are_taken_back_take_back_what_they_opened() -> None:
    read = angers(None, 0, 2, 2, 2, 2)
    played = Played({"joy": {"when": "anger > 1", "then": RISING}}, read)
    assert played.joys(5) == [0, 0, 1, 2, 3]
    read[2:4] = angers(0, 0)
    played.hear(2, piece=b"b")
    assert [float(played.row(2)[1][1])] == [0]
    played.hear(3, piece=b"b")
    played.hear(4, piece=b"b")
    assert [float(played.row(token)[1][1]) for token in (3, 4)] == [0, 1]


def test_another_mood_begins_with_nothing_met() -> None:
    read = angers(None, 2, 2, 1.2, 1.2, 1.2)
    gate = {"joy": {"when": "anger > 1.5", "then": RISING}}
    played = Played(gate, read)
    assert played.joys(4) == [0, 1, 2, 3]
    played.change(steering(gate), 4)
    assert float(played.row(4)[1][1]) == 0  # as 1.2 is not above 1.5


# -- what they come to ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flips", "origin", "expected"),
    [
        ((), 0, [0.5, 0.5, 0.5, 0.5]),
        ((1,), 0, [0.5, 1, 2, 3]),
        ((1, 3), 0, [0.5, 1, 2, 0.5]),
        ((1, 6), 2, [1, 2, 3, 4]),  # it was open when the schedule began
        ((1, 3), 2, [1, 0.5, 0.5, 0.5]),
        ((1, 2), 2, [0.5, 0.5, 0.5, 0.5]),
    ],
)
def test_within_a_schedule_it_counts_from_where_that_begins(
    flips: tuple[int, ...], origin: int, expected: list[float]
) -> None:
    schedule: Schedule = When("joy > 1", RISING, 0.5)
    assert schedule.gate is not None
    heard = Heard(origin=origin, flips={schedule.gate: flips})
    assert schedule.at(np.arange(4), heard).tolist() == expected
    stays = When("joy > 1", RISING, 0.5, lasts="always")
    opened = [value for value in expected if value != 0.5]
    if opened:
        after = stays.at(np.arange(expected.index(opened[0]), 4), heard).tolist()
        assert after == [opened[0] + i for i in range(len(after))]


def test_without_readings_it_is_as_if_nothing_was_met() -> None:
    mood = Mood({"joy": {"when": "anger > -20", "then": 1, "else": 0.25}})
    assert mood.rows(3, NAMES)[:, 1].tolist() == [0.25] * 3
    assert mood.reads
    assert mood.listens
    assert not mood.holds


def test_it_is_kept_as_one_text_however_it_is_written() -> None:
    one = When({"sadness": "> 1.50", "love and joy": "<-2"}, 0.8)
    assert one == When(" sadness >1.5 and love and joy < -2.0", 0.8)
    assert one.condition == "sadness > 1.5 and love and joy < -2"
    assert hash(one) == hash(When(one.condition, 0.8))


# -- what is refused ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "where", "fault"),
    [
        ({"when": {"joy": "> 1"}}, "", "then is missing"),
        ({"when": {}, "then": 1}, "when", "1 to 8 limits of readings were expected, as in"),
        ({"when": 3, "then": 1}, "when", "found 3"),
        ({"when": {"joy": 1.5}, "then": 1}, "when.joy", 'as in "> 1.5", found 1.5'),
        ({"when": {"joy": "1.5"}, "then": 1}, "when.joy", "found '1.5'"),
        ({"when": {"joy": "> high"}, "then": 1}, "when.joy", "found '> high'"),
        ({"when": {"joy": ">= 1"}, "then": 1}, "when.joy", "found '>= 1'"),
        ({"when": {"joy": "> 1 2"}, "then": 1}, "when.joy", "found '> 1 2'"),
        ({"when": {"joy": "> nan"}, "then": 1}, "when.joy", "found '> nan'"),
        ({"when": {"joy": "> 21"}, "then": 1}, "when.joy", "between -20 and 20"),
        ({"when": "joy", "then": 1}, "when", "found 'joy'"),
        ({"when": "> 1", "then": 1}, "when", "found '> 1'"),
        ({"when": "joy > 1 and", "then": 1}, "when", "found 'joy > 1 and'"),
        ({"when": "joy > 1 and joy > 2", "then": 1}, "when.joy", "limited twice"),
        ({"when": "a > 1 and " * 9 + "b < 1", "then": 1}, "when", "1 to 8"),
        ({"when": "joy > 1" + " " * 5000, "then": 1}, "when", "limit of a reading"),
        ({"when": "\ud800 > 1", "then": 1}, "when", "half of a surrogate"),
        ({"when": {"a\udfff": "> 1"}, "then": 1}, "when", "half of a surrogate"),
        ({"when": {"a<b": "> 1"}, "then": 1}, "when", "whose name holds < or >"),
        ({"when": {"joy": "> 1"}, "then": {"hold": 1}}, "when", "nothing can be made of it"),
        ({"when": {"joy": "> 1"}, "then": "x"}, "then", "a number or a schedule"),
        ({"when": {"joy": "> 1"}, "then": 1, "of": "me"}, "of", "answer or user"),
        ({"when": {"joy": "> 1"}, "then": 1, "hysteresis": -1}, "hysteresis", "between 0 and 20"),
        ({"when": {"joy": "> 1"}, "then": 1, "otherwise": 1}, "otherwise", "unknown; when takes"),
    ],
)
def test_what_is_no_gate_is_refused(written: Any, where: str, fault: str) -> None:
    with pytest.raises(MoodError) as refused:
        Mood({"joy": written})
    assert refused.value.where == "joy" + (f".{where}" if where else "")
    assert fault in refused.value.fault


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        (None, "at 'joy.when.anger': what is read is known only to a voice"),
        ({}, "cannot be waited for: readings of this model are too unsure"),
        ({"joy": 1.0}, "'joy.when.anger': is not read, so it cannot be waited for; read are joy"),
        ({"joy": 1.0, "angers": 1.0}, "did you mean 'angers'?"),
    ],
)
def test_only_what_is_read_can_be_waited_for(told: Any, fault: str) -> None:
    with pytest.raises(MoodError) as refused:
        steering({"joy": {"when": "anger > 1", "then": 1}}, told)
    assert fault in str(refused.value)

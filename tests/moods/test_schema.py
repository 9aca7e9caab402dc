"""The shipped JSON Schema takes what is written, and refuses what `notation` refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from jsonschema import Draft202012Validator

from llamood.errors import MoodError
from llamood.moods.mood import Mood
from llamood.moods.notation import from_json, to_json
from llamood.moods.schedule import Schedule
from llamood.moods.schema import SHIPPED, mood_schema
from llamood.moods.settings import SETTINGS
from schedules import MOODS, WRITTEN, schedules
from write_mood_schema import text

SCHEMA = mood_schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def test_the_shipped_schema_is_that_of_the_code() -> None:
    shipped = SHIPPED.read_text(encoding="utf-8")
    assert shipped == text(), "run tools/write_mood_schema.py"
    assert json.loads(shipped) == SCHEMA


def test_it_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$id"]


@settings(deadline=None, max_examples=100)
@given(schedules())
def test_takes_every_schedule(schedule: Schedule) -> None:
    written = to_json(schedule)
    VALIDATOR.validate({"joy": written})
    VALIDATOR.validate({"joy": {"delay": written, "by": 1}, "valence": {"delay": written, "by": 1}})


@pytest.mark.parametrize("mood", MOODS)
def test_takes_the_moods_of_the_design(mood: dict[str, Any]) -> None:
    VALIDATOR.validate(mood)
    VALIDATOR.validate(Mood(mood).to_dict())


@pytest.mark.parametrize("written", [written for written, _, _ in WRITTEN])
def test_takes_every_kind_as_it_is_written(written: Any) -> None:
    VALIDATOR.validate({"joy": written})


BAD: list[Any] = [
    None,
    True,
    "0.8",
    [0, 1],
    1000.5,
    {},
    {"over": 8},
    {"hold": 20.5},
    {"hold": 0.5, "max": -1},
    {"hold": 0.5, "over": 8},
    {"on": "a", "hold": 0.5},
    {"sum": [0.1, {"hold": 0.5}]},
    {"delay": {"hold": 0.5, "max": 1}, "by": 1},
    {"max": 2},
    {"on": "a"},
    {"start": 1},
    {"on": "a", "start": 1, "ramp": [0, 1], "over": 8},
    {"on": "a", "start": "x"},
    {"on": "", "constant": 1},
    {"on": "x" * 201, "constant": 1},
    {"on": 1, "constant": 1},
    {"rmap": [0, 1], "over": 8},
    {"ramp": [0, 1], "keys": [[0, 1]]},
    {"ramp": [0, 1]},
    {"ramp": [0], "over": 8},
    {"ramp": [0, 1, 2], "over": 8},
    {"ramp": 1, "over": 8},
    {"ramp": [0, "1"], "over": 8},
    {"ramp": [0, True], "over": 8},
    {"ramp": [0, {"ramp": [0, 1], "over": 8}], "over": 8},
    {"ramp": [0, 1], "over": 0},
    {"ramp": [0, 1], "over": 1.5},
    {"ramp": [0, 1], "over": 1_000_001},
    {"ramp": [0, 1], "over": 8, "ease": "smoth"},
    {"ramp": [0, 1], "over": 8, "ease": None},
    {"ramp": [0, 1], "over": 8, "start": 0},
    {"ramp": [0, 1], "over": 8, "max": -1},
    {"decay": 1, "half_life": 0},
    {"wave": [0, 1], "period": 1},
    {"keys": []},
    {"keys": [[0]]},
    {"keys": [[0, 1, 2]]},
    {"keys": [[-1, 0]]},
    {"keys": [[0.5, 0]]},
    {"keys": [[token, 0] for token in range(1001)]},
    {"drift": 0, "spread": -1, "return": 9},
    {"drift": 0, "spread": 1, "return_": 9},
    {"drift": 0, "spread": 1, "return": 9, "seed": 2**32},
    {"sum": 1},
    {"sum": [1]},
    {"sum": [0] * 1000},
    {"product": [1, {"ramp": [0, 1]}]},
    {"then": [1], "after": 2},
    {"then": [1, "x"], "after": 2},
    {"then": [1, 2], "after": None},
    {"clamp": 1, "low": 0},
    {"delay": {"repeat": 1, "every": 0}, "by": 1},
    {"function": 1},
]


@pytest.mark.parametrize("written", BAD)
def test_what_is_refused_is_refused_by_both(written: Any) -> None:
    assert not VALIDATOR.is_valid({"joy": written})
    with pytest.raises(MoodError):
        from_json(written)


@pytest.mark.parametrize(
    "mood",
    [
        [],
        {"": 1},
        {"$": 1},
        {"$joy": 1},
        {"valence": 1.5},
        {"valence": {"hold": 0.5}},
        {"arousal": "high"},
        {"$blend": "average"},
        {"$positions": True},
        {"$layers": [8]},
        {"$layers": [8, 20, 21]},
        {"$layers": [-1, 20]},
        {"$layers": {"ramp": [0, 1], "over": 8}},
        {"$inertia": 0},
        {"$max": -1},
        {"$max": {"ramp": [0, 1], "over": 8}},
    ],
)
def test_refuses_bad_keys_and_settings(mood: Any) -> None:
    assert not VALIDATOR.is_valid(mood)
    with pytest.raises(MoodError):
        Mood(mood)


def test_says_what_each_setting_is_and_its_default() -> None:
    properties = SCHEMA["properties"]
    for key, setting in SETTINGS.items():
        assert properties[key]["description"] == setting.about
        assert properties[key].get("default") == setting.default


def test_explains_every_kind() -> None:
    for kind in set(Schedule.kinds) - {"function"}:
        assert SCHEMA["$defs"][kind]["description"].endswith(".")

"""Schedules as examples, and arbitrary ones for property tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from llamood.errors import MoodError
from llamood.moods.composition import Clamp, Delay, Max, Product, Repeat, Sum, Then
from llamood.moods.schedule import Schedule
from llamood.moods.shapes import Constant, Decay, Drift, Keys, Pulse, Ramp, Wave
from llamood.moods.triggers import On, When

WORDS = ("betray", "ab")  # what triggers listen to where texts are not arbitrary

# Moods as the design has them, written down.
MOODS: list[dict[str, Any]] = [
    {"joy": 0.8},
    {"joy": {"ramp": [0, 1.2], "over": 64, "ease": "smooth"}},
    {"joy": {"decay": 1.5, "half_life": 40}},
    {"joy": {"pulse": 1.5, "attack": 4, "hold": 8, "release": 30}},
    {"joy": {"wave": [0.2, 1.0], "period": 50}},
    {"joy": {"keys": [[0, 0], [20, 1.2], [60, 0.3]], "ease": "linear"}},
    {"joy": {"drift": 0.6, "spread": 0.2, "return": 30, "seed": 7}},
    {"anger": {"on": "betray", "pulse": 1.5, "release": 40}},
    {"joy": {"hold": 0.5, "max": 2.0}},
    {"anger": {"cap": 1.0}, "joy": {"constant": 0.5, "floor": 0.5, "cap": 2}},
    {"joy": {"when": {"sadness": "> 1.5"}, "of": "user", "then": 0.8}},
    {"valence": 0.7, "arousal": -0.3, "dominance": 0.1},
    {
        "joy": 0.5,
        "anger": 0.5,
        "$blend": "shared-once",
        "$positions": "generated",
        "$layers": [8, 20],
        "$inertia": 30,
    },
]

# Schedules of every kind in their three forms: JSON, Python, short.
WRITTEN: list[tuple[Any, str, str]] = [
    (0.8, "constant(0.8)", "0.8"),
    (
        {"ramp": [0, 1.2], "over": 64, "ease": "smooth"},
        'ramp(0, 1.2, over=64, ease="smooth")',
        "ramp(0,1.2,over=64,ease=smooth)",
    ),
    ({"decay": 1.5, "half_life": 40}, "decay(1.5, half_life=40)", "decay(1.5,half_life=40)"),
    (
        {"pulse": 1.5, "attack": 4, "hold": 8, "release": 30},
        "pulse(1.5, attack=4, hold=8, release=30)",
        "pulse(1.5,attack=4,hold=8,release=30)",
    ),
    ({"wave": [0.2, 1.0], "period": 50}, "wave(0.2, 1, period=50)", "wave(0.2,1,period=50)"),
    (
        {"keys": [[0, 0], [20, 1.2], [60, 0.3]]},
        "keys([[0, 0], [20, 1.2], [60, 0.3]])",
        "keys([[0,0],[20,1.2],[60,0.3]])",
    ),
    (
        {"drift": 0.6, "spread": 0.2, "return": 30, "seed": 7},
        "drift(0.6, spread=0.2, return_=30, seed=7)",
        "drift(0.6,spread=0.2,return=30,seed=7)",
    ),
    (
        {"on": "betray", "pulse": 1.5, "release": 40},
        'on("betray", pulse(1.5, release=40))',
        'on("betray",pulse(1.5,release=40))',
    ),
    (
        {"ramp": [0, 3], "over": 9, "max": 2.0},
        "ramp(0, 3, over=9).max(2)",
        "ramp(0,3,over=9).max(2)",
    ),
    (
        {"sum": [{"ramp": [0, 1], "over": 8}, 0.1]},
        "ramp(0, 1, over=8) + 0.1",
        "ramp(0,1,over=8)+0.1",
    ),
    ({"sum": [1, 2, 3]}, "constant(1) + 2 + 3", "constant(1)+2+3"),
    (
        {"product": [{"sum": [-1, {"ramp": [0, 1], "over": 8}]}, -2]},
        "(-1 + ramp(0, 1, over=8)) * -2",
        "(-1+ramp(0,1,over=8))*-2",
    ),
    (
        {"sum": [{"product": [2, {"ramp": [0, 1], "over": 8}]}, {"product": [2, 3]}]},
        "2 * ramp(0, 1, over=8) + constant(2) * 3",
        "2*ramp(0,1,over=8)+constant(2)*3",
    ),
    (
        {"then": [{"pulse": 1, "hold": 2}, {"decay": 1, "half_life": 2}]},
        "pulse(1, hold=2).then(decay(1, half_life=2))",
        "pulse(1,hold=2).then(decay(1,half_life=2))",
    ),
    ({"then": [1, 2], "after": 5}, "constant(1).then(2, after=5)", "constant(1).then(2,after=5)"),
    (
        {"clamp": {"sum": [{"wave": [0, 1], "period": 9}, 1]}, "low": 0, "high": 1.5},
        "(wave(0, 1, period=9) + 1).clamp(0, 1.5)",
        "(wave(0,1,period=9)+1).clamp(0,1.5)",
    ),
    (
        {"delay": {"ramp": [0, 1], "over": 8}, "by": 5},
        "ramp(0, 1, over=8).delay(5)",
        "ramp(0,1,over=8).delay(5)",
    ),
    (
        {"repeat": {"ramp": [0, 1], "over": 8}},
        "ramp(0, 1, over=8).repeat()",
        "ramp(0,1,over=8).repeat()",
    ),
    (
        {"repeat": 1, "times": 3, "every": 5},
        "constant(1).repeat(times=3, every=5)",
        "constant(1).repeat(times=3,every=5)",
    ),
    ({"constant": 1, "max": 2}, "constant(1).max(2)", "constant(1).max(2)"),
    ({"cap": 1.0}, "constant(0).cap(1)", "constant(0).cap(1)"),
    ({"floor": -0.5}, "constant(0).floor(-0.5)", "constant(0).floor(-0.5)"),
    (
        {"ramp": [0, 3], "over": 9, "max": 2.0, "floor": 0.5, "cap": 1.5},
        "ramp(0, 3, over=9).max(2).floor(0.5).cap(1.5)",
        "ramp(0,3,over=9).max(2).floor(0.5).cap(1.5)",
    ),
    ({"hold": 0.5}, "hold(0.5)", "hold(0.5)"),
    (
        {"when": "sadness > 1.5", "then": 0.8, "of": "user"},
        'when("sadness > 1.5", then_=0.8, of="user")',
        'when("sadness > 1.5",then=0.8,of=user)',
    ),
    (
        {
            "when": "joy and fear < -0.25 and joy > 2",
            "then": {"ramp": [0, 1], "over": 8},
            "else": {"when": "a > 0", "then": 1, "hysteresis": 0.0},
            "lasts": "always",
            "max": 2,
        },
        'when("joy and fear < -0.25 and joy > 2", then_=ramp(0, 1, over=8), '
        'else_=when("a > 0", then_=1, hysteresis=0), lasts="always").max(2)',
        'when("joy and fear < -0.25 and joy > 2",then=ramp(0,1,over=8),'
        'else=when("a > 0",then=1,hysteresis=0),lasts=always).max(2)',
    ),
    ({"hold": -0.5, "max": 2}, "hold(-0.5).max(2)", "hold(-0.5).max(2)"),
    (
        {"on": "a", "constant": 1, "max": 2},
        'on("a", 1).max(2)',
        'on("a",1).max(2)',
    ),
    (
        {"on": "a", "start": {"constant": 1, "max": 2}},
        'on("a", constant(1).max(2))',
        'on("a",constant(1).max(2))',
    ),
    (
        {"on": "a", "start": {"on": "\"b'\\\n", "ramp": [0, 1], "over": 8}, "max": 2},
        'on("a", on("\\"b\'\\\\\\n", ramp(0, 1, over=8))).max(2)',
        'on("a",on("\\"b\'\\\\\\n",ramp(0,1,over=8))).max(2)',
    ),
]

eases = st.sampled_from(["linear", "smooth", "step"])
sizes = st.one_of(st.floats(-3, 3).map(lambda x: round(x, 3)), st.floats(-3, 3))
half_lives = st.floats(0.01, 1e3)
texts = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)


def counts(low: int = 0, high: int = 40) -> st.SearchStrategy[int]:
    return st.integers(low, high)


points = st.dictionaries(counts(high=200), sizes, min_size=1, max_size=8).map(
    lambda points: tuple(sorted(points.items()))
)
pulses = st.tuples(sizes, counts(), counts(), counts()).filter(lambda made: any(made[2:]))
leaves: st.SearchStrategy[Schedule] = st.one_of(
    st.builds(Constant, sizes),
    st.builds(Ramp, sizes, sizes, counts(1), eases),
    st.builds(Decay, sizes, half_lives),
    pulses.map(lambda made: Pulse(*made)),
    st.builds(Wave, sizes, sizes, st.floats(2, 1e3)),
    st.builds(Keys, points, eases),
    st.builds(Drift, sizes, st.floats(0, 0.5), half_lives, st.integers(0, 50)),
)
ending = leaves.filter(lambda schedule: bool(schedule.length))


@st.composite
def _then(draw: st.DrawFn, inner: st.SearchStrategy[Schedule]) -> Schedule:
    first = draw(inner)
    after = draw(counts() if first.length is None else st.none() | counts())
    return Then(first, draw(inner), after)


@st.composite
def _repeat(draw: st.DrawFn, inner: st.SearchStrategy[Schedule]) -> Schedule:
    schedule = draw(inner)
    every = draw(st.none() | counts(1) if schedule.length else counts(1))
    return Repeat(schedule, draw(st.none() | counts(1, 5)), every)


@st.composite
def _clamp(draw: st.DrawFn, inner: st.SearchStrategy[Schedule]) -> Schedule:
    low, high = sorted(draw(st.tuples(sizes, sizes)))
    return Clamp(draw(inner), low, high)


def _is_within_limits(make: Callable[..., Schedule], parts: list[Schedule]) -> bool:
    try:
        make(tuple(parts))
    except MoodError:
        return False
    return True


def _joined(
    make: Callable[..., Schedule], inner: st.SearchStrategy[Schedule]
) -> st.SearchStrategy[Schedule]:
    parts = st.lists(inner, min_size=2, max_size=4)
    small = parts.filter(lambda parts: _is_within_limits(make, parts))
    return small.map(lambda parts: make(tuple(parts)))


limits = st.tuples(
    st.sampled_from(["joy", "anger", "é and b"]), st.sampled_from("<>"), st.floats(-20, 20)
).map(lambda limit: " ".join(map(str, limit)))


@st.composite
def _when(draw: st.DrawFn, inner: st.SearchStrategy[Schedule]) -> Schedule:
    return When(
        draw(limits),
        draw(inner),
        draw(st.none() | inner),
        of=draw(st.sampled_from(["answer", "user"])),
        lasts=draw(st.sampled_from(["while", "always"])),
        hysteresis=draw(st.floats(0, 20)),
    )


def schedules(waited_for: st.SearchStrategy[str] = texts) -> st.SearchStrategy[Schedule]:
    """Of every kind, nested; ``waited_for``: the texts that start one."""
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            _joined(Sum, inner),
            _joined(Product, inner),
            _then(inner),
            _clamp(inner),
            st.builds(Delay, inner, counts()),
            _repeat(inner),
            st.builds(Max, inner, st.floats(0, 3)),
            st.builds(On, waited_for, inner),
            _when(inner),
        ),
        max_leaves=8,
    )

"""Schedules: the intensity of each kind at each token, the laws by which they compose, limits."""

from __future__ import annotations

import copy
import dataclasses
import pickle
import random
from fractions import Fraction
from itertools import pairwise
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llamood.errors import MoodError
from llamood.moods import notation
from llamood.moods.composition import Clamp, Delay, Max, Product, Repeat, Sum, Then
from llamood.moods.schedule import NOTHING_HEARD, Heard, Schedule
from llamood.moods.shapes import Constant, Decay, Drift, Keys, Pulse, Ramp, Wave
from llamood.moods.triggers import Custom, On
from schedules import WORDS, counts, ending, leaves, points, schedules, sizes

N = 120
TOKENS = np.arange(N)

any_schedule = schedules(st.sampled_from(WORDS))
hearings = st.dictionaries(
    st.sampled_from(WORDS), st.sets(counts(1, N), max_size=6).map(lambda at: tuple(sorted(at)))
).map(Heard)
check = settings(deadline=None, max_examples=100)


def values(schedule: Schedule, n: int = N, heard: Heard = NOTHING_HEARD) -> list[float]:
    return schedule.at(np.arange(n), heard).tolist()


def assert_equal(one: np.ndarray, other: Any) -> None:
    # Vectors and single tokens may take different paths through numpy: the last bit is free.
    np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)


# -- each kind at exact tokens -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Constant(0.8), [0.8, 0.8, 0.8]),
        (Constant(-0.0), [0, 0]),
        (Ramp(0, 1.2, 4), [0, 0.3, 0.6, 0.9, 1.2, 1.2, 1.2]),
        (Ramp(1, -1, 2), [1, 0, -1, -1]),
        (Ramp(0, 1, over=4, ease="smooth"), [0, 0.15625, 0.5, 0.84375, 1, 1]),
        (Ramp(0.2, 1, over=3, ease="step"), [0.2, 0.2, 0.2, 1, 1]),
        (Decay(1.6, half_life=2), [1.6, 1.6 * 0.5**0.5, 0.8, 0.8 * 0.5**0.5, 0.4]),
        (Decay(1, 0.5), [1, 0.25, 0.0625]),
        (Pulse(2, attack=2, hold=2, release=4), [0, 1, 2, 2, 2, 1.5, 1, 0.5, 0, 0]),
        (Pulse(2, hold=3), [2, 2, 2, 0, 0]),
        (Pulse(1.5, release=3), [1.5, 1, 0.5, 0, 0]),
        (Pulse(-1, attack=1, release=1), [0, -1, 0]),
        (Wave(0.2, 1, period=4), [0.2, 0.6, 1, 0.6, 0.2, 0.6, 1]),
        (Wave(1, 0, period=2), [1, 0, 1, 0]),
        (Keys([(0, 0), (2, 1), (6, 0)]), [0, 0.5, 1, 0.75, 0.5, 0.25, 0, 0]),
        (Keys([[2, 1], [4, 3]], ease="step"), [1, 1, 1, 1, 3, 3]),
        (Keys([[2, 1], [4, 3]]), [1, 1, 1, 2, 3, 3]),
        (Keys([[3, 0.7]]), [0.7] * 6),
        (Drift(0.6, 0, 30, seed=7), [0.6] * 5),
        (Ramp(0, 3, 3) + 1, [1, 2, 3, 4, 4]),
        (0.5 + Ramp(0, 3, 3) + Constant(1), [1.5, 2.5, 3.5, 4.5, 4.5]),
        (Ramp(0, 3, 3) * 2, [0, 2, 4, 6, 6]),
        (-2 * Ramp(0, 3, 3) * Ramp(1, 2, 1), [0, -4, -8, -12]),
        (np.float64(2) * Ramp(0, 3, 3), [0, 2, 4, 6, 6]),
        (Ramp(0, 2, 2).then(5), [0, 1, 5, 5]),
        (Ramp(0, 2, 2).then(Ramp(5, 6, 1), after=4), [0, 1, 2, 2, 5, 6, 6]),
        (Ramp(0, 8, 8).then(9, 3), [0, 1, 2, 9, 9]),
        (Ramp(0, 4, 4).clamp(1, 3), [1, 1, 2, 3, 3, 3]),
        (Ramp(5, 6, 1).delay(3), [0, 0, 0, 5, 6, 6]),
        (Constant(1).delay(0), [1, 1]),
        (Ramp(0, 3, 3).repeat(), [0, 1, 2, 0, 1, 2, 0, 1]),
        (Ramp(0, 3, 3).repeat(2), [0, 1, 2, 0, 1, 2, 3, 3, 3]),
        (Ramp(0, 3, 3).repeat(2, every=2), [0, 1, 0, 1, 2, 2, 2]),
        (Ramp(0, 3, 3).repeat(every=5), [0, 1, 2, 3, 3, 0, 1]),
        (Ramp(-4, 4, 8).max(2), [-2, -2, -2, -1, 0, 1, 2, 2, 2, 2]),
        (Custom(lambda token: token / 4), [0, 0.25, 0.5]),
    ],
)
def test_intensity_at_each_token(schedule: Schedule, expected: list[float]) -> None:
    assert values(schedule, len(expected)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("schedule", "length"),
    [
        (Constant(1), None),
        (Ramp(0, 1, 9), 9),
        (Decay(1, 9), None),
        (Pulse(1, 2, 3, 4), 9),
        (Wave(0, 1, 9), None),
        (Keys([[3, 0], [9, 1]]), 9),
        (Drift(0, 1, 9), None),
        (Ramp(0, 1, 4) + Ramp(0, 1, 9) + 0.1, 9),
        (2 * Ramp(0, 1, 9), 9),
        (Ramp(0, 1, 4) + Wave(0, 1, 9), None),
        (Constant(1) + 2, None),
        (Ramp(0, 1, 4).then(Ramp(0, 1, 5)), 9),
        (Ramp(0, 1, 4).then(1), None),
        (Ramp(0, 1, 4).then(Ramp(0, 1, 5), after=1), 6),
        (Ramp(0, 1, 9).clamp(0, 0.5), 9),
        (Ramp(0, 1, 4).delay(5), 9),
        (Wave(0, 1, 9).delay(5), None),
        (Ramp(0, 1, 3).repeat(3), 9),
        (Wave(0, 1, 3).repeat(3, every=3), 9),
        (Ramp(0, 1, 3).repeat(), None),
        (Ramp(0, 1, 9).max(1), 9),
        (On("a", Ramp(0, 1, 9)), None),
        (Custom(float), None),
    ],
)
def test_where_a_schedule_ends(schedule: Schedule, length: int | None) -> None:
    assert schedule.length == length


# -- laws --------------------------------------------------------------------------------------


@check
@given(any_schedule, hearings)
def test_stays_within_its_bounds_at_every_token(schedule: Schedule, heard: Heard) -> None:
    low, high = schedule.bounds()
    found = schedule.at(TOKENS, heard)
    assert found.shape == (N,)
    assert found.dtype == np.float64
    assert np.isfinite(found).all()
    assert low <= found.min()
    assert found.max() <= high


@check
@given(any_schedule, hearings, st.lists(counts(high=N - 1), max_size=12))
def test_many_tokens_in_any_order_are_as_each_alone(
    schedule: Schedule, heard: Heard, tokens: list[int]
) -> None:
    together = schedule.at(np.array(tokens, dtype=np.int64), heard)
    assert_equal(together, [schedule.at(np.array([token]), heard)[0] for token in tokens])


@check
@given(any_schedule)
def test_keeps_its_last_value_beyond_its_end(schedule: Schedule) -> None:
    ending = schedule if schedule.length is not None else schedule.repeat(2, every=7)
    assert ending.length is not None
    beyond = ending.at(ending.length + np.arange(50))
    assert (beyond == beyond[0]).all()


@check
@given(points)
@example(((0, 0.0), (1, 1e-308), (2, 1e3)))
@example(((0, -1e3), (1, 1e3), (1_000_000, 999.0)))
def test_smooth_keys_never_overshoot(keys: tuple[tuple[int, float], ...]) -> None:
    schedule = Keys(keys, ease="smooth")
    for (begin, first), (end, last) in pairwise(keys):
        between = schedule.at(np.unique(np.linspace(begin, end, 200).astype(np.int64)))
        assert between[0] == first
        assert between[-1] == last
        assert between.min() >= min(first, last)
        assert between.max() <= max(first, last)
        steps = np.diff(between) * np.sign(last - first)
        assert steps.min() >= -1e-12 * max(abs(first), abs(last))


@check
@given(points, st.sampled_from(["linear", "smooth", "step"]))
def test_keys_are_hit_exactly(keys: tuple[tuple[int, float], ...], ease: Any) -> None:
    at = np.array([token for token, _ in keys])
    assert Keys(keys, ease).at(at).tolist() == [intensity for _, intensity in keys]


def test_smooth_keys_turn_without_a_corner() -> None:
    rising = Keys([[0, 0], [50, 1], [100, 3]], ease="smooth").at(np.arange(101))
    assert np.abs(np.diff(rising, n=2)).max() < 0.005  # linear keys have 0.02 at token 50


@check
@given(any_schedule, any_schedule, hearings, counts())
def test_then_is_the_first_and_from_a_token_the_second_begun_anew(
    first: Schedule, second: Schedule, heard: Heard, after: int
) -> None:
    both = first.then(second, after=after).at(TOKENS, heard)
    assert_equal(both[:after], first.at(TOKENS[:after], heard))
    assert_equal(both[after:], second.at(TOKENS[: N - after], heard.since(after)))


@check
@given(ending, any_schedule)
def test_then_follows_at_the_end(first: Schedule, second: Schedule) -> None:
    assert_equal(first.then(second).at(TOKENS), first.then(second, first.length).at(TOKENS))


@check
@given(any_schedule, counts(), counts(), hearings)
def test_delays_add_up(schedule: Schedule, one: int, other: int, heard: Heard) -> None:
    twice = schedule.delay(one).delay(other).at(TOKENS, heard)
    assert_equal(twice, schedule.delay(one + other).at(TOKENS, heard))
    assert_equal(twice, Constant(0).then(schedule, one + other).at(TOKENS, heard))


@check
@given(any_schedule, counts(1, 30), st.none() | counts(1, 5), hearings)
def test_repeat_is_its_first_period_again_and_again(
    schedule: Schedule, every: int, times: int | None, heard: Heard
) -> None:
    repeated = schedule.repeat(times, every).at(TOKENS, heard)
    for begin in range(0, N if times is None else min(N, times * every), every):
        n = min(every, N - begin)
        assert_equal(repeated[begin : begin + n], schedule.at(TOKENS[:n], heard.since(begin)))
    if times is not None and times * every < N:
        last = schedule.at(np.array([every]), heard.since((times - 1) * every))
        assert_equal(repeated[times * every :], np.repeat(last, N - times * every))


@check
@given(ending)
def test_repeat_begins_anew_at_the_end(schedule: Schedule) -> None:
    assert_equal(schedule.repeat().at(TOKENS), schedule.repeat(every=schedule.length).at(TOKENS))


@pytest.mark.slow
@check
@given(any_schedule, any_schedule, any_schedule, hearings)
def test_sum_and_product_are_token_by_token(
    a: Schedule, b: Schedule, c: Schedule, heard: Heard
) -> None:
    x, y, z = (each.at(TOKENS, heard) for each in (a, b, c))
    assert_equal((a + b).at(TOKENS, heard), x + y)
    assert_equal((a + (b + c)).at(TOKENS, heard), x + y + z)
    assert a + (b + c) == (a + b) + c
    a, b = a.clamp(-3, 3), b.clamp(-3, 3)
    assert_equal((a * b).at(TOKENS, heard), x.clip(-3, 3) * y.clip(-3, 3))


@check
@given(any_schedule, hearings)
def test_zero_and_one_are_neutral(schedule: Schedule, heard: Heard) -> None:
    plain = schedule.at(TOKENS, heard)
    assert not (schedule * 0).at(TOKENS, heard).any()
    assert (schedule * 0).bounds() == (0, 0)
    for same in (schedule + 0, 0 + schedule, schedule * 1, 1 * schedule, schedule.delay(0)):
        assert (same.at(TOKENS, heard) == plain).all()
        assert same.length == schedule.length


@check
@given(any_schedule, st.tuples(sizes, sizes).map(sorted), hearings)
def test_clamping_twice_is_clamping_once(
    schedule: Schedule, ends: list[float], heard: Heard
) -> None:
    low, high = ends
    once = schedule.clamp(low, high)
    clamped = once.at(TOKENS, heard)
    assert (clamped == np.clip(schedule.at(TOKENS, heard), low, high)).all()
    assert (once.clamp(low, high).at(TOKENS, heard) == clamped).all()


def test_of_two_maxima_the_smaller_counts() -> None:
    assert Ramp(0, 3, 3).max(1).max(2) == Ramp(0, 3, 3).max(1) == Ramp(0, 3, 3).max(2).max(1)


# -- drift -------------------------------------------------------------------------------------


def test_drift_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    drift = Drift(0.6, 0.2, 30, seed=7)
    assert values(drift) == values(Drift(0.6, 0.2, 30, seed=7))
    assert values(drift) != values(Drift(0.6, 0.2, 30, seed=8))
    # Written down, so that no other version of Python or numpy changes what a seed stands for.
    known = [0.6, 0.6690428, 0.6561279, 0.5842219, 0.6236931]
    assert values(drift, 5) == pytest.approx(known, abs=1e-6)


def walk(seed: int, half_life: float, n: int) -> list[float]:
    """Around 0, of unit spread, by Python's own generator."""
    bits, kept = random.Random(seed), 0.5 ** (1 / half_life)
    stirred, strayed = (1 - kept * kept) ** 0.5, [0.0]
    while len(strayed) < n:
        drawn = NormalDist().inv_cdf((bits.getrandbits(52) + 0.5) / 2**52)
        strayed.append(kept * strayed[-1] + stirred * drawn)
    return strayed


@check
@given(seed=st.integers(0, 2**32 - 1), half_life=st.floats(0.01, 1e6))
@example(seed=0, half_life=30.0)
def test_drift_is_pythons_walk_bit_for_bit(seed: int, half_life: float) -> None:
    expected = np.clip(walk(seed, half_life, 300), -4, 4)
    assert np.array_equal(Drift(0, 1, half_life, seed).at(np.arange(300)), expected)


def test_drift_far_out() -> None:
    """Where numbers come from the far tails, of which there is one in some millions."""
    n = 200_000
    expected = np.clip(walk(5, 0.01, n), -4, 4)
    assert np.array_equal(Drift(0, 1, 0.01, 5).at(np.arange(n)), expected)


@check
@given(st.integers(0, 2**32 - 1), counts(1, 300), counts(300, 1000))
def test_a_shorter_drift_is_the_beginning_of_a_longer(seed: int, short: int, long: int) -> None:
    drift = Drift(0, 1, 20, seed)
    assert values(drift, long)[:short] == values(drift, short)


def test_drift_has_the_mean_spread_and_return_that_it_was_given() -> None:
    # 1500 walks, begun at the mean and seen when they have forgotten it: errors are about 2.6 %
    # of the spread for the mean, 1.8 % for the spread, 2 % for what is left of a deviation.
    at = np.array([0, 80, 90])
    begin, one, other = np.array([Drift(0.5, 0.2, 10, seed).at(at) for seed in range(1500)]).T
    assert (begin == 0.5).all()
    assert one.mean() == pytest.approx(0.5, abs=0.02)
    assert one.std() == pytest.approx(0.2, rel=0.08)
    assert np.corrcoef(one, other)[0, 1] == pytest.approx(0.5, abs=0.08)


# -- values ------------------------------------------------------------------------------------


@check
@given(any_schedule)
def test_is_an_immutable_value(schedule: Schedule) -> None:
    for same in (
        pickle.loads(pickle.dumps(schedule)),
        copy.deepcopy(schedule),
        copy.copy(schedule),
    ):
        assert same == schedule
        assert hash(same) == hash(schedule)
        assert (same.core.depth, same.core.n_schedule) == (
            schedule.core.depth,
            schedule.core.n_schedule,
        )
        assert same.listens == schedule.listens
        assert_equal(same.at(TOKENS), schedule.at(TOKENS))
    for name in (field.name for field in dataclasses.fields(schedule)):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(schedule, name, 1)


def test_equal_where_kind_and_parameters_are() -> None:
    assert Ramp(0, 1, 8) == Ramp(0.0, Fraction(1), np.int64(8), ease="linear")
    assert Keys([[0, 1]]) == Keys(((0.0, 1),))
    assert Ramp(0, 1, 8) != Ramp(0, 1, 9)
    assert Sum((Constant(2), Constant(2))) != Product((Constant(2), Constant(2)))
    assert Wave(0, 1, 8) != Ramp(0, 1, 8)
    assert len({Ramp(0, 1, 8), Ramp(0, 1, 8), Decay(0, 1)}) == 2


@given(leaves, leaves)
@settings(deadline=None, max_examples=30)
def test_all_that_it_is_made_of_is_counted(one: Schedule, other: Schedule) -> None:
    whole = On("a", one.then(other, 3) + 1).max(2)
    assert whole.core.n_schedule == 7
    assert whole.core.depth == 5


# -- limits ------------------------------------------------------------------------------------


def nested(depth: int) -> Schedule:
    schedule: Schedule = Constant(1)
    for _ in range(depth - 1):
        schedule = schedule.delay(1)
    return schedule


def grown(n_doubling: int) -> Schedule:
    schedule: Schedule = Ramp(0, 1, 1)
    for _ in range(n_doubling):
        schedule = schedule.then(schedule)
    return schedule


LIMITS: list[tuple[Any, str, str]] = [
    (lambda: Constant(1001), "constant", "between -1000 and 1000 was expected, found 1001"),
    (lambda: Constant(10**400), "constant", "found a huge number"),
    (lambda: Constant(Fraction(10**400)), "constant", "found a Fraction"),
    (lambda: Constant(float("inf")), "constant", "found inf"),
    (lambda: Constant(True), "constant", "a number was expected, found a bool"),
    (lambda: Constant(np.True_), "constant", "a number was expected"),
    (lambda: Constant("1"), "constant", "a number was expected, found '1'"),
    (lambda: Ramp(0, float("nan"), 8), "ramp[1]", "found nan"),
    (lambda: Ramp(0, 1, 0), "over", "a whole number of tokens from 1 to 1000000 was expected"),
    (lambda: Ramp(0, 1, 1_000_001), "over", "found 1000001"),
    (lambda: Ramp(0, 1, 1.5), "over", "found 1.5"),
    (lambda: Ramp(0, 1, float("inf")), "over", "found inf"),
    (lambda: Ramp(0, 1, Fraction(10**400)), "over", "found a Fraction"),
    (lambda: Ramp(0, 1, 8, "Smooth"), "ease", "linear or smooth or step was expected"),
    (lambda: Decay(1, 0), "half_life", "between 0.01 and 1e+06 was expected, found 0"),
    (lambda: Wave(0, 1, 1), "period", "between 2 and 1e+06 was expected, found 1"),
    (lambda: Pulse(1), "", "give it a hold or a release"),
    (lambda: Pulse(1, attack=9), "", "give it a hold or a release"),
    (lambda: Pulse(1, 10**6, 1), "pulse", "ends at token 1000001; 1000000 or less was expected"),
    (lambda: Keys([]), "keys", "1 to 1000 pairs [token, intensity] were expected"),
    (lambda: Keys([(i, 0) for i in range(1001)]), "keys", "found a list of 1001"),
    (lambda: Keys([[0, 0], [5, 1], [5, 2]]), "keys[2][0]", "a token after 5 was expected, found 5"),
    (lambda: Keys([[0, 0], [5]]), "keys[1]", "[token, intensity] was expected"),
    (lambda: Keys([[0, 0], [5, None]]), "keys[1][1]", "a number was expected, found null"),
    (lambda: Drift(0, -1, 9), "spread", "between 0 and 1000 was expected"),
    (lambda: Drift(0, 1, 9, seed=2**32), "seed", "a whole number from 0 to 4294967295 was"),
    (lambda: Drift(0, 1, return_=0), "return", "found 0"),
    (lambda: Drift(900, 100, 9), "drift", "can reach a size of 1300; 1000 or less was expected"),
    (lambda: Constant(600) + 600, "sum", "can reach a size of 1200; 1000 or less was expected"),
    (lambda: Constant(600) + 600 + -600, "sum", "can reach a size of 1200"),
    (lambda: Sum((Constant(600), Constant(600), Constant(-600))), "sum", "a size of 1200"),
    (lambda: Constant(40) * Ramp(0, -40, 9), "product", "can reach a size of 1600"),
    (lambda: Product([Ramp(0, 1000, 9)] * 200 + [0]), "product", "can reach a size of inf"),
    (lambda: Sum([1]), "sum", "a list of two or more schedules was expected, found a list of 1"),
    (lambda: Ramp(0, 1, 8) + "x", "sum[1]", "a number or a schedule was expected, found 'x'"),
    (lambda: Ramp(0, 1, 8) * {"ramp": [0, 1], "over": 8}, "product[1]", "found a dict"),
    (lambda: Then(1, 2), "", "never ends; say after how many tokens the next begins"),
    (lambda: Then(1, None, 5), "then[1]", "a number or a schedule was expected, found null"),
    (lambda: Then(1, 2, -1), "after", "a whole number of tokens from 0 to 1000000 was expected"),
    (lambda: Clamp(1, 2, 1), "high", "at least 2 was expected, found 1"),
    (lambda: Delay(1, 10**6 + 1), "by", "found 1000001"),
    (lambda: Delay("x", 1), "delay", "a number or a schedule was expected, found 'x'"),
    (lambda: Repeat(Wave(0, 1, 8)), "", "never ends; say every how many tokens it begins anew"),
    (lambda: Repeat(Keys([[0, 1]])), "", "has no length; say every how many tokens"),
    (lambda: Repeat(Ramp(0, 1, 8), 0), "times", "a whole number of times from 1"),
    (lambda: Repeat(Ramp(0, 1, 8), 10**6), "repeat", "ends at token 8000000; 1000000 or less was"),
    (lambda: Max(1, -1), "max", "between 0 and 1000 was expected, found -1"),
    (lambda: On("", 1), "on", "a text of 1 to 200 characters was expected, found ''"),
    (lambda: On("x" * 201, 1), "on", "a text of 1 to 200 characters was expected, found 'xxx"),
    (lambda: On("\ud83d", 1), "on", "half of a surrogate pair"),
    (lambda: On(b"x", 1), "on", "found a bytes"),
    (lambda: Custom(1), "function", "a function of the token was expected, found 1"),
    (lambda: nested(33), "delay", "nested 32 deep were expected, found 33 nested 33 deep"),
    (lambda: grown(9), "then", "at most 1000 schedules nested 32 deep were expected, found 1023"),
    (lambda: Sum([1] * 1000), "sum", "found 1001 nested 2 deep"),
]


@pytest.mark.parametrize(("make", "where", "fault"), LIMITS)
def test_what_means_nothing_is_refused_at_its_place(make: Any, where: str, fault: str) -> None:
    with pytest.raises(MoodError) as caught:
        make()
    assert caught.value.where == where
    assert fault in caught.value.fault


def test_what_just_fits_is_taken() -> None:
    assert nested(32).core.depth == 32
    assert grown(8).core.n_schedule == 511
    assert Sum([0.5] * 999).bounds() == (499.5, 499.5)
    assert Keys([(i, 0) for i in range(1000)]).length == 999
    assert Constant(1000).bounds() == (1000, 1000)
    assert values(Ramp(0, 1, 10**6), 2) == [0, 1e-6]
    assert set(Schedule.kinds) == {*notation.JSON_KINDS, *notation.BESIDE, "function"}

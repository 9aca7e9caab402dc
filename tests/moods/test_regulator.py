"""The loop that holds a reading: steps, disturbances, limits, wrong gains, noise; in simulation."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llamood._core import Regulation, Regulator
from llamood.errors import MoodError

Float64 = npt.NDArray[np.float64]
laws = settings(deadline=None, max_examples=200)


@dataclass(frozen=True)
class Settings:
    """Of a regulator."""

    target: float
    _: KW_ONLY
    gain: float
    half_life: float
    low: float
    high: float
    rate: float | None = None
    lead: float = 0.0

    @cached_property
    def made(self) -> Regulator:
        return Regulator(**vars(self))


def told(state: Regulation) -> tuple[float, float, float]:
    return state.weight, state.integral, state.reading


NOMINAL = Settings(1.0, gain=1.0, half_life=6.0, low=0.0, high=4.0)
GAINS = (0.5, 1.0, 2.0)  # the true one, as multiples of the believed one
HALF_LIVES = (4.0, 6.0, 8.0)
SETTLED = 30  # tokens
CLOSE = 0.15  # of the target


class Run(NamedTuple):
    """Each float64 (n_seed, n_token)."""

    readings: Float64
    weights: Float64

    @property
    def reading(self) -> Float64:
        """(n_token,), the mean over seeds"""
        mean: Float64 = self.readings.mean(axis=0)
        return mean


def bursts(n_seed: int, n: int, *, spread: float, correlation: float = 0.3) -> Float64:
    """(n_seed, n): noise of standard deviation ``spread``, a token's and the next correlated."""
    noise = np.random.default_rng(7).standard_normal((n_seed, n)) * spread
    for token in range(1, n):
        noise[:, token] *= math.sqrt(1 - correlation**2)
        noise[:, token] += correlation * noise[:, token - 1]
    return noise


def hold(
    settings: Settings,
    *,
    n: int = 150,
    gain: Any = 1.0,
    offset: Any = 0.0,
    noise: Float64 | None = None,
    most: float = math.inf,
    late: int = 0,
    weights: Float64 | None = None,
) -> Run:
    """``n`` tokens of each seed. ``gain``, ``offset``: numbers, or (n,). ``most``: the effect of
    the weights, however large, comes to no more. ``late``: further tokens until a weight shows.
    ``weights``: (n_seed,), what is injected instead of what the regulator says."""
    noise = np.zeros((1, n)) if noise is None else noise
    gains, offsets = np.broadcast_to(gain, n), np.broadcast_to(offset, n)
    kept, regulator = 0.5 ** (1 / settings.half_life), settings.made
    run = Run(np.zeros_like(noise), np.zeros_like(noise))
    for seed in range(len(noise)):
        state, reading, said = regulator.start(), 0.0, [0.0] * (late + 1)
        for token in range(n):
            effect = float(gains[token]) * said[-1 - late]
            if math.isfinite(most):
                effect = most * math.tanh(effect / most)
            signal = effect + float(offsets[token]) + float(noise[seed, token])
            reading = kept * reading + (1 - kept) * signal
            state = regulator.step(state, reading=reading)
            said.append(state.weight if weights is None else float(weights[seed]))
            run.readings[seed, token], run.weights[seed, token] = reading, said[-1]
    return run


def settles(reading: Float64, target: float) -> int:
    """(n_token,) -> the token from which it stays close to the target."""
    far = np.flatnonzero(np.abs(reading - target) > CLOSE * abs(target))
    return int(far[-1]) + 1 if len(far) else 0


# -- what it is for -------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [0.5, 0.25, 0.1])
@pytest.mark.parametrize("half_life", HALF_LIVES)
@pytest.mark.parametrize("gain", GAINS)
def test_a_step_settles(gain: float, half_life: float, rate: float) -> None:
    reading = hold(replace(NOMINAL, half_life=half_life, rate=rate), gain=gain).reading
    assert settles(reading, 1.0) <= SETTLED
    assert reading[-1] == pytest.approx(1.0, abs=1e-3)
    assert reading.max() <= 1.25


@pytest.mark.parametrize("half_life", HALF_LIVES)
def test_a_step_does_not_overshoot_with_the_gain_that_was_believed(half_life: float) -> None:
    reading = hold(replace(NOMINAL, half_life=half_life), gain=1.0).reading
    assert reading.max() <= 1.05
    assert (np.diff(reading[: reading.argmax()]) > 0).all()


@pytest.mark.parametrize("correlation", [0.2, 0.4])
@pytest.mark.parametrize("half_life", [4.0, 8.0])
@pytest.mark.parametrize("gain", GAINS)
def test_the_mean_settles_under_noise(gain: float, half_life: float, correlation: float) -> None:
    noise = bursts(200, 80, spread=1.0, correlation=correlation)
    run = hold(replace(NOMINAL, half_life=half_life), n=80, gain=gain, noise=noise)
    assert settles(run.reading, 1.0) <= SETTLED
    assert run.readings[:, 50:].mean() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("most", [1.3, 2.0])
def test_it_settles_where_large_weights_do_less(most: float) -> None:
    assert settles(hold(NOMINAL, most=most).reading, 1.0) <= SETTLED


DRIFTS = {
    "nothing": (1.0, 0.0),
    "gain rises": (np.linspace(0.5, 2.0, 200), 0.0),
    "gain falls": (np.linspace(2.0, 0.5, 200), 0.0),
    "offset rises": (1.0, np.linspace(-1.0, 0.8, 200)),
    "offset sways": (1.0, 0.6 * np.sin(np.arange(200) / 20)),
}


@pytest.mark.parametrize("half_life", [4.0, 8.0])
@pytest.mark.parametrize("drift", DRIFTS)
def test_it_is_nearer_than_a_weight_that_stays(drift: str, half_life: float) -> None:
    """With the same mean weight, in each seed, and noise as large as the target."""
    gain, offset = DRIFTS[drift]
    noise = bursts(60, 200, spread=1.0)
    plant: dict[str, Any] = {"n": 200, "gain": gain, "offset": offset, "noise": noise}
    regulator = replace(NOMINAL, half_life=half_life)
    closed = hold(regulator, **plant)
    same = closed.weights[:, SETTLED:].mean(axis=1)
    opened = hold(regulator, weights=same, **plant)
    errors = [((run.readings[:, SETTLED:] - 1.0) ** 2).mean() for run in (closed, opened)]
    assert errors[0] < 0.75 * errors[1]


# -- what may go wrong ----------------------------------------------------------------------


@pytest.mark.parametrize("half_life", HALF_LIVES)
@pytest.mark.parametrize("disturbance", [-0.8, 0.6])
def test_a_disturbance_is_made_good(disturbance: float, half_life: float) -> None:
    offset = np.where(np.arange(200) < 100, 0.0, disturbance)
    reading = hold(replace(NOMINAL, half_life=half_life), n=200, offset=offset).reading
    assert settles(reading[100:], 1.0) <= SETTLED


@pytest.mark.parametrize("late", [0, 1])
@pytest.mark.parametrize("half_life", HALF_LIVES)
def test_it_is_stable_at_four_times_the_gain(half_life: float, late: int) -> None:
    reading = hold(replace(NOMINAL, half_life=half_life), gain=4.0, late=late).reading
    assert settles(reading, 1.0) <= SETTLED
    assert np.abs(reading[100:] - 1.0).max() < 1e-3


@pytest.mark.parametrize("late", [0, 1])
def test_noise_does_not_make_it_swing_at_four_times_the_gain(late: int) -> None:
    noise = bursts(60, 200, spread=1.0)
    closed = hold(NOMINAL, n=200, gain=4.0, late=late, noise=noise)
    opened = hold(NOMINAL, n=200, gain=4.0, noise=noise, weights=np.full(60, 0.25))
    assert closed.readings[:, SETTLED:].std() < opened.readings[:, SETTLED:].std()
    assert closed.readings[:, SETTLED:].mean() == pytest.approx(1.0, abs=CLOSE)


@pytest.mark.parametrize("n_out_of_reach", [40, 400])
@pytest.mark.parametrize("half_life", HALF_LIVES)
def test_time_at_a_limit_does_not_wind_it_up(half_life: float, n_out_of_reach: int) -> None:
    """It leaves the limit as soon as the target can be reached again, and not only when it is."""
    n = n_out_of_reach + 100
    offset = np.where(np.arange(n) < n_out_of_reach, -6.0, 0.0)
    run = hold(replace(NOMINAL, half_life=half_life), n=n, offset=offset)
    assert run.weights[0, n_out_of_reach - 1] == 4.0
    reading, weights = run.reading[n_out_of_reach:], run.weights[0, n_out_of_reach:]
    assert np.flatnonzero(weights < 4.0)[0] <= 3
    assert settles(reading, 1.0) <= SETTLED


def test_an_error_that_presses_on_a_limit_is_not_summed_up() -> None:
    pressed = Regulation(4.0, 3.0)
    assert told(NOMINAL.made.step(pressed, reading=-3.0)) == (4.0, 3.0, -3.0)


def test_another_target_is_reached_without_a_jump() -> None:
    kept, regulator = 0.5 ** (1 / 6), NOMINAL.made
    state, reading, readings, weights = regulator.start(), 0.0, [], [0.0]
    for target in [1.0] * 60 + [0.4] * 60:
        regulator = replace(NOMINAL, target=target).made
        reading = kept * reading + (1 - kept) * state.weight
        state = regulator.step(state, reading=reading)
        readings.append(reading)
        weights.append(state.weight)
    assert np.abs(np.diff(weights)).max() <= regulator.stride + 1e-12
    assert settles(np.array(readings[60:]), 0.4) <= SETTLED


def test_nothing_is_added_to_what_is_at_zero_already() -> None:
    assert not hold(replace(NOMINAL, target=0.0, low=-4.0)).weights.any()


def test_a_target_of_zero_is_held_against_an_offset() -> None:
    reading = hold(replace(NOMINAL, target=0.0, low=-4.0), offset=0.7).reading
    assert np.abs(reading[SETTLED:]).max() <= CLOSE * 0.7


@pytest.mark.parametrize("gain", GAINS)
def test_a_negative_target_is_held_like_a_positive_one(gain: float) -> None:
    noise = bursts(5, 100, spread=0.5)
    above = replace(NOMINAL, low=-3.0, high=4.0)
    below = replace(above, target=-1.0, low=-4.0, high=3.0)
    runs = [hold(above, n=100, gain=gain, noise=noise), hold(below, n=100, gain=gain, noise=-noise)]
    np.testing.assert_allclose(runs[0].readings, -runs[1].readings, atol=1e-12)


# -- what has the last word on the weight ------------------------------------------------------


def limited(most: float, *, kept: float = 0.0, n: int = 100, release: int = 60) -> Float64:
    """(n, 2), readings and weights of the nominal loop, whose weight something else holds at
    ``most`` until ``release``, and holds back (``kept`` of the distance) all the time."""
    state, reading, weight, rows = NOMINAL.made.start(), 0.0, 0.0, []
    for token in range(n):
        reading += (1 - 0.5 ** (1 / 6)) * (weight - reading)
        state = NOMINAL.made.step(state, reading=reading)
        allowed = min(state.weight, most) if token < release else state.weight
        weight = allowed + kept * (weight - allowed)
        state = NOMINAL.made.follow(state, allowed=allowed, weight=weight)
        rows.append((reading, weight))
    return np.array(rows)


def test_what_another_limit_holds_back_is_not_summed_up() -> None:
    rows = limited(0.5)
    assert rows[59] == pytest.approx([0.5, 0.5], abs=0.01)
    assert rows[60:, 1].max() < 2.0  # from 0.5, what the error makes of it, and nothing stored
    assert rows[60:, 0].max() <= 1.05
    assert settles(rows[60:, 0], 1.0) <= SETTLED


def test_nothing_changes_where_nothing_else_has_a_say() -> None:
    np.testing.assert_array_equal(limited(math.inf), limited(10.0))
    state = Regulation(0.5, 0.3, 0.2)
    assert told(NOMINAL.made.follow(state, allowed=0.5, weight=0.5)) == told(state)


def test_it_arrives_through_inertia_without_winding_up() -> None:
    rows = limited(math.inf, kept=0.5 ** (1 / 4), n=200)
    assert rows[-1] == pytest.approx([1.0, 1.0], abs=0.02)
    assert rows[:, 0].max() <= 1.3


def test_looking_ahead_tames_a_weight_that_shows_late() -> None:
    plain = hold(NOMINAL, gain=1.5, late=4).reading
    ahead = hold(replace(NOMINAL, lead=2.0), gain=1.5, late=4).reading
    assert ahead.max() < plain.max() - 0.2
    assert settles(ahead, 1.0) <= SETTLED < settles(plain, 1.0)


# -- laws -----------------------------------------------------------------------------------

sizes = st.floats(1e-3, 1e3)
readings = st.lists(st.floats(), max_size=40)
regulators = st.builds(
    lambda target, gain, half_life, low, width, rate: Settings(
        target, gain=gain, half_life=half_life, low=low, high=low + width, rate=rate
    ),
    st.floats(-1e3, 1e3),
    sizes,
    st.floats(1e-6, 1e6),
    st.floats(-10, 10),
    st.floats(0.1, 20),
    st.none() | sizes,
)


@laws
@given(regulators, readings, st.floats(-50, 50))
@example(replace(NOMINAL, half_life=1e-6), [1e308, -1e308], 0.0)
def test_the_weight_keeps_to_limits_and_rate(
    made_of: Settings, given_readings: list[float], before: float
) -> None:
    regulator = made_of.made
    state = regulator.start(before)
    inside = regulator.low <= before <= regulator.high
    for reading in given_readings:
        last, state = state, regulator.step(state, reading=reading)
        assert abs(state.weight - last.weight) <= regulator.stride * (1 + 1e-9) + 1e-9
        inside = inside or regulator.low <= state.weight <= regulator.high
        if inside:
            assert regulator.low <= state.weight <= regulator.high
        assert regulator.low <= state.integral <= regulator.high


@pytest.mark.parametrize("before", [-2.0, 6.0])
def test_from_outside_the_limits_it_comes_back(before: float) -> None:
    state = NOMINAL.made.start(before)
    for _ in range(8):
        state = NOMINAL.made.step(state, reading=1.0)
    assert 0.0 <= state.weight <= 4.0


@pytest.mark.parametrize("reading", [math.nan, math.inf, -math.inf])
def test_a_reading_that_is_none_changes_nothing(reading: float) -> None:
    state = NOMINAL.made.step(NOMINAL.made.start(0.5), reading=0.2)
    assert told(NOMINAL.made.step(state, reading=reading)) == told(state)


@pytest.mark.parametrize(
    ("fault", "where"),
    [
        ({"target": math.nan}, "target"),
        ({"gain": 0.0}, "gain"),
        ({"gain": -1.0}, "gain"),
        ({"half_life": 0.0}, "half_life"),
        ({"half_life": 1e9}, "half_life"),
        ({"high": math.inf}, "high"),
        ({"low": 4.0}, "high"),
        ({"rate": 0.0}, "rate"),
        ({"lead": -1.0}, "lead"),
        ({"lead": math.inf}, "lead"),
    ],
)
def test_settings_that_mean_nothing_are_refused(fault: dict[str, float], where: str) -> None:
    with pytest.raises(MoodError) as caught:
        _ = replace(NOMINAL, **fault).made
    assert caught.value.where == where

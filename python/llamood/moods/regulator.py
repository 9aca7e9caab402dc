"""Holds the reading of an emotion at a target, by the weight that is injected at each token.

What is regulated, as far as it is known: the signal of a token is ``gain * weight + offset +
noise``, with the weight of the token before, and the reading is that signal smoothed, which is a
first-order lag of known half-life. Tuned as in S. Skogestad, Simple analytic rules for model
reduction and PID controller tuning (J. Process Control 13, 2003): the integral time is the time
constant of the lag, which cancels it, and one number sets the speed of the loop that remains. In
tokens instead of continuous time the cancellation is exact: of an error each token makes good
the share `SPEED`, or ``k * SPEED`` if the true gain is ``k`` times the believed one. So nothing
overshoots up to ``k = 1 / SPEED``, and up to ``k = 2 / SPEED`` the loop is stable.
"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import NamedTuple

from llamood.errors import MoodError
from llamood.moods.parameters import LONGEST

SPEED = 0.16  # in Skogestad's terms about 1 / (tau_c + theta): 5 tokens and the one of delay
_STRIDES = 16  # from one limit to the other, unless a rate is given
# Where the rate holds the weight back, the integral follows it with twice the integral time:
# K. J. Astrom, T. Hagglund, PID Controllers (1995), 3.5, back-calculation. If it went on alone it
# would overshoot; if it stopped, as it does at the limits, noise would keep it from its goal.
_TRACKING = 0.5


class Regulation(NamedTuple):
    """The running state. ``weight``: what is injected. ``integral``: what of it was summed up
    from errors; the rest is proportional to the last one. ``reading``: the last one, NaN where
    there was none."""

    weight: float
    integral: float
    reading: float = math.nan


@dataclass(frozen=True)
class Regulator:
    """Settings. The state is a value of its own, so that tokens can be taken back.

    ``target``: where the reading shall be. ``gain``: by how much one unit of weight is believed
    to move the reading in the end, above 0; the truth may be from half to four times as much.
    ``half_life``: that of the smoothing, in tokens, above 0 and up to a million. ``low``,
    ``high``: what the weight stays between. ``rate``: the most that it changes from token to
    token, above 0; by default a sixteenth of the way from ``low`` to ``high``. With a rate of at
    least a tenth of ``target / gain`` the reading settles within 30 tokens. ``lead``: how many
    tokens it looks ahead along the slope of the reading (derivative action), 0 or more; for a
    weight that shows late.

    Raises MoodError for settings that are not finite or out of range.
    """

    target: float
    _: KW_ONLY
    gain: float
    half_life: float
    low: float
    high: float
    rate: float | None = None
    lead: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None and not math.isfinite(value):
                raise MoodError(name, f"a finite number was expected, found {value}")
            if name in ("gain", "half_life", "rate") and value is not None and value <= 0:
                raise MoodError(name, f"a number above 0 was expected, found {value:g}")
        if self.half_life > LONGEST:
            fault = f"{LONGEST} tokens or less were expected, found {self.half_life:g}"
            raise MoodError("half_life", fault)
        if not 0 <= self.lead <= LONGEST:
            raise MoodError("lead", f"0 to {LONGEST} tokens were expected, found {self.lead:g}")
        if self.low >= self.high:
            raise MoodError("high", f"more than {self.low:g} was expected, found {self.high:g}")

    @property
    def stride(self) -> float:
        """The most that the weight changes from token to token."""
        return (self.high - self.low) / _STRIDES if self.rate is None else self.rate

    def start(self, weight: float = 0.0) -> Regulation:
        """The state that goes on from ``weight``, injected last."""
        return Regulation(weight, _within(weight, low=self.low, high=self.high))

    @property
    def expected(self) -> float:
        """The weight that is believed to reach the target, within the limits."""
        return _within(self.target / self.gain, low=self.low, high=self.high)

    def follow(self, state: Regulation, *, allowed: float, weight: float) -> Regulation:
        """``state``, where something else had the last word on its weight.

        ``allowed``: what limits left of it, from which it goes on, so that nothing is summed up
        beyond them. ``weight``: what was injected, which may still be on its way there.
        """
        if allowed == weight == state.weight:
            return state
        integral = state.integral + (allowed - state.weight)
        integral += _TRACKING * (1 - self._kept) * (weight - allowed)
        return Regulation(weight, _within(integral, low=self.low, high=self.high), state.reading)

    def step(self, state: Regulation, *, reading: float) -> Regulation:
        """What follows ``state`` at the next token, the last reading being ``reading``.

        From a weight outside the limits it comes back to them at the rate. A reading that is not
        finite says nothing: all stays as it is.
        """
        if not math.isfinite(reading):
            return state
        kept = self._kept
        rising = 0.0
        if self.lead and math.isfinite(state.reading):
            rising = self.lead * (reading - state.reading)
        summand = SPEED * (self.target - reading - rising) / self.gain
        wanted = state.integral + summand / (1 - kept)  # itself, and tau times it
        allowed = _within(wanted, low=self.low, high=self.high)
        weight = _within(allowed, low=state.weight - self.stride, high=state.weight + self.stride)
        integral = state.integral + _TRACKING * (1 - kept) * (weight - allowed)
        if wanted == allowed:  # the integral is within, so only an error that presses on a limit
            integral += summand  # gets beyond it
        return Regulation(weight, _within(integral, low=self.low, high=self.high), reading)

    @property
    def _kept(self) -> float:
        return float(0.5 ** (1 / self.half_life))


def _within(value: float, *, low: float, high: float) -> float:
    return min(max(value, low), high)

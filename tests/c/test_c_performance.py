"""A mood over an answer in C++: what Python's performance applies, under limits, with inertia, when
the mood changes and when texts are heard."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from c_library import program
from llamood.errors import MoodError
from llamood.moods.mood import Mood
from llamood.moods.performance import Performance
from llamood.moods.steering import Notice, Steering
from llamood.moods.steering_vectors import SteeringVectors
from llamood.vectors.emotion_vectors import EmotionVectors, Measurement, Site
from schedules import WORDS, schedules

NAMES = ("anger", "joy", "sadness")
N_LAYER, N_EMBD = 4, 16
N = 60
laws = settings(deadline=None, max_examples=150)


@dataclass
class Scenario:
    """A mood, and others that take over at some tokens, of an answer in which ``said`` is said."""

    mood: dict[str, Any]
    ceilings: tuple[float | None, ...] = (None, None, None)
    before: tuple[float, ...] = (0.0, 0.0, 0.0)
    site: Site = "layer_out"
    changes: dict[int, dict[str, Any]] = field(default_factory=dict)
    said: list[bytes] = field(default_factory=lambda: [b"."] * N)
    residual: tuple[float, ...] | None = None

    def vectors(self) -> SteeringVectors:
        rng = np.random.default_rng(5)
        shared = rng.standard_normal((N_LAYER, N_EMBD))
        own = 0.5 * rng.standard_normal((len(NAMES), N_LAYER, N_EMBD))
        data = (shared + own) * np.geomspace(1, 10, N_LAYER)[:, np.newaxis]
        measurement = Measurement(site=self.site, residual_rms=self.residual)
        return SteeringVectors.of(EmotionVectors(NAMES, data, measurement, ceiling=self.ceilings))


@dataclass(frozen=True)
class Played:
    """float (n, n_emotion) each: what was asked, applied as float32 and as float64; and of what
    something was taken away."""

    asked: npt.NDArray[np.float64]
    applied: npt.NDArray[np.float64]
    after: npt.NDArray[np.float64]
    noticed: dict[str, str]


def in_python(scenario: Scenario) -> Played:
    vectors, notices = scenario.vectors(), list[Notice]()
    steering = {
        token: Steering(Mood(mood), vectors)
        for token, mood in {0: scenario.mood, **scenario.changes}.items()
    }
    performance = Performance(
        steering[0], position=0, before=np.array(scenario.before), notice=notices.append
    )
    rows = []
    for token in range(N + 1):
        if token > 0:
            if token in steering:
                performance.change(steering[token], token)
                again = range(1, token + 1)  # what an earlier mood did not listen to
            else:
                again = range(token, token + 1)
            for each in again:
                performance.hear(each, piece=scenario.said[each - 1])
        rows.append((*performance.row(token), performance.after(token)))
    asked, applied, after = (np.array(each, dtype=np.float64) for each in zip(*rows, strict=True))
    return Played(asked, applied, after, {notice.what: notice.text for notice in notices})


class Player:
    """The program that plays scenarios in C++."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [program("perform")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def play(self, scenario: Scenario) -> Played:
        """Raises MoodError."""
        does: list[list[Any]] = []
        for token in range(N + 1):
            if token > 0:
                does.append(["hear", token, list(scenario.said[token - 1])])
            if token in scenario.changes:
                does.append(["change", token, scenario.changes[token]])
            does += [[what, token] for what in ("asked", "row", "after")]
        vectors = scenario.vectors()
        told = {
            "names": NAMES,
            "ceilings": scenario.ceilings,
            "data": vectors.data.ravel().tolist(),
            "n_layer": N_LAYER,
            "n_embd": N_EMBD,
            "first_layer": vectors.first_layer,
            "residual": vectors.residual.tolist(),
            "before": scenario.before,
            "mood": scenario.mood,
            "does": does,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()
        said = json.loads(self._process.stdout.readline())
        if "error" in said:
            raise MoodError("", said["error"])
        rows = np.array(said["rows"], dtype=np.float64)
        return Played(rows[0::3], rows[1::3], rows[2::3], dict(said["notices"]))

    def close(self) -> None:
        self._process.communicate()


@cache
def player() -> Player:
    return Player()


@pytest.fixture(autouse=True, scope="module")
def _closed() -> Iterator[None]:
    yield
    if player.cache_info().currsize:
        player().close()
        player.cache_clear()


def assert_same(scenario: Scenario) -> Played:
    """What Python and C++ agree on."""
    expected = in_python(scenario)
    found = player().play(scenario)
    for one, other in (
        (found.asked, expected.asked),
        (found.applied, expected.applied),
        (found.after, expected.after),
    ):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6 * np.abs(other).max())
    # Python looks ahead where it can, so it may notice more.
    assert found.noticed.keys() <= expected.noticed.keys()
    return found


# -- scenarios ---------------------------------------------------------------------------------

felt = schedules(st.sampled_from(WORDS))
weights = st.floats(-4, 4).map(lambda weight: round(weight, 6))
said = st.lists(
    st.sampled_from([b"b", b"et", b"ray", b"betray", b"a", b"ab", b"", b". ", "é".encode()[:1]]),
    min_size=N,
    max_size=N,
)


@st.composite
def moods(draw: st.DrawFn) -> dict[str, Any]:
    mood: dict[str, Any] = draw(
        st.dictionaries(st.sampled_from((*NAMES, "base")), weights | felt, max_size=3)
    )
    others = {
        "$blend": st.sampled_from(["sum", "shared-once"]),
        "$layers": st.tuples(st.integers(0, 3), st.integers(1, 3)).map(sorted),
        "$inertia": st.floats(0.1, 50),
        "$max": st.floats(0, 3),
    }
    mood |= {key: draw(values) for key, values in others.items() if draw(st.booleans())}
    return Mood(mood).to_dict()


ceilings = st.tuples(*[st.none() | st.floats(0.1, 3)] * 3) | st.tuples(*[st.floats(0.1, 3)] * 3)
scenarios = st.builds(
    Scenario,
    mood=moods(),
    ceilings=ceilings,
    before=st.tuples(weights, weights, weights),
    site=st.sampled_from(["layer_out", "attn_out"]),
    changes=st.dictionaries(st.integers(1, N), moods(), max_size=3),
    said=said,
    residual=st.none() | st.tuples(*[st.just(0.0) | st.floats(0.1, 10)] * N_LAYER),
)


@pytest.mark.slow
@laws
@given(scenarios)
def test_what_is_applied_is_what_python_applies(scenario: Scenario) -> None:
    assert_same(scenario)


LIMITED = (1.0, 2.0, 1.5)
KNOWN = (0.0, 5.0, 9.0, 0.0)  # sizes of hidden states, two of which were not measured


@pytest.mark.parametrize(
    ("scenario", "noticed"),
    [
        (Scenario({"joy": {"ramp": [0, 4], "over": 4}}, LIMITED), {"joy"}),
        (Scenario({"joy": 2, "anger": 1}, LIMITED), {"$max"}),
        (Scenario({"joy": 9, "anger": 9}, LIMITED), {"joy", "anger", "$max"}),
        (Scenario({"joy": 9, "anger": -9}, (1.0, 2.0, None)), {"joy", "anger"}),
        (Scenario({"joy": {"constant": 9, "max": 3}}, LIMITED), set()),
        (Scenario({"joy": {"constant": 9, "max": 9}, "$max": 100}, LIMITED), set()),
        (Scenario({"base": {"constant": 9, "max": 3}, "$max": 0.5}), {"$max"}),
        (Scenario({"joy": 9, "$inertia": 5}, LIMITED, before=(1.0, -1.0, 0.5)), {"joy"}),
        (Scenario({"joy": 9, "$max": 100}, LIMITED), {"joy"}),
        (Scenario({"joy": 1, "$max": 0}), {"$max"}),
        # Of vectors that were never calibrated.
        (Scenario({"joy": 1, "sadness": 1}, residual=KNOWN), {"joy", "sadness", "$max"}),
        (Scenario({"joy": 1}, residual=KNOWN, site="attn_out"), {"joy"}),
        (Scenario({"joy": 1, "anger": 1}, (1.0, None, 1.0), residual=KNOWN), {"joy", "$max"}),
        (Scenario({"joy": {"constant": 9, "max": 3}}, residual=KNOWN), set()),
        (Scenario({"joy": 1, "$max": 2}, residual=KNOWN), set()),
        (Scenario({"base": 1}, residual=KNOWN), {"$max"}),
    ],
)
def test_limits_are_those_of_python_and_are_told(scenario: Scenario, noticed: set[str]) -> None:
    found = assert_same(scenario)
    expected = in_python(scenario).noticed
    assert found.noticed.keys() == expected.keys() == noticed
    for what, text in found.noticed.items():
        first_words = expected[what].split(";")[0]
        assert text.startswith(first_words)


def test_a_text_that_is_heard_starts_what_python_starts() -> None:
    alarm = {"anger": {"on": "betray", "pulse": 1.5, "release": 8}, "$inertia": 2}
    spoken = [b"no", b" be", b"tr", b"ay", b"!", b"betray", *[b"."] * N]
    found = assert_same(Scenario(alarm, said=spoken))
    assert found.applied[3, 0] == 0
    assert found.applied[4, 0] > 0
    # A mood that begins while the text is said hears the end of it.
    late = Scenario({"joy": 1}, changes={4: alarm}, said=spoken)
    found = assert_same(late)
    assert found.applied[4, 0] > 0
    later = assert_same(Scenario({"joy": 1}, changes={7: alarm}, said=spoken))
    assert not later.applied[:, 0].any()


@pytest.mark.parametrize(
    "mood",
    [
        {"joi": 1},
        {"joy": 1, "$layers": [1, 4]},
        {"joy": 1, "$layers": [0, 0]},
        {"joy": {"ramp": [0, 1]}},
    ],
)
def test_a_mood_that_does_not_fit_is_refused_in_the_same_words(mood: dict[str, Any]) -> None:
    with pytest.raises(MoodError) as expected:
        in_python(Scenario(mood))
    with pytest.raises(MoodError) as found:
        player().play(Scenario(mood))
    assert found.value.fault == str(expected.value)

"""What a mood will come to, said before an answer, is what the answer is said under."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import tiny_chat
from llamood.errors import MoodError
from llamood.moods.forecast import Forecast, forecast
from llamood.moods.mood import Mood
from llamood.voices.cast import Cast

N = 24


@pytest.fixture(scope="module")
def cast() -> Iterator[Cast]:
    with Cast(
        tiny_chat.MODEL,
        emotions=tiny_chat.VECTORS,
        readings=True,
        voices=1,
        n_ctx=128,
        verbose=False,
    ) as cast:
        yield cast


def foreseen(cast: Cast, mood: dict[str, Any]) -> Forecast:
    return forecast(cast.understand(Mood(mood)), n_token=N)


@pytest.mark.filterwarnings("ignore::llamood.errors.MoodWarning")
@pytest.mark.parametrize(
    "mood",
    [
        {},
        {"joy": 0.5, "fear": -0.2},
        {"joy": {"ramp": [0, 3], "over": 10}},
        {"joy": {"wave": [0, 1], "period": 7}, "$inertia": 5},
        {"valence": -0.6, "arousal": 0.4},
        {"anger": {"on": "no such text", "pulse": 1.0, "release": 4}, "$max": 0.5},
        {"joy": 0.3, "$dose": "relative", "$blend": "shared-once"},
    ],
)
def test_an_answer_is_said_under_what_was_foreseen(cast: Cast, mood: dict[str, Any]) -> None:
    voice = cast.join(mood=mood, seed=1, max_tokens=N)
    events = list(cast.say({voice: "Tell me about bread."}))
    cast.leave(voice)
    names = cast.emotions.names
    expected = foreseen(cast, mood)
    assert len(events) > N // 2
    for told, rows in (("asked", expected.asked), ("mood", expected.applied)):
        said = [[getattr(event, told).get(name, 0.0) for name in names] for event in events]
        assert np.array_equal(np.array(said, np.float32), rows[: len(events)])


def test_it_tells_what_limits_take_away(cast: Cast) -> None:
    within, beyond = foreseen(cast, {"joy": 0.5}), foreseen(cast, {"joy": 9.0})
    assert within.notices == ()
    assert np.array_equal(within.asked, within.applied)
    (notice,) = beyond.notices
    assert "joy" in notice
    assert (beyond.applied < beyond.asked).any()


def test_what_holds_a_reading_cannot_be_foreseen(cast: Cast) -> None:
    with pytest.raises(MoodError, match=r"joy.*foreseen"):
        foreseen(cast, {"joy": {"hold": 1.0}})

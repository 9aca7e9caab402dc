"""A cast that takes up vectors with more emotions: who speaks goes on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from test_cast import FLOAT32_CACHE, open_cast
from test_saved_voice import BREAD, CASES, DRAWN, RAIN, same, spoken, told

import llamood
import tiny_chat
from llamood.calibration.baseline_extension import without
from llamood.errors import LlamoodError, MoodError
from llamood.readings.probe import Probe
from llamood.vectors.emotion_vectors import EmotionVectors
from open_voices import random_vectors

LATER = "disgust"  # between others, so that those have other places then


def fewer() -> EmotionVectors:
    evs = llamood.load(tiny_chat.VECTORS)
    return evs.select([name for name in evs.names if name != LATER])


def fewer_read() -> Probe:
    return without(Probe.load(tiny_chat.VECTORS), LATER, method=fewer().measurement.method)


def shared(felt: Mapping[str, float]) -> dict[str, float]:
    return {name: weight for name, weight in felt.items() if name != LATER}


@pytest.mark.parametrize("case", ["neutral", "ramp", "inertia", "everywhere"])
@pytest.mark.parametrize("after", [0, 1, 12])
def test_an_answer_goes_on_token_by_token(case: str, after: int) -> None:
    with open_cast(emotions=fewer()) as cast, open_cast(emotions=fewer()) as other:
        expected = told(other.say({other.join(mood=CASES[case], **DRAWN): RAIN}))
        voice = cast.join(mood=CASES[case], **DRAWN)
        events = iter(cast.say({voice: RAIN}))
        found = [next(events) for _ in range(after)]
        cast.take_up(tiny_chat.VECTORS)
        found += list(events)
        assert spoken(found) == spoken(expected)
        assert [shared(same(event)["mood"]) for event in found] == [
            same(event)["mood"] for event in expected
        ]
        assert voice.messages[-1]["content"] == "".join(event.text for event in found)


@pytest.mark.parametrize("case", ["gated", "of the user", "held", "capped"])
def test_what_is_read_of_it_goes_on_and_more_is(case: str) -> None:
    how: dict[str, Any] = {"emotions": fewer(), "readings": fewer_read(), **FLOAT32_CACHE}
    with open_cast(**how) as cast, open_cast(**how) as other:
        drawn = {**DRAWN, "temperature": 0}
        expected = told(other.say({other.join(mood=CASES[case], **drawn): RAIN}))
        voice = cast.join(mood=CASES[case], **drawn)
        events = iter(cast.say({voice: RAIN}))
        found = [next(events) for _ in range(9)]
        cast.take_up(tiny_chat.VECTORS)
        found += list(events)
        assert spoken(found) == spoken(expected)
        last, before = found[-1].reading, expected[-1].reading
        assert last is not None
        assert before is not None
        assert shared(last) == pytest.approx(before, abs=0.05)
        assert LATER in last


def test_a_file_of_an_answer_goes_on_where_there_are_more_emotions(tmp_path: Path) -> None:
    with open_cast(emotions=fewer()) as cast, open_cast() as other:
        voice = cast.join(mood=CASES["inertia"], **DRAWN)
        events = iter(cast.say({voice: RAIN}))
        for _ in range(12):
            next(events)
        voice.save(tmp_path / "mia", cache=True)
        loaded = other.load(tmp_path / "mia")
        assert spoken(told(other.listen(loaded))) == spoken(list(events))
        assert shared(loaded.felt) == voice.felt


def test_voices_are_who_they_were_and_feel_what_is_new() -> None:
    with open_cast(emotions=fewer()) as cast:
        gone, mia = cast.join(), cast.join("You are a baker.", mood={"joy": 0.5}, **DRAWN)
        told(cast.say({mia: BREAD}))
        cast.leave(gone)
        before = mia.messages, mia.mood, dict(mia.felt), mia.sampling
        with pytest.raises(MoodError):
            cast.feel(mia, {LATER: 1.0})
        cast.take_up(tiny_chat.VECTORS)
        assert cast.voices == (mia,)
        assert (mia.messages, mia.mood, shared(mia.felt), mia.sampling) == before
        cast.feel(mia, {LATER: 1.0})
        events = told(cast.say({mia: RAIN}))
        assert events[-1].mood[LATER] == 1.0
        cast.leave(mia)
        assert cast.voices == ()


def test_what_does_not_fit_changes_nothing(tmp_path: Path, random_chat: Path) -> None:
    alien = random_vectors(random_chat, names=llamood.load(tiny_chat.VECTORS).names)
    llamood.save(alien, tmp_path)
    with open_cast() as cast, open_cast() as other:
        voice, same_one = (each.join(mood={"joy": 0.5}, **DRAWN) for each in (cast, other))
        events = iter(cast.say({voice: RAIN}))
        found = [next(events) for _ in range(5)]
        with pytest.raises(LlamoodError, match=f"no emotion '{LATER}' here; there are anger"):
            cast.take_up(fewer())
        for unfit in (tmp_path, tmp_path / "nothing"):
            with pytest.raises(LlamoodError):
                cast.take_up(unfit)
        found += list(events)
        assert spoken(found) == spoken(told(other.say({same_one: RAIN})))
        cast.feel(voice, joy=lambda token: 0.5)
        with pytest.raises(MoodError):
            cast.take_up(tiny_chat.VECTORS)
        assert told(cast.say({voice: BREAD}))[-1].finish_reason is not None

"""What the face of a voice shows: a label that stays, and where readings lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from test_cast import open_cast

from llamood import _core
from llamood.errors import LlamoodError

NAMES = ("anger", "fear", "joy")
ALL: list[tuple[str, str | None]] = [(name, name) for name in NAMES]


def shown(readings: Sequence[Sequence[float]], faces: Any = ALL) -> list[str]:
    face, worn = _core.Face(), _core.FaceSet(faces, NAMES)
    return [face.see(worn, reading) for reading in readings]


def test_it_shows_the_highest_that_is_clear_for_four_tokens() -> None:
    readings = [(0, 0, 0.9)] * 5 + [(1.4, 0, 1.5)] * 5
    assert shown(readings) == ["neutral"] * 8 + ["joy"] * 2
    assert shown([()] * 3 + [(0, 2, 0)] * 4)[-2:] == ["neutral", "fear"]


@pytest.mark.parametrize(
    ("then", "expected"),
    [
        ((0.0, 0.0, 0.5), "joy"),  # it stays while it is above half of what it took to begin
        ((0.0, 0.0, 0.49), "neutral"),
        ((1.9, 0.0, 1.5), "joy"),  # and while none is clearly higher
        ((2.0, 0.0, 1.5), "anger"),
        ((1.2, 0.0, 0.6), "anger"),
        ((0.9, 0.0, 0.1), "neutral"),
    ],
)
def test_it_stays_until_another_is_clear(then: tuple[float, ...], expected: str) -> None:
    assert shown([(0, 0, 2)] * 4 + [then] * 3)[-1] == "joy"
    assert shown([(0, 0, 2)] * 4 + [then] * 4)[-1] == expected
    flicker = [then, (0, 0, 2)] * 20
    assert set(shown([(0, 0, 2)] * 4 + flicker)[3:]) == {"joy"}


def test_only_what_has_a_face_is_shown_under_its_label() -> None:
    faces = [("smile", "joy"), ("idle", None), ("scream", "fear")]
    assert shown([(9, 0, 2)] * 4, faces) == ["idle", "idle", "idle", "smile"]
    assert shown([(9, 0, 0)] * 5, faces)[-1] == "idle"
    assert shown([(9, 0, 0)] * 5, [])[-1] == "neutral"


@pytest.mark.parametrize(
    ("faces", "fault"),
    [
        (
            {"smile": "joyy"},
            r"the face smile is of 'joyy', which is not read; .*did you mean 'joy'",
        ),
        ({"a": "joy", "b": "joy"}, "two faces are of joy, a and b"),
        ({"a": None, "b": None}, "two faces are neutral, a and b"),
        ({"neutral": "joy"}, "the face neutral is of an emotion, and none is neutral"),
        ({"": "joy"}, "a face's label has 1 to 64 bytes, found 0"),
        ({"é" * 33: "joy"}, "a face's label has 1 to 64 bytes, found 66"),
        ({"a": "x" * 999}, r"the face a is of 'x{30,40}\.\.\., which is not read"),
        (["\ud800"], "faces are emotions"),
        ("joy", "faces are emotions, or label -> emotion, found 'joy'"),
        ({"a": 3}, "faces are emotions"),
        ([3], "faces are emotions"),
        (7, "found 7"),
    ],
)
def test_faces_that_cannot_be_had_are_refused(faces: Any, fault: str) -> None:
    with open_cast(readings=True) as cast:
        with pytest.raises(LlamoodError, match=fault):
            cast.join(faces=faces)
        assert not cast.voices
        assert cast.join(faces=["joy", "neutral"]).face == "neutral"


def test_an_answer_may_show_other_faces_than_the_voice() -> None:
    with open_cast(readings=True, faces=["joy"]) as cast:
        voice = cast.join(faces={"smile": "joy", "idle": None})
        prompt = cast.prompt("What is a ferry?")
        with pytest.raises(LlamoodError, match="which is not read"):
            cast.answer(prompt, among=[voice], mood={"anger": 1}, faces={"x": "nope"})
        assert voice.mood.is_neutral
        how = {"max_tokens": 3, "temperature": 0}
        other = cast.answer(prompt, among=[voice], faces={"a": None}, **how)
        assert {event.face for event in other} == {"a"}
        assert {event.face for event in cast.say({voice: "What is a ferry?"}, **how)} == {"idle"}
        voice.set_faces({"rest": None})
        assert voice.face == "rest"
        with pytest.raises(LlamoodError, match="faces are emotions"):
            open_cast(readings=True, faces=3)


def test_readings_lie_between_the_places_of_their_emotions() -> None:
    places = [(-0.5, 0.6, 0.0), None, (0.8, 0.5, 0.3)]
    assert _core.affect_point([0, 5, 0], places) == [0, 0, 0]
    assert _core.affect_point([-3, 0, 1], places) == pytest.approx((0.4, 0.25, 0.15))
    both = _core.affect_point([1, 0, 1], places)
    assert both == pytest.approx((0.1, 1.1 / 3, 0.1))
    assert _core.affect_point([], places) == [0, 0, 0]


def test_a_cast_that_reads_nothing_has_no_face() -> None:
    with open_cast() as cast:
        voice = cast.join()
        events = list(cast.say({voice: "What is a ferry?"}, max_tokens=3))
        assert {(event.face, event.valence) for event in events} == {(None, None)}
        assert voice.face is None

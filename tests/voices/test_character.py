"""One voice of a cast: what went wrong, and what nobody heard, leaves no trace in it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from test_cast import FLOAT32_CACHE, exact, open_cast, text_of, told

from llamood.errors import LlamoodError
from llamood.voices.cast import Cast

HOW: dict[str, Any] = {"temperature": 0.0, "max_tokens": 12}
WORLD = "You live in a small town by the sea, all of you."  # longer than is worth waiting for


@pytest.fixture
def cast(random_chat: Path) -> Iterator[Cast]:
    with open_cast(**exact(random_chat, n_ctx=128), **FLOAT32_CACHE, overflow="drop") as cast:
        yield cast


def lost(token: int) -> float:
    raise KeyError("lost")


@pytest.mark.parametrize("n_event", [0, 3])
def test_a_mood_that_cannot_be_felt_changes_nothing(cast: Cast, n_event: int) -> None:
    voices = [cast.join(WORLD, mood={"joy": {"ramp": [0, 1], "over": 9}}, **HOW) for _ in range(3)]
    streams = [iter(cast.say({voice: "Hi"})) for voice in voices]
    events = [list(islice(stream, n_event)) for stream in streams]
    mood = voices[1].mood
    with pytest.raises(KeyError, match="lost"):
        cast.feel(voices[1], joy=lost)
    assert voices[1].mood == mood
    tokens = []
    for heard, stream in zip(events, streams, strict=True):
        tokens.append([event.token for event in (*heard, *stream)])
    assert len(tokens[0]) > n_event
    assert tokens[1:] == [tokens[0]] * 2


def test_nothing_is_forgotten_for_an_answer_of_which_nothing_was_said(cast: Cast) -> None:
    voice = cast.join(**HOW)
    text = "Tell me about the sea."
    while voice.plan(text, {}).forgotten == 0:
        told(cast.say({voice: text}))
    before = voice.messages
    stream = cast.say({voice: text})
    cast.interrupt(voice)
    assert [(event.finish_reason, event.forgotten) for event in stream] == [("interrupted", 0)]
    assert voice.messages == before
    cast.feel(voice, joy=lost)
    with pytest.raises(KeyError, match="lost"):
        cast.say({voice: text})
    assert voice.messages == before


def test_a_mood_that_listens_may_come_in_the_middle(cast: Cast) -> None:
    """What was said before it is known to it."""
    how = {"grammar": 'root ::= "a very old song"'}
    moods = []
    voice = cast.join(**how)
    for event in cast.say({voice: "Hi"}):
        moods.append(event.mood.get("anger", 0.0))
        if len(moods) == 4:  # "a ve"
            cast.feel(voice, anger={"on": "very", "pulse": 1.0, "release": 4})
        if len(moods) == 9:  # "a very ol"
            cast.feel(voice, anger={"on": "ol", "pulse": 1.0, "release": 4})
    assert moods[:12] == [0] * 6 + [1, 0.75, 0.5, 1, 0.75, 0.5]


def test_a_grammar_is_refused_before_anybody_is_told(cast: Cast) -> None:
    first, second = (cast.join(WORLD, **HOW) for _ in range(2))
    stream = cast.say({first: "Hi"})  # whose beginning is worth waiting for
    with pytest.raises(LlamoodError, match="the grammar was not understood"):
        cast.say({second: "Hi"}, grammar="root ::= (")
    assert not second.is_speaking
    assert len(text_of(told(stream)[first])) > 0

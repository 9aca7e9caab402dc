"""A stream: who listens to it may leave at any time, in whatever way."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_cast import FLOAT32_CACHE, exact, open_cast, tokens_alone

from llamood.voices.cast import Cast
from llamood.voices.character import Character
from llamood.voices.event import Event

LONG = {"grammar": "root ::= [a-z]{90}"}  # tokens, where tokens are bytes


@pytest.fixture
def settings(random_chat: Path) -> dict[str, Any]:
    return exact(random_chat)


@pytest.fixture
def cast(settings: dict[str, Any]) -> Iterator[Cast]:
    with open_cast(**settings, **FLOAT32_CACHE) as cast:
        yield cast


async def heard(cast: Cast, voice: Character, text: str = "Hello!") -> list[Event]:
    return [event async for event in cast.say({voice: text})]


def test_a_closed_scene_tells_nothing_more(cast: Cast) -> None:
    voice, other = cast.join(**LONG), cast.join(max_tokens=5)
    stream = cast.say(dict.fromkeys((voice, other), "Hello!"))
    events = []
    for event in stream:
        events.append(event)
        if len(events) == 3:
            stream.close()
    assert len(events) == 3
    assert stream.is_over
    assert list(stream) == []
    assert not voice.is_speaking
    assert len(voice.messages) == 2


def test_a_scene_that_nobody_hears_ends_also_beside_one_that_failed(cast: Cast) -> None:
    def lost(token: int) -> float:
        if token == 1:
            raise KeyError("lost")
        return 0.5

    heard, failing, unheard = (cast.join(**LONG) for _ in range(3))
    cast.feel(failing, joy=lost)
    failed = cast.say({failing: "Hello!"})
    lonely = cast.say({unheard: "Hello!"})
    events = iter(cast.say({heard: "Hello!"}))
    next(events)
    assert not failing.is_speaking
    del lonely
    next(events)
    assert not unheard.is_speaking
    assert len(list(events)) == 89
    with pytest.raises(KeyError, match="lost"):
        list(failed)


@pytest.mark.parametrize("way", ["break", "raise"])
def test_leaving_an_async_loop_interrupts_at_once(cast: Cast, way: str) -> None:
    voice, other = cast.join(**LONG), cast.join(**LONG)

    async def leave() -> None:
        async for event in cast.say({voice: "Hello!"}):
            if way == "break":
                break
            raise ZeroDivisionError(event.text)

    async def leave_and_go_on() -> list[Event]:
        late = asyncio.create_task(heard(cast, other))
        try:
            await leave()
        except ZeroDivisionError:
            assert way == "raise"
        assert not voice.is_speaking
        again = await heard(cast, voice, "And now?")
        assert again[-1].finish_reason == "stop"
        return await late

    assert len(asyncio.run(leave_and_go_on())) == 91
    assert len(voice.messages) == 4


@pytest.mark.parametrize("n_event", [0, 3])
def test_a_task_that_is_cancelled_stops_cleanly(
    cast: Cast, settings: dict[str, Any], n_event: int
) -> None:
    how = {"temperature": 1.0, "seed": 3, "max_tokens": 40}
    voice, other = cast.join(**LONG), cast.join(mood={"joy": 1.0}, **how)
    events: list[Event] = []

    async def listen(enough: asyncio.Event) -> None:
        async for event in cast.say({voice: "Hello!"}):
            events.append(event)
            if len(events) == n_event:
                enough.set()

    async def cancel() -> list[Event]:
        enough = asyncio.Event()
        late = asyncio.create_task(heard(cast, other))
        task = asyncio.create_task(listen(enough))
        await (enough.wait() if n_event else asyncio.sleep(0))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not voice.is_speaking
        assert (await heard(cast, voice, "And now?"))[-1].finish_reason == "stop"
        return await late

    said = [event.token for event in asyncio.run(cancel())]
    question = [{"role": "user", "content": "Hello!"}]
    assert said == tokens_alone(question, {"joy": 1.0}, how=how, **settings)
    assert all(event.finish_reason is None for event in events)
    told = "".join(event.text for event in events)
    answers = [each["content"] for each in voice.messages if each["role"] == "assistant"]
    assert len(answers[-1]) == 90
    assert "".join(answers[:-1]).startswith(told)

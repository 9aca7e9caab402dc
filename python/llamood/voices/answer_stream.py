"""What some voices of a cast say, event by event."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import Protocol

from llamood.voices.character import Character
from llamood.voices.event import Event


class Stepping(Protocol):
    """The cast."""

    def advance(self, stream: AnswerStream) -> bool:
        """Step until there is something to tell of a stream; whether there is."""

    def end(self, stream: AnswerStream) -> None:
        """Interrupt those that still speak in it."""


class AnswerStream:
    """What some voices of a cast say: iterate over its events, or ``async for``.

    Leaving the loop, in whatever way, interrupts those that still speak. Several streams may run
    side by side, in several threads or tasks: a step of any of them is one of all.
    """

    def __init__(self, cast: Stepping, speakers: set[Character]) -> None:
        self._cast = cast
        self._speakers = speakers
        self._events: deque[Event] = deque()
        self._fault: Exception | None = None

    def __iter__(self) -> Iterator[Event]:
        try:
            while self._cast.advance(self):
                while (event := self.next_event()) is not None:
                    yield event
        finally:
            self.close()

    def __aiter__(self) -> AsyncIterator[Event]:
        return _Listener(self._cast, self)

    @property
    def is_over(self) -> bool:
        """Whether nothing more will be said."""
        return not self._speakers and not self._events

    def close(self) -> None:
        """Interrupt those that still speak; nothing more is told."""
        self._cast.end(self)

    def next_event(self) -> Event | None:
        """The next one that can be told without a step."""
        try:
            return self._events.popleft()
        except IndexError:
            return None

    def take(self) -> list[Event]:
        """What there is to tell, without a step; see `Cast.step`. Raises what went wrong after
        all that was said before it."""
        events = list(self._events)
        self._events.clear()
        if not events:
            self.raise_fault()
        return events

    # -- told by the cast ------------------------------------------------------------------

    @property
    def speakers(self) -> tuple[Character, ...]:
        """Who still speaks in it."""
        return tuple(self._speakers)

    @property
    def waits(self) -> bool:
        """Whether a step is needed before there is anything to tell."""
        return bool(self._speakers) and not self._events

    def tell(self, event: Event) -> None:
        """It was said."""
        self._events.append(event)
        if event.finish_reason is not None:
            self._speakers.discard(event.voice)

    def fail(self, voice: Character, fault: Exception) -> None:
        """A voice says no more; the first such fault is raised after what was said before it."""
        self._speakers.discard(voice)
        self._fault = self._fault or fault

    def silence(self) -> None:
        """What was not taken is told no more."""
        self._events.clear()
        self._fault = None

    def raise_fault(self) -> None:
        """Raise what went wrong, once, where nothing is left to tell before it."""
        if self._fault is not None and not self._events:
            fault, self._fault = self._fault, None
            raise fault


class _Listener:
    """The events of a stream for an ``async for``. It closes the stream as soon as the loop is
    left; an asynchronous generator would when its event loop comes to it, and until then its voices
    could be told nothing."""

    def __init__(self, cast: Stepping, stream: AnswerStream) -> None:
        self._cast = cast
        self._stream = stream

    def __del__(self) -> None:
        self._stream.close()

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        try:
            while (event := self._stream.next_event()) is None:
                if not await asyncio.to_thread(self._cast.advance, self._stream):
                    raise StopAsyncIteration
            return event
        except BaseException:  # whose traceback may keep this alive
            self._stream.close()
            raise

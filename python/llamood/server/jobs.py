"""An answer that is asked for, as the engine and the request that waits for it share it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from llamood.moods.mood import Mood
from llamood.server.sessions import Session
from llamood.server.spans import Spans
from llamood.voices.event import Event
from llamood.voices.faces import Faces
from llamood.voices.feel_tool import Feeling

SHORT = 128  # tokens of a prompt and its answer


class Mailbox:
    """Where the events of one request's answers arrive, whatever becomes of its reader. Made, and
    read, in the event loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self._queue: asyncio.Queue[tuple[Job, Event | Exception]] = asyncio.Queue()

    def put(self, job: Job, told: Event | Exception) -> None:
        self._queue.put_nowait((job, told))

    async def get(self) -> tuple[Job, Event | Exception]:
        return await self._queue.get()


@dataclass(eq=False)
class Job:
    """One answer. ``index``: which of its request's. ``session``: whose mood moves on by it;
    ``spans``: where the mood is to pause, or None for nowhere; ``said``: the text in the prompt
    that is answered, or None for all of it; ``faces``: what can be shown, or None for all;
    ``feeling``: what the character comes to feel by its own calls, or None; ``felt``: the weights
    applied last before it, or None for those of its session, and once it is over by it."""

    index: int
    mailbox: Mailbox
    prompt: Sequence[int]
    mood: Mood
    sampling: Mapping[str, Any]
    session: Session | None = None
    spans: Spans | None = None
    said: str | None = None
    faces: Faces | None = None
    feeling: Feeling | None = None
    felt: Mapping[str, float] | None = None
    since: float = field(default_factory=time.monotonic)
    n_token: int = 0
    mix: Mapping[str, float] = field(default_factory=dict)  # of the last token

    @property
    def is_formed(self) -> bool:
        """Whether it is drawn by a grammar."""
        return bool(self.sampling.get("grammar"))

    @property
    def is_short(self) -> bool:
        """Whether it soon gives its voice back."""
        most = self.sampling.get("max_tokens")
        return not self.is_formed and most is not None and len(self.prompt) + most <= SHORT


async def events(jobs: Sequence[Job]) -> AsyncIterator[tuple[Job, Event]]:
    """What the answers of a request say, as it comes, until all are over; more may join meanwhile.
    Raises what went wrong with one."""
    mailbox, n_over = jobs[0].mailbox, 0
    while n_over < len(jobs):
        job, told = await mailbox.get()
        if isinstance(told, Exception):
            raise told
        n_over += told.finish_reason is not None
        yield job, told

"""A client of the service, who asks one thing after the other and checks what he is told."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from soaking.answer import Answer, Cut, Refused, Wrong
from soaking.asking import Line, line
from soaking.disk import SmallDisk
from soaking.known import Known
from soaking.record import Record
from soaking.service import Service
from soaking.talks import Talk, Talks

_LONGEST_WAIT = 2.0  # seconds before a client who was sent away comes again


@dataclass(frozen=True, kw_only=True)
class Place:
    """What all clients have in common. ``n_ctx``: of a voice; ``disk``: where the service writes,
    None where that cannot be filled; ``patience``: seconds in which everything is answered."""

    service: Service
    record: Record
    talks: Talks
    known: list[Known]
    n_ctx: int
    disk: SmallDisk | None = None
    patience: float = 600.0
    has_tools: bool = False


@dataclass(eq=False)
class Client:
    """``number``: which one he is; what he asks follows from it and the seed."""

    place: Place
    number: int
    choose: random.Random
    kinds: Mapping[str, tuple[Callable[[Client], Awaitable[None]], int]]
    talks: list[Talk] = field(default_factory=list)
    n_asked: int = 0
    line: Line = field(init=False)

    async def round(self, n: int) -> None:
        """So many things, by connections that are closed after that."""
        names = list(self.kinds)
        weights = [weight for _, weight in self.kinds.values()]
        async with line(self.place.service.url) as self.line:
            for name in self.choose.choices(names, weights, k=n):
                self.n_asked += 1
                await self._do(name)

    @property
    def label(self) -> str:
        """Nobody else's, and of nothing else that he asks."""
        return f"client {self.number} request {self.n_asked}"

    async def ask(self, body: Mapping[str, Any]) -> Answer:
        """In a way that he chooses. Raises as `Line.ask`."""
        stream, official = self.choose.random() < 0.5, self.choose.random() < 0.5
        self.place.record.count("by openai's client" if official else "by plain HTTP")
        self.place.record.count("streams" if stream else "whole answers")
        return await self.line.ask(body, stream=stream, official=official)

    async def _do(self, name: str) -> None:
        """Until it is done: again where the service was killed, or had no room."""
        place, (kind, _) = self.place, self.kinds[name]
        end = time.monotonic() + place.patience
        while True:
            await place.service.is_up.wait()
            began = time.monotonic()
            try:
                await asyncio.wait_for(kind(self), place.patience)
                place.record.count(name)
                place.record.n_asked += 1
                return
            except Refused as told:
                if told.status not in (429, 503):
                    place.record.fault("failed", f"{name}: {told}")
                    return
                place.record.count("sent away for now")
                await asyncio.sleep(min(told.wait, _LONGEST_WAIT))
            except Cut as cut:
                if not place.service.was_down(began):
                    place.record.fault("lost", f"{name}: the connection broke: {cut}")
                    return
                place.record.count("cut off by a kill, and asked again")
            except Wrong as wrong:
                place.record.fault(wrong.kind, f"{name}: {wrong}")
                return
            except (TimeoutError, asyncio.TimeoutError):
                if not place.service.was_down(began):
                    place.record.fault("hung", f"{name}: no end in {place.patience:.0f} s")
                    return
            except Exception as fault:  # an answer of another shape than the API's
                place.record.fault("failed", f"{name}: {fault!r}")
                return
            if time.monotonic() > end:
                place.record.fault("hung", f"{name}: not answered in {place.patience:.0f} s")
                return

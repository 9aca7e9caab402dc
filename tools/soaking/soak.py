"""A run: clients ask round after round while troubles come, and what is found."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soaking.asking import line
from soaking.client import Client, Place
from soaking.disk import SmallDisk, small_disk
from soaking.known import learned, still_known
from soaking.plan import Plan, Subject, Trouble
from soaking.record import Record
from soaking.service import PLAIN, Service
from soaking.talks import Talks
from soaking.watch import MOST_GROWTH, Life, quiet

_VOICES = 8
_QUEUE = 6  # of which more ask than have room now and then
_MEGABYTES = 48  # of the small disk


@dataclass(frozen=True)
class Found:
    """What a run came to."""

    record: Record
    lives: Sequence[Life]
    n_known: int
    has_disk: bool
    has_tools: bool

    @property
    def is_well(self) -> bool:
        return not self.record.n_fault


def soak(
    subject: Subject,
    plan: Plan,
    *,
    program: str = PLAIN,
    tell: Callable[[str], None] = lambda text: None,
) -> Found:
    """Run it all. ``program``: what Python runs as the service; ``tell``: told how far it is."""
    with tempfile.TemporaryDirectory(prefix="soak") as folder, _disk(Path(folder)) as (disk, place):
        return asyncio.run(_Run(subject, plan, disk, place, program, tell).run())


@contextlib.contextmanager
def _disk(folder: Path) -> Iterator[tuple[SmallDisk | None, Path]]:
    """One that can be filled, where this user may have one, and where the service writes."""
    where = folder / "disk"
    with small_disk(where, megabytes=_MEGABYTES) as disk:
        yield disk, where


class _Run:
    def __init__(
        self,
        subject: Subject,
        plan: Plan,
        disk: SmallDisk | None,
        folder: Path,
        program: str,
        tell: Callable[[str], None],
    ) -> None:
        self._subject = subject
        self._plan = plan
        self._disk = disk
        self._tell = tell
        self._record = Record()
        self._lives = [Life("the start")]
        vectors = folder / "own.evs"
        shutil.copytree(subject.vectors, vectors)
        self._talks = Talks(folder / "sessions", "joy", self._record)
        self._service = Service(
            [
                *(subject.model, "-e", vectors, "--name", "soak", "--allow-extract"),
                *("--ctx", str(subject.n_ctx), "--voices", str(_VOICES), "--queue", str(_QUEUE)),
                *("--sessions", self._talks.folder, "--threads", str(subject.threads)),
            ],
            program=program,
        )

    async def run(self) -> Found:
        plan, service = self._plan, self._service
        try:
            await service.start()
            async with line(service.url) as asking:
                known = await learned(
                    asking, self._subject.questions, most=plan.n_known, near=self._subject.near
                )
                has_tools = await _takes_tools(asking)
            self._tell(f"{len(known)} answers are known")
            place = Place(
                service=service,
                record=self._record,
                talks=self._talks,
                known=known,
                n_ctx=self._subject.n_ctx,
                disk=self._disk,
                patience=plan.patience,
            )
            kinds = {k: v for k, v in plan.kinds.items() if has_tools or "tool" not in k}
            clients = [
                Client(place, number, random.Random(f"{plan.seed} {number}"), kinds)
                for number in range(plan.n_client)
            ]
            await self._rounds(place, clients)
        finally:
            if not service.has_ended:
                await service.kill()
        self._judge()
        return Found(self._record, self._lives, len(known), bool(self._disk), has_tools)

    async def _rounds(self, place: Place, clients: Sequence[Client]) -> None:
        plan = self._plan
        for first in plan.begins:
            await self._round(place, clients, first)
        done = 0
        while done < plan.n_round or self._record.seconds < plan.seconds:
            comes = plan.between and done % plan.every == plan.every - 1
            trouble = plan.between[done // plan.every % len(plan.between)] if comes else None
            await self._round(place, clients, trouble)
            done += 1
        for last in plan.ends:
            await self._round(place, clients, last)

    async def _round(
        self, place: Place, clients: Sequence[Client], trouble: Trouble | None
    ) -> None:
        """All ask, while it comes; then it is quiet for a moment."""
        name = "in peace" if trouble is None else trouble.name
        began, n_death = time.monotonic(), len(self._service.deaths)
        asked = asyncio.gather(*(client.round(self._plan.n_each) for client in clients))
        if trouble is not None:
            await asyncio.sleep(1.0)
            await self._come(place, trouble)
        await asked
        if len(self._service.deaths) > n_death:
            self._lives.append(Life(name, is_changed=trouble is not None and trouble.adds))
        if trouble is not None and trouble.adds:
            async with line(self._service.url) as asking:
                place.known[:] = await still_known(asking, place.known, self._record)
        await quiet(place, self._lives[-1])
        last = self._lives[-1].samples[-1]
        self._tell(
            f"{self._record.seconds:.0f} s: {name}, {time.monotonic() - began:.0f} s; "
            f"{self._record.n_asked} asked, {last.resident / 2**20:.1f} MB, {last.n_file} files, "
            f"{last.n_thread} threads; faults: {dict(self._record.n_fault) or 'none'}"
        )

    async def _come(self, place: Place, trouble: Trouble) -> None:
        if trouble.needs_disk and place.disk is None:
            self._record.count("troubles left out, as no disk could be filled")
            return
        try:
            await trouble.come(place)
        except Exception as fault:
            self._record.fault("failed", f"{trouble.name}: {fault!r}")
        self._lives[-1].is_changed |= trouble.adds

    def _judge(self) -> None:
        for life in self._lives:
            if self._plan.judges_memory and life.is_judged and life.growth() > MOST_GROWTH:
                self._record.fault(
                    "leaked",
                    f"{life.name}: what is resident grew by {life.growth():.1%}",
                )


async def _takes_tools(asking: Any) -> bool:
    """Whether the model's template does."""
    tool = {"type": "function", "function": {"name": "tell"}}
    body = {"messages": [{"role": "user", "content": "Hi"}], "tools": [tool], "max_tokens": 1}
    status, _ = await asking.send("POST", "/v1/chat/completions", json=body)
    return bool(status == 200)

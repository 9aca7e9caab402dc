"""The sessions that clients have, and whether the service keeps them."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soaking.record import Record

# Seconds until what changed is on the disk. The service says a fifth of one; machines that run this
# have other work.
SETTLED = 10.0


@dataclass(eq=False)
class Talk:
    """A session of one client. ``moods``: every intensity that it was asked to have, the last one
    last; each is another. ``since``: when the last was asked for. ``may_miss``: whether it changed
    while nothing could be written."""

    name: str
    moods: list[float]
    since: float = field(default_factory=time.monotonic)
    may_miss: bool = False

    @property
    def mood(self) -> float:
        return self.moods[-1]

    def feel(self, mood: float, *, may_miss: bool) -> None:
        self.moods.append(mood)
        self.since = time.monotonic()
        self.may_miss = self.may_miss or may_miss

    def take_back(self, mood: float) -> None:
        """It was refused, so that nothing changed."""
        if self.mood == mood and len(self.moods) > 1:
            self.moods.pop()


class Talks:
    """All of them. ``folder``: where the service keeps sessions; ``emotion``: the one whose
    intensity tells them apart."""

    def __init__(self, folder: Path, emotion: str, record: Record) -> None:
        self.folder = folder
        self.emotion = emotion
        self.all: dict[str, Talk] = {}
        self.n_cut = 0  # that were begun, maybe, by requests that nobody heard an answer to
        self._told: set[str] = set()
        self._record = record

    def begin(self, name: str, mood: float, *, may_miss: bool) -> Talk:
        if name in self.all:
            self._record.fault("crossed", f"session {name} was begun twice")
        self._told.add(name)
        talk = self.all[name] = Talk(name, [mood], may_miss=may_miss)
        return talk

    @property
    def n_missed(self) -> int:
        """How many have changed while nothing could be written."""
        return sum(talk.may_miss for talk in self.all.values())

    def forget(self, talk: Talk) -> None:
        self.all.pop(talk.name, None)

    def on_disk(self) -> dict[str, float]:
        """The mood of each session that lies there. Files that are no whole session are faults."""
        found: dict[str, float] = {}
        for path in sorted(self.folder.glob("*.session")):
            try:
                kept: Mapping[str, Any] = json.loads(path.read_bytes())
                found[kept["name"]] = float(kept["mood"].get(self.emotion, 0.0))
            except FileNotFoundError:  # forgotten meanwhile
                continue
            except (ValueError, KeyError, TypeError, AttributeError) as fault:
                self._record.fault("half written", f"{path.name}: {fault!r}")
        return found

    def after_death(self, died: float) -> None:
        """The service was killed at ``died``: what lies on the disk now is what is to go on."""
        kept = self.on_disk()
        for talk in list(self.all.values()):
            is_settled = died - talk.since > SETTLED and not talk.may_miss
            mood = kept.get(talk.name)
            if mood is None:
                if is_settled:
                    self._record.fault("lost", f"session {talk.name} is not on the disk")
                self.forget(talk)
                continue
            if mood not in talk.moods:
                self._record.fault("crossed", f"session {talk.name} has the mood of another")
            elif is_settled and mood != talk.mood:
                self._record.fault("lost", f"session {talk.name} has a mood of before on the disk")
            talk.moods, talk.may_miss = [mood], False
        self._record.count("sessions that were to go on after a kill", len(self.all))

    async def settle(self) -> None:
        """Nobody asks meanwhile: soon each lies there as it is, and nothing beside."""
        end = time.monotonic() + SETTLED
        while (wrong := self._unsettled()) and time.monotonic() < end:
            await asyncio.sleep(0.1)
        if wrong:
            self._record.fault("lost", f"sessions that are not on the disk as they are: {wrong}")
        untold = self.on_disk().keys() - self._told
        if len(untold) > self.n_cut:
            self._record.fault("leaked", f"{len(untold)} sessions whose names nobody was told")
        halves = [path.name for path in self.folder.glob(".*.tmp")]
        if halves:
            self._record.fault("half written", f"left beside sessions: {halves}")
        self._record.count("sessions found on the disk as they are", len(self.all) - len(wrong))
        self._record.count("sessions that had changed on a full disk", self.n_missed)
        for talk in self.all.values():
            talk.may_miss = False

    def _unsettled(self) -> list[str]:
        kept = self.on_disk()
        return [talk.name for talk in self.all.values() if kept.get(talk.name) != talk.mood]

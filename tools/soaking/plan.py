"""What a run is to be: of which model, how long, and with which troubles."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from soaking import full_disks, troubles
from soaking.client import Place
from soaking.kinds import KINDS
from soaking.troubles import disk_of


@dataclass(frozen=True)
class Trouble:
    """``name``: as a sentence of the report has it; ``adds``: whether an emotion is there after
    it, which takes memory of its own."""

    name: str
    come: Callable[[Place], Awaitable[None]]
    needs_disk: bool = True
    adds: bool = False


@dataclass(frozen=True, kw_only=True)
class Subject:
    """``model`` and ``vectors``: what is served; ``small``: the same of a model that is measured
    in seconds. ``questions``: that suit it. ``near``: nats by which how likely
    a token is may differ in company from what it is alone. ``n_ctx``: of a voice."""

    name: str
    model: Path
    vectors: Path
    questions: Sequence[str]
    small: tuple[Path, Path]
    near: float
    n_ctx: int = 512
    threads: int = 1


@dataclass(frozen=True, kw_only=True)
class Plan:
    """``n_client``: who ask at once; ``n_each``: how much each asks in a round. ``begins``: the
    troubles of the rounds at the beginning, one a round, and ``ends``: of those at the end.
    Between these are ``n_round`` rounds in which the service lives on, with one of ``between`` in
    every ``every``-th; and more until ``seconds`` have gone by. ``n_known``: requests whose answers
    are known. ``patience``: seconds in which everything is answered. ``judges_memory``: whether its
    growth is a fault."""

    n_client: int = 12
    n_each: int = 4
    begins: Sequence[Trouble] = ()
    between: Sequence[Trouble] = ()
    ends: Sequence[Trouble] = ()
    n_round: int = 3
    every: int = 3
    seconds: float = 0.0
    n_known: int = 24
    seed: int = 1
    patience: float = 600.0
    judges_memory: bool = True
    kinds: Mapping[str, Any] = field(default_factory=lambda: KINDS)


KILLED = Trouble("kill -9 in the middle of answers", troubles.killed, needs_disk=False)
STOPPED = Trouble("SIGTERM in the middle of answers", troubles.stopped, needs_disk=False)
KILLED_WHILE_FULL = Trouble("kill -9 while the disk is full", troubles.killed_while_full)
FULL = Trouble("a full disk while sessions are saved", troubles.full)
ADDING = Trouble(
    "a full disk, and kill -9, while an emotion is added",
    partial(troubles.adding, name="calm", texts="calm"),
    adds=True,
)


def all_troubles(subject: Subject) -> dict[str, Any]:
    """As fields of a plan."""
    model, vectors = subject.small

    async def saved(place: Place) -> None:
        await asyncio.to_thread(full_disks.voices, model, vectors, disk_of(place), place.record)

    async def measured(place: Place) -> None:
        await asyncio.to_thread(full_disks.extraction, model, disk_of(place), place.record)

    return {
        "begins": [KILLED],
        "between": [
            FULL,
            Trouble("a full disk while voices are saved", saved),
            FULL,
            Trouble("a full disk while llamood extract and emotion add measure", measured),
        ],
        "ends": [KILLED_WHILE_FULL, KILLED, STOPPED, ADDING, KILLED],
    }

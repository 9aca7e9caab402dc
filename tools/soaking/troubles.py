"""What happens to the service while clients ask."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import llamood
from llamood.calibration.utterances import is_unfinished, utterances
from soaking.asking import Line, line
from soaking.client import Place
from soaking.disk import SmallDisk

_FEELINGS = Path(__file__).resolve().parents[2] / "tests" / "feelings"
_LONGEST = 1500.0  # seconds that an emotion may take to be added beside other work
_LONGEST_FULL = 10.0  # seconds of it at most
_CHANGED = 2  # sessions, while it is full
_WRITTEN = 1.0  # seconds in which the service has tried to write them
_WAIT = 0.1
_MIDDLE = 0.1  # of the work is done when it is killed


async def killed(place: Place) -> None:
    """kill -9 in the middle of answers, and a new start at once."""
    died = await _killed(place)
    place.talks.after_death(died)
    await place.service.start()
    place.record.count("kill -9, and started again")


async def killed_while_full(place: Place) -> None:
    """The same while nothing can be written: what lies on the disk goes on."""
    end = time.monotonic() + _LONGEST_FULL
    with disk_of(place).full():
        while place.talks.n_missed < _CHANGED and time.monotonic() < end:
            await asyncio.sleep(_WAIT)
        died = await _killed(place)
        place.talks.after_death(died)
        await place.service.start()
    place.record.count("kill -9 while the disk was full, and started again")


async def stopped(place: Place) -> None:
    """Told to end, as before an update: it ends well, and all is there after it."""
    status = await place.service.stop()
    if status not in (0, -15):
        place.record.fault("failed", f"told to end, it ended with {status}")
    place.talks.after_death(time.monotonic())
    await place.service.start()
    place.record.count("ended by SIGTERM, and started again")


async def full(place: Place) -> None:
    """No room for sessions until some have changed; then there is."""
    end = time.monotonic() + _LONGEST_FULL
    with disk_of(place).full():
        while place.talks.n_missed < _CHANGED and time.monotonic() < end:
            await asyncio.sleep(_WAIT)
        await asyncio.sleep(_WRITTEN)
    place.record.count("the disk full while sessions are saved")


async def adding(place: Place, *, name: str, texts: str) -> None:
    """An emotion is added while the disk is full: it is not, and what was there stays. Then there
    is room, and the service is killed while it is measured: nothing of it is felt. Asked once more,
    it is added."""
    disk, vectors = disk_of(place), _vectors(place)
    before = contents(vectors)
    async with line(place.service.url) as asking:
        with disk.full():
            told = await _added(asking, name, texts, place.patience)
        if told["status"] != "failed" or "log says" not in str(told.get("error")):
            place.record.fault("failed", f"{name} was added on a full disk: {told}")
        if contents(vectors) != before:
            place.record.fault("half written", f"{vectors.name} changed on a full disk")
        place.record.count("emotions refused by a full disk")
        told = await _begin(asking, name, texts)
        while told["status"] == "running" and told["progress"] < _MIDDLE:
            await asyncio.sleep(_WAIT)
            told = await latest(asking)
    died = await _killed(place)
    place.talks.after_death(died)
    if contents(vectors) != before:
        place.record.fault("half written", f"{name} lies in {vectors.name} half measured")
    await place.service.start()
    place.record.count("kill -9 while an emotion was measured, and started again")
    async with line(place.service.url) as asking:
        await _require_added(asking, place, name, texts)
    measured = {path: data for path, data in before.items() if path.endswith(".gguf")}
    if not measured.items() <= contents(vectors).items():
        place.record.fault("half written", f"vectors in {vectors.name} changed by {name}")


async def _killed(place: Place) -> float:
    """When."""
    died = time.monotonic()
    await place.service.kill()
    return died


async def _require_added(asking: Line, place: Place, name: str, texts: str) -> None:
    told = await _added(asking, name, texts, _LONGEST)
    if told["status"] != "added":
        place.record.fault("failed", f"{name} was not added where there is room: {told}")
        return
    _, all_of_them = await asking.send("GET", "/v1/emotions")
    if name not in [each["id"] for each in all_of_them["data"]]:
        place.record.fault("lost", f"{name} was added, and cannot be felt")
    if name not in llamood.load(_vectors(place)).names:
        place.record.fault("lost", f"{name} was added, and does not lie on the disk")
    place.record.count("emotions added beside answers")


async def _added(asking: Line, name: str, texts: str, patience: float) -> Any:
    """How the addition ended, or what was told at once."""
    told = await _begin(asking, name, texts)
    end = time.monotonic() + patience
    while told["status"] == "running" and time.monotonic() < end:
        await asyncio.sleep(_WAIT)
        told = await latest(asking)
    return told


async def _begin(asking: Line, name: str, texts: str) -> Any:
    """What was told, once there was room for the request."""
    said = list(utterances(_FEELINGS / f"{texts}.txt", texts))
    while True:
        status, told = await asking.send("POST", "/v1/emotions", json={"name": name, "texts": said})
        if status == 202:
            return told
        if status not in (429, 503):
            return {"status": "failed", "error": json.dumps(told), "progress": 0.0}
        await asyncio.sleep(_WAIT)


async def latest(asking: Line) -> Any:
    """How the addition stands that was asked for last."""
    _, told = await asking.send("GET", "/v1/emotions/addition")
    return told


def contents(folder: Path) -> dict[str, bytes]:
    """All files of it that are no unfinished work of its own."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not is_unfinished(path)
    }


def disk_of(place: Place) -> SmallDisk:
    """The one that is filled; only what needs none comes where there is none."""
    assert place.disk is not None
    return place.disk


def _vectors(place: Place) -> Path:
    return disk_of(place).folder / "own.evs"

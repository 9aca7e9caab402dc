"""Voices that are saved, and vectors that are measured, while the disk is full."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import llamood
from llamood.errors import FileError
from soaking.disk import SmallDisk
from soaking.record import Record
from soaking.troubles import contents

_MINUTES = 600.0  # seconds, of a command
_HOW: Any = {"max_tokens": 8, "temperature": 0}
_MEASURED = (".gguf", ".baseline", ".candidates", ".json")
# The model's own answers are left out: they take minutes.
_EXTRACT = ("--from", "texts", "--no-calibrate", "--per-label", "12")


def voices(model: Path, vectors: Path, disk: SmallDisk, record: Record) -> None:
    """A voice that cannot be saved leaves the file that was there, and speaks on; what is saved
    before and after goes on as it would have."""
    folder = disk.folder / "voices"
    folder.mkdir(exist_ok=True)
    path = folder / "mia.voice"
    cast = llamood.Cast(model, emotions=vectors, voices=2, n_ctx=256, n_threads=1, verbose=False)
    try:
        mia = cast.join("You are Mia.")
        cast.feel(mia, joy=0.5)
        _said(cast, mia, "Tell me about bread.")
        mia.save(path, cache=True)
        before = contents(folder)
        with disk.full():
            for cache in (True, False):
                _require_refused(lambda with_cache=cache: mia.save(path, cache=with_cache), record)
                _require_refused(lambda: mia.save(folder / "new.voice"), record)
        if contents(folder) != before:
            record.fault("half written", f"{sorted(contents(folder))} after saving on a full disk")
        other = cast.load(path)
        said = [_said(cast, voice, "And then?") for voice in (mia, other)]
        if said[0] != said[1]:
            record.fault("lost", f"a voice saved before a full disk went on with {said}")
        mia.save(path, cache=True)
        if contents(folder) == before:
            record.fault("lost", "a voice was not saved though there is room again")
    finally:
        cast.close()
        shutil.rmtree(folder)
    record.count("voices that were not saved on a full disk, and then were")


def _said(cast: llamood.Cast, voice: Any, text: str) -> str:
    return "".join(event.text for event in cast.say({voice: text}, **_HOW))


def _require_refused(save: Any, record: Record) -> None:
    try:
        save()
    except FileError as error:
        if "No space left" not in str(error):
            record.fault("failed", f"a full disk was told as {error}")
    else:
        record.fault("lost", "a voice was saved, it was said, on a full disk")


def extraction(model: Path, disk: SmallDisk, record: Record) -> None:
    """``llamood extract`` while the disk is full from the beginning, and from the middle on: one
    line says so, what was there stays, and the same command goes on where it was."""
    target = disk.folder / "measured"
    command = ["extract", str(model), "-o", str(target), *_EXTRACT]
    with disk.full():
        _require_told(command, record)
    _require_nothing(target, record)
    process = _begun(command)
    while process.poll() is None and not _has_begun(target):
        time.sleep(0.02)
    with disk.full():
        _, told = process.communicate(timeout=_MINUTES)
        _require_one_line(process.returncode, told, record)
    _require_nothing(target, record)
    process = _begun(command)
    _, told = process.communicate(timeout=_MINUTES)
    if process.returncode:
        record.fault("lost", f"with room again, extract does not go on: {told[-300:]}")
    else:
        llamood.load(target)
        record.count("measurements that a full disk ended, and that went on")
    before = contents(target)
    texts = Path(__file__).resolve().parents[2] / "tests" / "feelings" / "calm.txt"
    adding = ["emotion", "add", str(model), "calm", "--texts", str(texts), "-e", str(target)]
    with disk.full():
        _require_told(adding, record)
    if contents(target) != before:
        record.fault("half written", "emotion add changed the vectors on a full disk")
    shutil.rmtree(target)


def _has_begun(target: Path) -> bool:
    return any(path.stat().st_size for path in target.glob("*.states"))


def _require_nothing(target: Path, record: Record) -> None:
    """What is unfinished may lie there, and nothing that looks like a measurement."""
    found = [path for path in contents(target) if Path(path).suffix in _MEASURED]
    if found:
        record.fault("half written", f"{found} measured on a full disk")


def _begun(command: Sequence[str]) -> subprocess.Popen[str]:
    program = "from llamood.cli import main; main()"
    environment = {**os.environ, "NO_COLOR": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", program, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def _require_told(command: Sequence[str], record: Record) -> None:
    process = _begun(command)
    _, told = process.communicate(timeout=_MINUTES)
    _require_one_line(process.returncode, told, record)
    record.count("commands that were told that the disk is full")


def _require_one_line(code: int, told: str, record: Record) -> None:
    if code != 1 or "No space left" not in told or "Traceback" in told:
        record.fault("failed", f"a full disk ended a command with {code}: {told[-300:]}")

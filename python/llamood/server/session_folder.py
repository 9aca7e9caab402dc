"""Sessions in a folder, a file each, so that they survive a restart of the service."""

from __future__ import annotations

import hashlib
import json
import logging
import queue
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llamood.atomic import remove_leftovers, write_files
from llamood.errors import LlamoodError
from llamood.moods.mood import Mood

_VERSION = 1
_PAUSE = 0.2  # seconds between two rounds of writing; what changes meanwhile is written once
_AGAIN = 1.0  # seconds until what the disk has refused is written anew, where nothing else changes
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Kept:
    """A session as it lies there. ``used``: when it was asked for, in seconds since 1970."""

    owner: str
    name: str
    mood: Mood
    felt: Mapping[str, float]
    used: float


class SessionFolder:
    """Of one service at a time. What is kept or forgotten is so on the disk a moment later, by a
    thread of its own, and all of it when `close` returns; what the disk refuses, full as it may
    be, is tried again and again until then. A file has its session's name, which is a secret: only
    who runs the service may read it. Raises `FileError` for a folder that cannot be written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._model = ""
        self._changes: queue.SimpleQueue[tuple[Path, bytes | None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="llamood-sessions", daemon=True)
        probe = folder / ".sessions"
        write_files({probe: lambda path: path.write_bytes(b"")})
        probe.unlink()

    def open(self, model: str) -> Iterator[Kept]:
        """What lies there of this model (its fingerprint), the longest unused first, and from now
        on what changes is written. Files that are none of its sessions stay as they are."""
        self._model = model
        remove_leftovers(self._folder)
        found = [self._read(path) for path in self._folder.glob("*.session")]
        self._thread.start()
        known = (kept for kept in found if kept is not None)
        return iter(sorted(known, key=lambda kept: kept.used))

    def keep(self, kept: Kept) -> None:
        """In any thread."""
        written = {
            "llamood": "session",
            "version": _VERSION,
            "model": self._model,
            "owner": kept.owner,
            "name": kept.name,
            "used": kept.used,
            "mood": kept.mood.to_dict(),
            "felt": dict(kept.felt),
        }
        self._changes.put((self._path(kept.owner, kept.name), json.dumps(written).encode()))

    def forget(self, owner: str, name: str) -> None:
        """In any thread."""
        self._changes.put((self._path(owner, name), None))

    def close(self) -> None:
        if self._thread.is_alive():
            self._changes.put(None)
            self._thread.join()

    def _path(self, owner: str, name: str) -> Path:
        key = hashlib.blake2b(json.dumps([owner, name]).encode(), digest_size=16)
        return self._folder / f"{key.hexdigest()}.session"

    def _read(self, path: Path) -> Kept | None:
        try:
            written: dict[str, Any] = json.loads(path.read_bytes())
            if (written["llamood"], written["version"]) != ("session", _VERSION):
                raise ValueError(f"version {written['version']!r:.20}")
            if written["model"] != self._model:
                raise ValueError("of another model")
            kept = Kept(
                str(written["owner"]),
                str(written["name"]),
                Mood(written["mood"]),
                {str(name): float(weight) for name, weight in written["felt"].items()},
                float(written["used"]),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
            _log.warning("%s is left out: no session that goes on here (%s)", path.name, fault)
            return None
        return kept

    def _write(self) -> None:
        is_open = True
        late: dict[Path, bytes | None] = {}  # what the disk has refused so far
        while is_open:
            changes = self._taken(wait=_AGAIN if late else None)
            is_open = None not in changes
            latest = dict(change for change in changes if change is not None)
            late = self._changed(late | latest, is_again=bool(late))
            if is_open:
                time.sleep(_PAUSE)
        if late:
            _log.warning("sessions: the disk has refused %d of them to the end", len(late))

    def _taken(self, *, wait: float | None) -> list[tuple[Path, bytes | None] | None]:
        """All changes that there are, once there is one, or the seconds have gone by."""
        try:
            changes = [self._changes.get(timeout=wait)]
        except queue.Empty:
            return []
        while not self._changes.empty():
            changes.append(self._changes.get())
        return changes

    def _changed(
        self, changes: Mapping[Path, bytes | None], *, is_again: bool
    ) -> dict[Path, bytes | None]:
        """Those that the disk refuses. It is told when that begins, and when it is over."""
        late: dict[Path, bytes | None] = {}
        for path, content in changes.items():
            try:
                _change(path, content)
            except (OSError, LlamoodError) as fault:
                if not late and not is_again:
                    _log.warning("sessions are kept in memory until the disk takes them: %s", fault)
                late[path] = content
        if is_again and not late:
            _log.warning("sessions: all are on the disk again")
        return late


def _change(path: Path, content: bytes | None) -> None:
    def write(beside: Path) -> None:
        beside.touch(mode=0o600)
        beside.write_bytes(content or b"")

    if content is None:
        path.unlink(missing_ok=True)
    else:
        write_files({path: write})

"""The service under watch: a process that is started, killed and started again at the same port."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_PATIENCE = 300.0  # seconds until it is ready, or gone
_LAST = 400  # lines of what it wrote that are kept
PLAIN = "from llamood.cli import main; main()"


@dataclass(frozen=True)
class Sample:
    """What its process holds. ``resident``, and ``own``, what no other process shares: bytes.
    ``at``: seconds; ``n_asked``: requests that were asked until then."""

    at: float
    n_asked: int
    resident: int
    own: int
    n_file: int
    n_thread: int


@dataclass(frozen=True)
class Death:
    """From when, and until when, nobody answered; by `time.monotonic`."""

    began: float
    ended: float


class Service:
    """``arguments``: of ``llamood serve``, without a port. ``program``: what Python runs."""

    def __init__(self, arguments: Sequence[str | Path], *, program: str = PLAIN) -> None:
        self._arguments = [str(each) for each in arguments]
        self._program = program
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._down = 0.0  # since when
        self.port = 0
        self.is_up = asyncio.Event()
        self.deaths: list[Death] = []
        self.lines: deque[str] = deque(maxlen=_LAST)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    async def start(self) -> None:
        """Returns when it is ready. Raises RuntimeError where it does not start."""
        command = [sys.executable, "-c", self._program, "serve", *self._arguments]
        self._process = subprocess.Popen(
            [*command, "--port", str(self.port)], stderr=subprocess.PIPE, text=True
        )
        await asyncio.wait_for(asyncio.to_thread(self._await_ready, self._process), _PATIENCE)
        if self._down:
            self.deaths.append(Death(self._down, time.monotonic()))
        self.is_up.set()

    async def kill(self) -> None:
        """At once, as by kill -9 or the loss of power to it alone."""
        await self._end(by_force=True)

    async def stop(self) -> int:
        """As a supervisor does before an update: its exit status."""
        return await self._end(by_force=False)

    async def _end(self, *, by_force: bool) -> int:
        assert self._process is not None
        self._down = time.monotonic()
        self.is_up.clear()
        if by_force:
            self._process.kill()
        else:
            self._process.terminate()
        status = await asyncio.to_thread(self._process.wait, _PATIENCE)
        if self._reader is not None:
            await asyncio.to_thread(self._reader.join)
        return status

    def was_down(self, since: float) -> bool:
        """Whether it was, or is, gone at any time after this."""
        return not self.is_up.is_set() or any(death.ended > since for death in self.deaths)

    def sample(self, *, at: float, n_asked: int) -> Sample:
        process = psutil.Process(self.pid)
        memory = process.memory_full_info()
        return Sample(at, n_asked, memory.rss, memory.uss, process.num_fds(), process.num_threads())

    def _await_ready(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        for line in process.stderr:
            self.lines.append(line.rstrip())
            if line.startswith("Serving"):
                url = next(word for word in line.split() if word.startswith("http"))
                self.port = int(url.rsplit(":", 1)[1])
                self._reader = threading.Thread(target=self._read, args=(process,))
                self._reader.start()
                return
        process.stderr.close()
        process.wait()
        raise RuntimeError(f"the service did not start: {' '.join(list(self.lines)[-5:])}")

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        with process.stderr:
            for line in process.stderr:
                self.lines.append(line.rstrip())

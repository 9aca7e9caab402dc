"""A small disk that can be filled, so that others are spared: a tmpfs of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

_BLOCK = 2**16
_PAUSE = 0.02  # seconds between two looks for room that became free


class SmallDisk:
    """``folder``: where it is mounted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.n_full = 0  # how often it was filled
        self._filler = folder / "filler"

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        """While the block runs there is no room, whatever is removed meanwhile."""
        self.n_full += 1
        is_over = threading.Event()
        with self._filler.open("wb", buffering=0) as file:

            def fill() -> None:
                while not is_over.is_set():
                    self._fill(file.fileno())
                    is_over.wait(_PAUSE)

            self._fill(file.fileno())
            filling = threading.Thread(target=fill)
            filling.start()
            try:
                yield
            finally:
                is_over.set()
                filling.join()
                self._filler.unlink()

    @property
    def is_full(self) -> bool:
        return self._filler.exists()

    def _fill(self, file: int) -> None:
        with contextlib.suppress(OSError):  # there is no room, which is what is wanted
            while os.write(file, bytes(_BLOCK)):
                pass


@contextlib.contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[SmallDisk | None]:
    """Mounted at the folder until the block is left; None where this user may mount nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    try:
        is_there = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except OSError:
        is_there = False
    try:
        yield SmallDisk(folder) if is_there else None
    finally:
        if is_there:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)

"""What holds a model, and frees it."""

from __future__ import annotations

import atexit
import weakref
from abc import ABC, abstractmethod
from typing import Protocol, TypeVar

_Self = TypeVar("_Self", bound="Closing")
_LONGEST = 10.0  # seconds that a program waits at its end for a step to be over


class Lock(Protocol):
    """That a thread can take again which has it, as ``threading.RLock``."""

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool: ...


_locks: weakref.WeakSet[Lock] = weakref.WeakSet()


def hold_at_exit(lock: Lock) -> None:
    """When the program ends, let the thread that does so have this lock for good. Python ends other
    threads where they wait for it, which those that are within C++ do not survive."""
    _locks.add(lock)


@atexit.register
def _hold() -> None:
    for lock in list(_locks):
        lock.acquire(timeout=_LONGEST)


class Closing(ABC):
    """In a ``with`` it is closed at the end."""

    @abstractmethod
    def close(self) -> None:
        """Free what is held; what is closed already stays so."""

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

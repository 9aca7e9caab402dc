"""What a process has in memory."""

from __future__ import annotations

import ctypes
import gc
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import psutil

import llamood


class _Mallinfo(ctypes.Structure):
    """glibc's struct mallinfo2."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


@dataclass(frozen=True)
class Footprint:
    """``in_use``: bytes that malloc has given out, Python's own only under PYTHONMALLOC=malloc;
    where it does not tell, what is resident, which may rise by what malloc keeps. ``objects`` of
    the package, by type."""

    in_use: int
    objects: Mapping[str, int]

    @classmethod
    def now(cls) -> Footprint:
        while gc.collect():  # what a finalizer lets go is garbage only then
            pass
        kinds = Counter(type(thing) for thing in gc.get_objects())
        ours = {str(kind): n for kind, n in kinds.items() if _is_ours(kind)}
        return cls(_in_use(), ours)


def _in_use() -> int:
    libc = ctypes.CDLL(None)
    if not hasattr(libc, "mallinfo2"):
        return int(psutil.Process().memory_info().rss)
    libc.mallinfo2.restype = _Mallinfo
    info = libc.mallinfo2()
    return int(info.uordblks + info.hblkhd)


def _is_ours(kind: type) -> bool:
    module = getattr(kind, "__module__", None)
    return isinstance(module, str) and module.startswith(f"{llamood.__name__}.")

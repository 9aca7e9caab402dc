"""How many threads are fastest where a model runs on processors."""

from __future__ import annotations

import os
from pathlib import Path

_CPUS = Path("/sys/devices/system/cpu")


def usable_cores(*, cpus: Path = _CPUS) -> int:
    """Processor cores that this process may use, each once: a second thread of a core has no
    second unit to multiply with. Where the system does not tell which share a core (``cpus``: the
    folder in which Linux does), all processors count.
    """
    numbers = _usable()
    siblings = {_siblings(cpus, number) or str(number) for number in numbers}
    return max(len(siblings), 1)


def _usable() -> set[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def _siblings(cpus: Path, number: int) -> str | None:
    """The processors of its core, as the system writes them."""
    try:
        path = cpus / f"cpu{number}" / "topology" / "thread_siblings_list"
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None


def threads(n: int | None = None) -> dict[str, int]:
    """For ``llama_cpp.Llama``: so many for single tokens and for batches, `usable_cores` unless
    given. llama_cpp itself takes half of all processors for single tokens, and all for batches."""
    n = n or usable_cores()
    return {"n_threads": n, "n_threads_batch": n}

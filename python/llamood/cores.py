"""How many threads are fastest where a model runs on processors, and how they wait."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_CPUS = Path("/sys/devices/system/cpu")
_MAPS = Path("/proc/self/maps")


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


def ask_for_short_spins() -> bool:
    """Let libgomp's threads spin briefly at barriers (csrc/voices/spin.hpp says why), unless the
    environment says how they are to wait. It reads that as it is loaded; returns whether it was
    before, so that it is to be told otherwise.
    """
    if "OMP_WAIT_POLICY" in os.environ or "GOMP_SPINCOUNT" in os.environ:
        return False
    os.environ["GOMP_SPINCOUNT"] = "1000"
    try:
        return "/libgomp" in _MAPS.read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux
        return False


def may_vary(llama: Mapping[str, Any]) -> bool:
    """Whether threads may come and go with these arguments of ``llama_cpp.Llama``: nobody says how
    many, and what is computed does not depend on them. With flash attention it does, in the last
    bits: its sums over positions are split among threads.
    """
    return not llama.get("n_threads") and not llama.get("flash_attn")


def threads(n: int | None = None, n_batch: int | None = None) -> dict[str, int]:
    """For ``llama_cpp.Llama``: so many for single tokens and for batches, `usable_cores` where none
    are given, and all of these but so many where a number is below 0. llama_cpp itself takes half
    of all processors for single tokens, and all for batches."""
    single = _counted(n or usable_cores())
    return {"n_threads": single, "n_threads_batch": _counted(n_batch or single)}


def _counted(n: int) -> int:
    return n if n > 0 else max(usable_cores() + n, 1)

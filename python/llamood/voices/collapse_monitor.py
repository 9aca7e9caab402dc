"""What becomes of an answer that collapses under its mood."""

from __future__ import annotations

from typing import Literal, get_args

from llamood._core import CollapseMonitor, Rescue
from llamood.errors import LlamoodError

__all__ = ["CARES", "Care", "CollapseMonitor", "Rescue", "care_of"]

Care = Literal["rescue", "stop"]
CARES: tuple[Care, ...] = get_args(Care)


def care_of(guard: bool | str) -> Care | None:
    """What ``guard=`` asks for: True is ``rescue``, False nothing. Raises `LlamoodError`."""
    if isinstance(guard, bool):
        return "rescue" if guard else None
    for care in CARES:
        if guard == care:
            return care
    raise LlamoodError(f"guard is {guard!r:.60}, expected 'rescue', 'stop', True or False")

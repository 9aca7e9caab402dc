"""One thing that was looked at, with its figure and the bound it must hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Check:
    """``what`` was done and compared, of which ``model``, in which ``place``. ``figure``: what came
    out, of that ``unit``; it may not be above ``bound``. None: it is shown for comparison only."""

    what: str
    place: str
    model: str
    figure: float
    bound: float | None = None
    unit: str = ""

    @property
    def holds(self) -> bool:
        return self.bound is None or self.figure <= self.bound

    def line(self) -> str:
        verdict = "shown" if self.bound is None else "holds" if self.holds else "FAILED"
        bound = "" if self.bound is None else f", at most {self.bound:.4g}"
        unit = f" {self.unit}" if self.unit else ""
        where = ", ".join(part for part in (self.model, self.place) if part)
        return f"{verdict:6s}  {where}: {self.what}: {self.figure:.4g}{unit}{bound}"

    def to_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return {**vars(self), "holds": self.holds}

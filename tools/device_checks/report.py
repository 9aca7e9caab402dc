"""What was found on a device, as JSON and as a page."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from paired import Measure

from .check import Check


@dataclass(frozen=True, kw_only=True)
class Report:
    """``facts``: of the machine. ``seconds``: how long all of it took."""

    day: date
    facts: Mapping[str, str]
    checks: Sequence[Check]
    measures: Sequence[Measure]
    seconds: float

    @property
    def holds(self) -> bool:
        return all(check.holds for check in self.checks)

    @property
    def name(self) -> str:
        """Of its files, without an ending: the day, the backend and what it runs on."""
        is_rpc = self.facts["backend"] == "RPC"
        hardware = "cpu" if is_rpc else self.facts["described as"]
        words = f"{self.facts['backend']} {hardware}".lower()
        return f"{self.day.isoformat()}-{re.sub('[^a-z0-9]+', '-', words).strip('-')}"

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Both files; those of the same day and device are replaced."""
        folder.mkdir(parents=True, exist_ok=True)
        written = folder / f"{self.name}.json", folder / f"{self.name}.md"
        for path, text in zip(written, (self.to_json(), self.to_markdown()), strict=True):
            path.write_text(text, encoding="utf-8")
        return written

    def to_json(self) -> str:
        parts = {
            "day": self.day.isoformat(),
            "holds": self.holds,
            "seconds": round(self.seconds),
            "facts": dict(self.facts),
            "checks": [check.to_dict() for check in self.checks],
            "measures": [measure.to_dict() for measure in self.measures],
        }
        return json.dumps(parts, indent=2) + "\n"

    def to_markdown(self) -> str:
        bound = [check for check in self.checks if check.bound is not None]
        n_held = sum(check.holds for check in bound)
        lines = [
            f"# {self.facts['backend']}: {self.facts['described as']}",
            "",
            f"{self.day.isoformat()}, by `tools/verify_device.py`, in {self.seconds:.0f} seconds. "
            f"{n_held} of {len(bound)} checks hold.",
            "",
            *table(("", ""), list(self.facts.items())),
            "## Checks",
            "",
            *table(
                ("model", "layers on the device", "what / against what", "figure", "at most", ""),
                [_check_row(check) for check in self.checks],
            ),
        ]
        if self.measures:
            lines += [
                "## Speed",
                "",
                "Ratios of paired, interleaved runs, all layers on the device.",
                "",
                *table(
                    ("measure", "model", "min", "median", "max"),
                    [_measure_row(measure) for measure in self.measures],
                ),
            ]
        return "\n".join(lines).rstrip() + "\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of Markdown, the last of them empty."""
    ruled = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(row) + " |" for row in ruled] + [""]


def _check_row(check: Check) -> tuple[str, ...]:
    bound = "" if check.bound is None else f"{check.bound:.3g}"
    verdict = "" if check.bound is None else "holds" if check.holds else "**failed**"
    figure = f"{check.figure:.3g} {check.unit}".strip()
    return check.model, check.place, check.what, figure, bound, verdict


def _measure_row(measure: Measure) -> tuple[str, ...]:
    numbers = (min(measure.values), measure.median, max(measure.values))
    return measure.name, measure.model, *(f"{number:.3f}" for number in numbers)

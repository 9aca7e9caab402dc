"""What a run came to, as a table and as a page."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from device_checks.machine import processor
from device_checks.report import table
from soaking.plan import Plan, Subject
from soaking.record import Kind
from soaking.soak import Found
from soaking.watch import FEWEST, MOST_GROWTH, MOST_THREADS, WARM, Life

TEMPLATE = Path(__file__).with_name("reliability.md")
KINDS: Sequence[Kind] = ("lost", "crossed", "hung", "half written", "leaked", "failed")
_MB = 2**20


@dataclass(frozen=True, kw_only=True)
class Told:
    """``day``: when it began, as 2026-12-01 16:20; ``sources``: which they were, by `commit`."""

    found: Found
    subject: Subject
    plan: Plan
    day: str
    sources: str

    def shown(self) -> str:
        """For a terminal."""
        return "\n".join([*self._counts(), *lives(self.found.lives), *self._faults()])

    def page(self) -> str:
        """What is said by hand stands in its template."""
        plan, found = self.plan, self.found
        parts = {
            "run": f"{self.day}, {found.record.seconds / 60:.0f} minutes, commit {self.sources}, "
            f"seed {plan.seed}; {machine()}; {self.subject.name}",
            "clients": str(plan.n_client),
            "counts": "\n".join(self._counts()).rstrip(),
            "faults": "\n".join(self._faults()).rstrip(),
            "memory": "\n".join(lives(found.lives)).rstrip(),
            "known": str(found.n_known),
            "near": f"{self.subject.near:g}",
            "decided": f"{2 * self.subject.near:g}",
            "furthest": f"{found.record.furthest:.3f}",
            "warm": f"{WARM:.0%}",
            "fewest": str(FEWEST),
            "growth": f"{MOST_GROWTH:.0%}",
            "threads": str(MOST_THREADS),
        }
        text = TEMPLATE.read_text(encoding="utf-8")
        for name, part in parts.items():
            text = text.replace(f"{{{name}}}", part)
        return text

    def _counts(self) -> list[str]:
        rows = [(name, f"{n:,}") for name, n in sorted(self.found.record.counts.items())]
        return table(("", "times"), rows)

    def _faults(self) -> list[str]:
        record = self.found.record
        lines = table(KINDS, [[str(record.n_fault[kind]) for kind in KINDS]])
        lines += [f"- {each.kind}, after {each.at:.0f} s: {each.what}" for each in record.faults]
        return lines


def lives(found: Sequence[Life]) -> list[str]:
    """Each process: how long, from what to what, and the slope where that is judged."""
    rows = []
    for life in found:
        if not life.samples:
            continue
        first, last = life.samples[0], life.samples[-1]
        judged = life.judged
        rows.append(
            (
                life.name,
                f"{last.n_asked - first.n_asked:,}",
                f"{(last.at - first.at) / 60:.1f}",
                f"{first.resident / _MB:.1f} to {last.resident / _MB:.1f}",
                f"{judged[0].resident / _MB:.1f} to {judged[-1].resident / _MB:.1f}, "
                f"{life.slope() * 3600 / _MB:+.1f} MB an hour, {life.growth():+.2%}"
                if life.is_judged
                else "",
                f"{first.n_file} to {last.n_file}",
                f"{first.n_thread} to {last.n_thread}",
            )
        )
    head = (
        *("process, begun at or after", "requests", "minutes", "resident, MB"),
        *("when it was warm, and its slope", "files", "threads"),
    )
    return table(head, rows)


def machine() -> str:
    """With how busy it is: others may use it, too."""
    return (
        f"{os.cpu_count()} cores, {processor()}, load {os.getloadavg()[0]:.0f} at the end, "
        f"{platform.system()}, Python {platform.python_version()}"
    )


def commit() -> str:
    """Of these sources, and whether they were changed since."""
    root = Path(__file__).resolve().parents[2]

    def git(*words: str) -> str:
        command = ["git", "-C", str(root), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", "python", "csrc", "tools")
    return (git("rev-parse", "--short", "HEAD") or "unknown") + (", changed" if changed else "")

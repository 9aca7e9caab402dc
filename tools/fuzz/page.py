"""docs/fuzzing.md: what was run last of each target, as people read it."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from pathlib import Path

from fuzz.campaign import Run
from fuzz.targets import TARGETS, Target

TEMPLATE = Path(__file__).with_name("fuzzing.md")
FINDINGS = Path(__file__).with_name("findings.md")


def page(runs: Sequence[Run]) -> str:
    """The whole document."""
    rows = "\n".join(
        _row(target, [run for run in runs if run.target == target.id]) for target in TARGETS
    )
    fuzzers = sorted({run.fuzzer for run in runs})
    about = ", ".join([*fuzzers, f"Python {platform.python_version()}"])
    found = FINDINGS.read_text(encoding="utf-8").strip()
    text = TEMPLATE.read_text(encoding="utf-8")
    return text.replace("{rows}", rows).replace("{about}", about).replace("{findings}", found)


def _row(target: Target, runs: Sequence[Run]) -> str:
    """Of the runs of the commit that was fuzzed last."""
    name = f"`{target.id}` | {target.reads}"
    if not runs:
        return f"| {name} | not run | | | |"
    last = [run for run in runs if run.commit == runs[-1].commit]
    inputs, seconds = sum(run.inputs for run in last), sum(run.seconds for run in last)
    edges = max(run.edges for run in last)
    return f"| {name} | {inputs:,} | {seconds:,.0f} | {edges:,} | {runs[-1].commit} |"

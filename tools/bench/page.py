"""docs/performance.md: what `make bench` has measured, as people read it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from beside import AUTO, FRAMES, UNSET, Row, Setting, measured
from paired import Measure

from models import QWEN, SMOLLM2, THREADS

TEMPLATE = Path(__file__).with_name("performance.md")
TINY = Path(__file__).parents[2] / "tests" / "models" / "tiny_chat.gguf"
ALONE = "idle"
BUSY = {"0": ALONE, "1": "1 busy", "2": "2 busy", "4": "4 busy", FRAMES: "60 Hz"}
ANOTHER = "a llamood"
SETTINGS = {
    f"llama_cpp, {THREADS} threads, as libgomp spins by itself": Setting(str(THREADS), UNSET),
    f"{THREADS} threads, `GOMP_SPINCOUNT=1000`": Setting(str(THREADS), "1000"),
    "1 thread": Setting("1", "1000"),
    "**llamood, left to choose**": Setting(AUTO, UNSET),
}


def survey(paths: Mapping[str, Path]) -> dict[str, list[Row]]:
    """By name of the model: each setting beside each of `BUSY` and beside a second llamood."""
    return {
        name: [
            measured(str(path), setting, others)
            for others in (*BUSY, str(path))
            for setting in SETTINGS.values()
        ]
        for name, path in paths.items()
    }


def surveyed() -> dict[str, list[Row]]:
    """The three models that are shown."""
    models = {model.name: model.path() for model in (SMOLLM2, QWEN)}
    return survey({**models, "a model of 4 million parameters": TINY})


def page(
    measures: Sequence[Measure], rows: Mapping[str, Sequence[Row]], machine: Mapping[str, object]
) -> str:
    """The whole document."""
    facts = (
        f"{datetime.date.today()}: {machine['cores']} cores, {machine['processor']}, Python "
        f"{machine['python']}, llama-cpp-python {machine['llama_cpp_python']}, llamood "
        f"{machine['llamood']}"
    )
    tables = "\n\n".join(_beside(name, some) for name, some in rows.items())
    return (
        TEMPLATE.read_text(encoding="utf-8")
        .replace("{machine}", facts)
        .replace("{costs}", _costs(measures))
        .replace("{beside}", tables)
    )


def _costs(measures: Sequence[Measure]) -> str:
    lines = ["| | model | median | spread | rounds | bound | |", "|---|---|---:|---|---:|---|---|"]
    for each in measures:
        low, high = np.quantile(each.values, (0.25, 0.75))
        unit = "" if each.unit == "x" else f" {each.unit}"
        bound = verdict = ""
        if each.bound is not None:
            bound = f"{'at least' if each.at_least else 'at most'} {each.bound:g}{unit}"
            verdict = "holds" if each.holds else "**missed**"
        cells = [each.name, each.model, f"{each.median:.3f}{unit}", f"{low:.3f} to {high:.3f}"]
        lines.append(f"| {' | '.join([*cells, str(len(each.values)), bound, verdict])} |")
    return "\n".join(lines)


def _beside(name: str, rows: Sequence[Row]) -> str:
    """Of one model: tokens, and prompts."""
    busy = list(dict.fromkeys(row.busy for row in rows))
    head = [BUSY.get(each, ANOTHER) for each in busy]
    found = {(row.setting, row.busy): row for row in rows}
    parts = [f"### {name}"]
    for what, corner in (("tokens", "tokens"), ("prompts", "prompts, a token")):
        lines = [f"| {corner} | {' | '.join(head)} |", "|---" * (len(head) + 1) + "|"]
        for said, setting in SETTINGS.items():
            cells = [_cell(found[setting, each], what) for each in busy]
            lines.append(f"| {said} | {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _cell(row: Row, what: str) -> str:
    if what == "prompts":
        return _shown(row.prompt)
    return f"{_shown(row.p50)} / {_shown(row.p99)}"


def _shown(milliseconds: float) -> str:
    return f"{milliseconds:.0f}" if milliseconds >= 10 else f"{milliseconds:.1f}"

"""Tries every family of models that llamood knows of and writes docs/models.md:
``python tools/write_models.py``.

Run it after llama.cpp, `families/` or anything that a model is needed for has changed.
"""

from __future__ import annotations

import tempfile
import textwrap
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from families.table import FAMILIES
from families.trial import DEEDS, PROMPT, Finding, logits, opened, tried

PAGE = Path(__file__).resolve().parents[1] / "docs" / "models.md"

NOTES = Path(__file__).with_name("models_notes.md")

WEAK: dict[str, Any] = {"joy": 0.125}  # so that nothing else is drowned
ANSWER = b"there was a girl"  # by hand, so that all moods say the same


def share_of_generated(model: Path) -> float:
    """How far the logits of an answer move with its tokens and the last of the prompt steered, over
    how far with all."""
    rows = []
    for mood in ({}, WEAK, {**WEAK, "$positions": "all"}):
        with closing(opened(model)) as llm:
            llm.feel(mood)
            llm.eval(llm.tokenize(PROMPT.encode()))
            said = []
            for token in llm.tokenize(ANSWER, add_bos=False):
                said.append(logits(llm))
                llm.eval([token])
        rows.append(np.array(said))
    neutral, generated, everywhere = rows
    return float(np.linalg.norm(generated - neutral) / np.linalg.norm(everywhere - neutral))


def refused(arch: str, found: Mapping[str, Finding]) -> list[str]:
    """A line for each thing that is said, with the deeds of which it is."""
    deeds: dict[str, list[str]] = {}
    for deed, each in found.items():
        if not each.works:
            deeds.setdefault(each.said or "it does something else", []).append(deed)
    lines = (f"- {arch} ({', '.join(names)}): {said}." for said, names in deeds.items())
    return [textwrap.fill(line, 120, subsequent_indent="  ") + "\n" for line in lines]


def page() -> str:
    rows, refusals, shares = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for family in FAMILIES:
            model = family.write(Path(folder) / f"{family.arch}.gguf")
            found = {deed: tried(model, deed) for deed in DEEDS}
            marks = ["yes" if each.works else "no" for each in found.values()]
            rows.append(f"| {family.arch} | {family.kind} | {' | '.join(marks)} |\n")
            refusals += refused(family.arch, found)
            if found["steer"].works:
                shares.append(f"| {family.arch} | {share_of_generated(model):.1f} |\n")
    text = NOTES.read_text(encoding="utf-8")
    return text.format(families="".join(rows), refusals="".join(refusals), shares="".join(shares))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE}.")

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

HEAD = """# Models

What llamood can do with a model depends on the graph that llama.cpp has for its architecture. This page is
written by `python tools/write_models.py`, which makes a small model of random weights in each family and tries
everything on it. What a real model makes of a mood is another question, which [docs/evidence.md](evidence.md) asks.

| family | what it is | steer | at attn_out | read | caps | cast | saved voices | extract |
|---|---|---|---|---|---|---|---|---|
"""

COLUMNS = """
- **steer**: a constant mood and a ramp of a `llamood.Llama`, in the answer alone and in the prompt too. The logits are
  those of llama.cpp's own setter, to the bit, and others than without a mood.
- **at attn_out**: the same between attention and MLP, where vectors of that site are added.
- **read**: hidden states are projected, and move by what is added.
- **caps**: rows are kept within a bound in a layer, and what follows changes.
- **cast**: three voices in one batch, each in a mood of its own, say what each says alone.
- **saved voices**: a voice goes on in another cast as it would have.
- **extract**: vectors of labelled texts, in all layers.

When a model is opened with vectors, one token of it is decoded in a small context of its own, up to the end of the last
block, to see where vectors take hold. Where they do nowhere, it is refused; where some layers are without, a warning
names them. `llamood inspect MODEL` shows what came of it.

## What llamood says where it refuses

"""

HYBRID = """
## Which positions are moved

Recurrent and hybrid models have a state that is made from hidden states, one position after the other. A control
vector is added at the end of each block, to positions of the prompt and to generated ones alike, and takes hold at
both, as everywhere else. How far the logits of one and the same answer move when its positions alone are steered (and
the last one of the prompt, which is the default), as a part of how far they move with all of the prompt steered too:

| family | answer alone |
|---|---|
"""

TAIL = """
So nothing in llama.cpp's graphs keeps a mood from generated positions, and `"$positions": "generated"` is the default
for these models, too. Whether a real hybrid model needs its prompt steered before it says something else was not
measured; `"$positions": "all"` does that.

A recurrent state cannot be taken back by some tokens. Where an answer is drawn anew (by the guard), or the next prompt
begins as the last one did, such a model decodes it from its beginning: right, and slower.
"""

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
    parts = (HEAD, *rows, COLUMNS, *refusals, HYBRID, *shares, TAIL)
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE}.")

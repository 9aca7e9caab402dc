"""The pages of ideas tell no figure that was not measured."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import llamood
from documents import DOCS, ROOT, text

IDEAS = sorted((DOCS / "ideas").glob("*.md"))
MEASURED = ("evidence", "method", "performance", "caps", "guard")
_FIGURE = re.compile(r"(?<![\w.])-?(\d*\.\d+|\d+ %)")


def figures(page: str) -> set[str]:
    """Numbers with a point, each as short as it can be written, and percentages as parts of 1."""
    page = re.sub(r"\d{4}\.\d{5}", "", page)  # of a paper
    found = _FIGURE.findall(page)
    parts = (float(each.removesuffix(" %")) / (100 if "%" in each else 1) for each in found)
    return {f"{part:g}" for part in parts}


def elsewhere() -> set[str]:
    pages = [text(DOCS / f"{name}.md") for name in MEASURED]
    return figures("\n".join([*pages, text(ROOT / "README.md")]))


def of_the_vectors() -> set[str]:
    """What `llamood inspect` says of the vectors that ship, and of plain differences."""
    plain = llamood.load(llamood.demo.VECTORS / "paper")
    own = llamood.load(llamood.demo.VECTORS)
    told = [*plain.cosines(plain.base()).ravel(), *_others(plain), _others(own).max()]
    return {f"{round(float(cosine), 2):g}" for cosine in told}


def _others(evs: llamood.EmotionVectors) -> np.ndarray:
    """Of each two that differ."""
    cosines = evs.cosines()
    found: np.ndarray = cosines[~np.eye(evs.n_emotion, dtype=bool)]
    return found


@pytest.mark.usefixtures("demo_vectors")
@pytest.mark.parametrize("page", IDEAS, ids=lambda page: page.stem)
def test_every_figure_was_measured(page: Path) -> None:
    told = figures(text(page))
    assert told
    said = {"0.5", "1", "1.5", "0.7"}  # what is asked for, and bounds that are set
    assert told - said <= elsewhere() | of_the_vectors()


@pytest.mark.usefixtures("demo_vectors")
def test_what_is_shared_is_as_large_as_the_page_says() -> None:
    page = " ".join(text(DOCS / "ideas" / "why-centred.md").split())
    plain = llamood.load(llamood.demo.VECTORS / "paper")
    with_base = dict(zip(plain.names, plain.cosines(plain.base()).ravel(), strict=True))
    least, most = min(with_base, key=with_base.get), max(with_base, key=with_base.get)
    assert (
        f".{with_base[least] * 100:.0f} ({least}) to .{with_base[most] * 100:.0f} ({most})" in page
    )
    assert f"up to .{_others(plain).max() * 100:.0f} (anger and disgust)" in page
    own = llamood.load(llamood.demo.VECTORS)
    assert f"by more than .{_others(own).max() * 100:02.0f}" in page

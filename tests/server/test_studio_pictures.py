"""The pictures of the studio in the README: LLAMOOD_PICTURES=docs takes them of the demo's model,
and keeps them there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from matplotlib.image import imread
from PIL import Image

import tiny_chat
from servers import SUGGESTED, Server, serving
from studios import BREAD, Studio, visiting

pytestmark = pytest.mark.slow  # a browser draws every view

KEPT = os.environ.get("LLAMOOD_PICTURES")
DESK = {"width": 1240, "height": 860}
PHONE = {"width": 390, "height": 800}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    model = "demo" if KEPT else tiny_chat.MODEL
    with serving(model, "--voices", "4", *SUGGESTED) as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(KEPT) if KEPT else tmp_path


def taken(studio: Studio, path: Path) -> None:
    """A picture, in which there is something to see."""
    studio.page.evaluate("document.activeElement.blur()")
    studio.page.mouse.move(0, 0)
    studio.page.wait_for_timeout(200)
    studio.page.screenshot(path=path, animations="disabled")
    Image.open(path).quantize(256).save(path, optimize=True)
    colours = {tuple(pixel) for row in imread(path)[::3, ::3] for pixel in row}
    assert len(colours) > 100
    assert path.stat().st_size < 200_000


def brief(studio: Studio) -> None:
    """Answers that a picture has room for."""
    studio.settings(max_tokens=80)
    studio.page.locator("#drawing > summary").click()


def test_talk(browser: Any, server: Server, folder: Path) -> None:
    with visiting(browser, server, viewport=DESK, color_scheme="light") as studio:
        studio.page.get_by_role("button", name="joy turns to anger").click()
        studio.settings(seed=46, max_tokens=80)
        studio.page.locator("#drawing > summary").click()
        studio.ask(BREAD)
        studio.said()
        taken(studio, folder / "studio-talk.png")


def test_compare(browser: Any, server: Server, folder: Path) -> None:
    with visiting(browser, server, viewport=DESK, color_scheme="dark") as studio:
        studio.view("Compare")
        studio.drag(".pad", (0.5, 0.5), (0.9, 0.2))
        brief(studio)
        studio.ask(BREAD)
        studio.said("compare")
        studio.page.locator("#spoken").evaluate("it => it.scrollTo(0, 0)")
        taken(studio, folder / "studio-compare.png")


def test_cast(browser: Any, server: Server, folder: Path) -> None:
    with visiting(browser, server, viewport=DESK, color_scheme="light") as studio:
        studio.view("Cast")
        studio.page.get_by_role("button", name="Add a character").click()
        studio.slide("joy", 1.0)
        brief(studio)
        studio.ask(BREAD)
        studio.said("cast")
        studio.page.locator("#spoken").evaluate("it => it.scrollTo(0, 0)")
        taken(studio, folder / "studio-cast.png")


def test_phone(browser: Any, server: Server, folder: Path) -> None:
    how = {"viewport": PHONE, "color_scheme": "dark", "has_touch": True, "is_mobile": True}
    with visiting(browser, server, **how) as studio:
        studio.page.evaluate("document.getElementById('mood-part').open = true")
        studio.page.get_by_role("button", name="glad").click()
        studio.page.evaluate("document.getElementById('mood-part').open = false")
        studio.ask(BREAD)
        studio.said()
        taken(studio, folder / "studio-phone.png")

"""The studio where things are not as usual: odd names, many emotions, several things at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from servers import Server, serving
from studios import BREAD, ENDLESS, Studio, endless_model, visiting

ODD = ("joy", "self-doubt", "grief 2", "it's 50%", "#id.class", "constructor", "1", "l'été")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving("demo", "--voices", "4", exact=True) as server:
        yield server


@pytest.fixture
def studio(browser: Any, server: Server) -> Iterator[Studio]:
    with visiting(browser, server) as studio:
        yield studio


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    many = ("a-name-that-is-longer-than-any-column-is-wide", *(f"emotion {i}" for i in range(31)))
    return endless_model(tmp_path_factory.mktemp("models"), names=(*ODD, *many))


def test_forty_emotions_of_odd_names_without_ceilings_or_readings(
    browser: Any, endless: Path
) -> None:
    with serving(endless, "--ctx", "2048", "--voices", "2") as server:
        for width in (360, 1280):
            with visiting(browser, server, viewport={"width": width, "height": 900}) as studio:
                page = studio.page
                page.evaluate("document.getElementById('mood-part').open = true")
                assert page.locator("#sliders input").count() == 40
                for name in ODD:
                    page.get_by_role("slider", name=name, exact=True).fill("-0.2")
                assert studio.mood == dict.fromkeys(ODD, -0.2)
                assert "self-doubt \u22120.2" in page.locator("#felt").text_content()
                dots = page.locator("#sliders .slider").evaluate_all(
                    "all => all.map(e => getComputedStyle(e.querySelector('label'), '::before')"
                    ".backgroundColor)"
                )
                assert "rgba(0, 0, 0, 0)" not in dots
                studio.settings(**{**ENDLESS, "max_tokens": 40})
                studio.ask(BREAD)
                assert len(studio.said()[0]) > 30
                assert page.locator("#talk .answer .felt").count() == 0  # they are below zero
                column = page.locator("#mood-part > .parts").bounding_box()
                for part in ("#sliders", "#schedule", ".schedule", "#schedule select >> nth=0"):
                    box = page.locator(part).bounding_box()
                    assert box["x"] + box["width"] <= column["x"] + column["width"] + 1, part
                assert page.evaluate("document.scrollingElement.scrollWidth") == width

"""A new emotion from the studio: named, measured beside answers, and then a slider like others."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tiny_chat
from servers import PATIENCE, Server, serving
from studios import BREAD, Studio, answer, visiting

pytestmark = pytest.mark.slow

FEELINGS = Path(__file__).parents[1] / "feelings"
CALM, PRIDE = ((FEELINGS / f"{name}.txt").read_text() for name in ("calm", "pride"))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    own = tmp_path / "own.evs"
    shutil.copytree(tiny_chat.VECTORS, own)
    options = ("-e", own, "--allow-extract", "--voices", "2")
    with serving(tiny_chat.MODEL, *options, exact=True) as server:
        yield server


def unfolded(studio: Studio) -> Any:
    """What is said of a new emotion."""
    if studio.page.locator("#new-part").get_attribute("open") is None:
        studio.page.locator("#new-part > summary").click()
    return studio.page.locator("#new-emotion [role=status]")


def add(studio: Studio, name: str, texts: str) -> Any:
    said = unfolded(studio)
    studio.page.locator("#new-emotion input").fill(name)
    studio.page.locator("#new-emotion select").select_option("texts")
    studio.page.get_by_label("Texts", exact=True).fill(texts)
    studio.page.get_by_role("button", name="Add emotion").click()
    return said


def added(said: Any, name: str) -> None:
    said.filter(has_text=f"{name} is there").wait_for(timeout=PATIENCE * 1000)


def test_its_slider_comes_and_what_was_said_stays(server: Server, studio: Studio) -> None:
    page = studio.page
    studio.settings(max_tokens=12)
    studio.slide("joy", 0.5)
    studio.ask(BREAD)
    before = studio.said()
    page.locator("#question").fill("half a question")
    studio.draw("fear")
    said = add(studio, "calm", CALM)
    added(said, "calm")
    assert studio.said() == before
    assert page.locator("#question").input_value() == "half a question"
    assert page.locator("#schedule select").first.input_value() == "fear"
    assert page.locator("#sliders .slider label").all_text_contents() == sorted(
        [*studio_names(), "calm"]
    )
    assert studio.mood == {"joy": 0.5}
    assert "calm" in page.locator("#talk .legend").text_content()
    studio.slide("joy", 0)
    studio.slide("calm", 1)
    assert studio.mood == {"calm": 1.0}
    page.locator("#remembers").uncheck()
    studio.ask(BREAD)
    assert studio.said() == [answer(server, {"calm": 1.0}, max_tokens=12)]
    page.locator("#gate-part > summary").click()
    assert "calm" in page.locator("#gate select").first.text_content()
    studio.load()
    assert page.locator("#intensity-calm").input_value() == "1"


def studio_names() -> list[str]:
    return [path.stem for path in tiny_chat.VECTORS.glob("*.gguf")]


def test_a_reload_finds_it_running_and_it_can_be_cancelled(studio: Studio) -> None:
    said = add(studio, "pride", PRIDE)
    studio.page.locator("#new-emotion progress").wait_for()
    studio.load()
    said = unfolded(studio)
    studio.page.locator("#new-emotion progress").wait_for()
    assert studio.page.get_by_role("button", name="Add emotion").is_disabled()
    studio.page.locator("#new-emotion").get_by_role("button", name="Cancel").click()
    said.filter(has_text="pride is not added").wait_for()
    assert studio.page.get_by_role("button", name="Add emotion").is_enabled()
    assert not studio.page.locator("#intensity-pride").is_visible()


def test_what_is_refused_is_told(studio: Studio) -> None:
    page = studio.page
    said = unfolded(studio)
    add(studio, "calm", "It is well.\n\nIt is well.\nAll is well.\n")
    assert page.locator("#new-emotion output").text_content() == (
        "2 different texts, 20 are needed"
    )
    assert page.locator("#new-emotion :invalid").count() > 0
    assert said.text_content() == ""
    studio.expected.append("400")
    add(studio, "joy", CALM)
    said.filter(has_text="joy is there already").wait_for()
    page.locator("#new-emotion select").select_option("a description")
    assert page.get_by_label("Texts", exact=True).is_hidden()
    page.locator("#new-emotion input").fill("valence")
    page.get_by_label("Description", exact=True).fill("warm, unhurried")
    page.get_by_role("button", name="Add emotion").click()
    said.filter(has_text="means something else").wait_for()


def test_one_that_another_page_adds_is_told_when_it_is_looked_for(
    browser: Any, server: Server, studio: Studio
) -> None:
    add(studio, "calm", CALM)
    with visiting(browser, server) as other:
        added(unfolded(other), "calm")
        assert other.page.locator("#intensity-calm").is_visible()


def test_a_service_that_adds_none_has_nothing_of_it(browser: Any) -> None:
    with (
        serving(tiny_chat.MODEL, "--ctx", "64", "--voices", "1") as server,
        visiting(browser, server) as studio,
    ):
        assert not studio.page.locator("#new-part").is_visible()


def test_axe_finds_nothing_serious(studio: Studio) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    unfolded(studio)
    for kind in ("texts", "a description"):
        studio.page.locator("#new-emotion select").select_option(kind)
        found = axe.Axe().run(studio.page).response
        assert [
            v["id"] for v in found["violations"] if v["impact"] in ("serious", "critical")
        ] == []

"""The studio is for everybody: by keys, by screen reader, on a phone, in dark and in light."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import tiny_chat
from servers import SUGGESTED, Server, serving
from studios import BREAD, Studio, answer, visiting

pytestmark = pytest.mark.slow  # a browser looks at every view

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(tiny_chat.MODEL, "--voices", "4", *SUGGESTED, exact=True) as server:
        yield server


def shown(studio: Studio, view: str) -> None:
    """Everything that a view has, open and filled."""
    studio.slide("joy", 1.0)
    studio.slide("fear", 2.0)
    studio.page.locator("#preset-name").fill("mine")
    studio.page.locator("#preset-name").press("Enter")
    studio.snippet("python")
    folded(studio)
    studio.draw("anger")
    studio.page.get_by_role("button", name="Add a point").click()
    studio.view(view)
    studio.settings(max_tokens=40)
    studio.ask(BREAD)
    studio.said(view.lower())
    for summary in studio.page.locator(".figures summary:visible").all():
        summary.click()
    studio.open("schedule-part")


def unfolded(studio: Studio) -> None:
    if studio.page.locator("#mood-part").get_attribute("open") is None:
        studio.page.locator("#mood-part > summary").click()


def folded(studio: Studio) -> None:
    done = studio.page.get_by_role("button", name="Done")
    if done.is_visible():
        done.click()


@pytest.mark.parametrize("view", ["Talk", "Compare", "Cast"])
@pytest.mark.parametrize(
    ("theme", "size"),
    [
        pytest.param("light", DESK, id="light desk"),
        pytest.param("dark", PHONE, id="dark phone"),
        pytest.param("dark", DESK, id="dark desk", marks=pytest.mark.slow),
        pytest.param("light", PHONE, id="light phone", marks=pytest.mark.slow),
    ],
)
def test_axe_finds_nothing_serious(
    browser: Any, server: Server, view: str, theme: str, size: Any
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    with visiting(browser, server, viewport=size, color_scheme=theme) as studio:
        unfolded(studio)
        shown(studio, view)
        looks = [axe.Axe().run(studio.page).response]
        if size == PHONE:  # the sheet lies over it
            unfolded(studio)
            looks.append(axe.Axe().run(studio.page).response)
    for found in looks:
        assert len(found["passes"]) > 10
        serious = [
            f"{one['id']}: {one['help']}: {[node['target'] for node in one['nodes']][:4]}"
            for one in found["violations"]
            if one["impact"] in ("serious", "critical")
        ]
        assert serious == []


def test_the_dialog_for_the_key_has_nothing_serious_either(browser: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    with (
        serving(tiny_chat.MODEL, "--api-key", "sesame", key="sesame") as server,
        visiting(browser, server, loads=False) as studio,
    ):
        studio.page.goto(server.url)
        studio.page.get_by_role("dialog").wait_for()
        found = axe.Axe().run(studio.page).response
        studio.faults.clear()  # that the key was asked for
    assert [one for one in found["violations"] if one["impact"] in ("serious", "critical")] == []


@pytest.mark.parametrize("view", ["Talk", "Compare", "Cast"])
def test_nothing_is_wider_than_a_phone(browser: Any, server: Server, view: str) -> None:
    with visiting(browser, server, viewport=PHONE, has_touch=True, is_mobile=True) as studio:
        unfolded(studio)
        shown(studio, view)
        studio.ask("supercalifragilistic" * 12)
        studio.said(view.lower())
        width = studio.page.evaluate("document.scrollingElement.scrollWidth")
        assert width == PHONE["width"]


def test_a_phone_begins_with_the_conversation(browser: Any, server: Server) -> None:
    with visiting(browser, server, viewport=PHONE) as studio:
        assert not studio.page.locator("#sliders").is_visible()
        box = studio.page.locator("#question").bounding_box()
        assert box["y"] + box["height"] <= PHONE["height"]
        unfolded(studio)
        assert studio.page.locator("#sliders").is_visible()


def test_dark_is_dark_and_light_is_light(browser: Any, server: Server) -> None:
    ground = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    with visiting(browser, server, color_scheme="dark") as studio:
        assert max(studio.page.evaluate(ground)) < 60
        studio.page.locator("#theme").select_option("light")
        assert min(studio.page.evaluate(ground)) > 200
        studio.page.locator("#theme").select_option("system")
        assert max(studio.page.evaluate(ground)) < 60


def test_by_keys_alone_to_an_answer_in_a_mood(browser: Any, server: Server) -> None:
    with visiting(browser, server) as studio:
        page = studio.page
        _tab_to(studio, "intensity-joy")
        for _ in range(20):
            page.keyboard.press("ArrowRight")
        _tab_to(studio, "question")
        page.keyboard.type(BREAD)
        page.keyboard.press("Enter")
        (said,) = studio.said()
        assert said == answer(server, {"joy": 1.0})
        assert page.locator("#announced").text_content() == f"Answers: {said}"


def test_views_turn_by_arrow_keys(browser: Any, server: Server) -> None:
    with visiting(browser, server) as studio:
        _tab_to(studio, "talk-tab")
        studio.page.keyboard.press("ArrowRight")
        assert studio.page.locator("#compare").is_visible()
        studio.page.keyboard.press("End")
        assert studio.page.locator("#cast").is_visible()
        assert not studio.page.locator("#compare").is_visible()
        studio.page.keyboard.press("ArrowRight")
        assert studio.page.locator("#talk").is_visible()


def _tab_to(studio: Studio, name: str) -> None:
    """By the tab key; whatever has the focus on the way shows that it has."""
    for _ in range(80):
        studio.page.keyboard.press("Tab")
        focused, is_seen = studio.page.evaluate(
            "(({activeElement: e}) => [e.id, getComputedStyle(e).outlineStyle !== 'none'"
            " && e.checkVisibility()])(document)"
        )
        assert is_seen, focused
        if focused == name:
            return
    raise AssertionError(f"the tab key does not lead to {name}")

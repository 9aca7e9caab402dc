"""Schedules are drawn in a picture that is large enough, over the tokens of the last answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import tiny_chat
from servers import Server, serving
from studios import BREAD, Studio, visiting

# Where each point lies, and where the line that they make is there.
POINTS = """() => {
    const pairs = document.querySelector(".schedule .drawn").getAttribute("points").split(" ");
    const line = new Map(pairs.map(pair => pair.split(",").map(Number)));
    return [...document.querySelectorAll(".schedule circle")].map(one => {
        const [x, y] = ["cx", "cy"].map(name => Number(one.getAttribute(name)));
        return [y, line.get(x)];
    });
}"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(tiny_chat.MODEL, "--voices", "2", exact=True) as server:
        yield server


def drawn(studio: Studio) -> None:
    studio.draw("joy")
    with studio.page.expect_response("**/v1/mood/rows"):
        studio.drag(".schedule", (0.05, 0.5), (0.3, 0.1), (0.7, 0.4))
    studio.page.wait_for_timeout(200)


@pytest.mark.parametrize("ease", ["smooth", "linear", "step"])
def test_points_lie_on_the_line_that_they_make(studio: Studio, ease: str) -> None:
    """Also where valence adds to it, and inertia keeps it back."""
    studio.page.locator("#affect-valence").fill("0.8")
    studio.page.locator("#inertia").fill("10")
    studio.draw("joy")
    studio.page.get_by_label("Between points").select_option(ease)
    drawn(studio)
    points = studio.page.evaluate(POINTS)
    assert len(points) >= 3
    for y, line in points:
        assert line == pytest.approx(y, abs=0.6)
    assert studio.page.locator(".schedule .applied.shown").count() == 1  # which is another


def test_the_tokens_of_the_answer_stand_below_their_places(studio: Studio) -> None:
    page = studio.page
    drawn(studio)
    studio.settings(max_tokens=24)
    studio.ask(BREAD)
    (said,) = studio.said()
    tokens = page.locator(".schedule-text span")
    assert "".join(tokens.all_text_contents()) == said.replace("\n", " ")
    width = page.locator(".schedule").bounding_box()
    box = tokens.nth(5).bounding_box()
    assert box["x"] + box["width"] / 2 == pytest.approx(
        width["x"] + width["width"] * 5.5 / 64, abs=1
    )


def test_a_schedule_is_played_on_the_last_question(studio: Studio) -> None:
    page = studio.page
    studio.settings(max_tokens=24)
    studio.ask(BREAD)
    (plain,) = studio.said()
    drawn(studio)
    with page.expect_request("**/v1/chat/completions") as sent:
        page.get_by_role("button", name="Play on the last question").click()
    studio.said()
    assert sent.value.post_data_json["mood"] == studio.mood
    assert sent.value.post_data_json["messages"][-1]["content"] == BREAD
    page.get_by_role("button", name="version before").click()
    assert studio.said() == [plain]


def test_it_is_large_enough_and_long_ones_scroll(studio: Studio) -> None:
    studio.open("schedule-part")
    tokens = studio.page.locator("#schedule label", has_text="Tokens").locator("select")
    for n in (32, 256):
        tokens.select_option(str(n))
        box = studio.page.locator(".schedule").bounding_box()
        assert box["width"] >= max(800, 13 * n)
        assert box["height"] >= 150
    assert studio.page.evaluate("document.scrollingElement.scrollWidth") == 1280


def test_the_mood_fits_and_its_sections_stay_as_they_were(browser: Any, server: Server) -> None:
    fits = """() => { const one = document.getElementById("mood-part");
        return one.scrollHeight <= one.clientHeight; }"""
    with visiting(browser, server, viewport={"width": 1280, "height": 900}) as studio:
        assert studio.page.evaluate(fits)
        studio.open("schedule-part")
        studio.page.locator("#pad-part > summary").click()
        studio.page.wait_for_timeout(100)
        studio.load()
        assert studio.page.locator("#pad-part").get_attribute("open") is None
        assert studio.page.locator("#schedule-part").get_attribute("open") == ""


def test_on_a_phone_the_mood_is_a_sheet_and_the_cast_comes_first(
    browser: Any, server: Server
) -> None:
    how = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    with visiting(browser, server, **how) as studio:
        page = studio.page
        page.locator("#mood-part > summary").click()
        sheet = page.locator("#mood-part > .parts").bounding_box()
        assert sheet["y"] + sheet["height"] == pytest.approx(844, abs=1)
        assert sheet["y"] > 100
        studio.slide("joy", 0.5)
        page.get_by_role("button", name="Done").click()
        assert not page.locator("#sliders").is_visible()
        assert page.locator("#felt").text_content() == "joy 0.5"
        studio.view("Cast")
        first = page.get_by_role("textbox", name="Name", exact=True).first.bounding_box()
        bar = page.locator("#mood-part").bounding_box()
        assert first["y"] - (bar["y"] + bar["height"]) < 60

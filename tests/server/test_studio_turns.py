"""The studio in a real browser: what is done with a question and its answer once they are there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import llamood
import tiny_chat
from servers import PATIENCE, SUGGESTED, Server, serving
from studios import BREAD, ENDLESS, ROOM, Studio, answer, endless_model, visiting

pytestmark = pytest.mark.slow

NAMES = llamood.load(tiny_chat.VECTORS).names
MUSEUM = "Tell me about the museum."


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(tiny_chat.MODEL, "--voices", "4", *SUGGESTED, exact=True) as server:
        yield server


def button(studio: Studio, name: str) -> Any:
    return studio.page.locator("#talk .log > li:last-child").get_by_role("button", name=name)


def until(page: Any, condition: str) -> None:
    """As `wait_for_function`, which the page's policy does not allow."""
    end = time.monotonic() + PATIENCE
    while not page.evaluate(condition):
        assert time.monotonic() < end, f"never {condition}"
        page.wait_for_timeout(50)


def test_an_answer_is_copied_as_it_was_said(browser: Any, server: Server) -> None:
    allowed = ["clipboard-read", "clipboard-write"]
    with visiting(browser, server, permissions=allowed) as studio:
        studio.ask(BREAD)
        (said,) = studio.said()
        button(studio, "copy this answer").click()
        studio.page.get_by_text("Copied", exact=True).wait_for()
        assert studio.page.evaluate("navigator.clipboard.readText()") == said


def test_a_question_is_edited_and_what_followed_it_goes(studio: Studio, server: Server) -> None:
    page = studio.page
    for question in (BREAD, "And the ferry?"):
        studio.ask(question)
        studio.said()
    edit = page.get_by_role("button", name="edit this question").first
    edit.click()
    page.get_by_label("Question, edited").press("Escape")
    assert page.locator("#talk .log > li").count() == 2
    edit.click()
    page.get_by_label("Question, edited").fill(MUSEUM)
    page.get_by_role("button", name="Send again").click()
    assert studio.said() == [answer(server, {}, question=MUSEUM)]
    assert page.locator("#talk .question").all_text_contents() == [MUSEUM]


def test_an_answer_is_edited_and_goes_on_from_there(studio: Studio) -> None:
    page = studio.page
    studio.settings(max_tokens=12, temperature=0)
    page.locator("#remembers").check()
    studio.ask(BREAD)
    studio.said()
    button(studio, "edit this answer").click()
    page.get_by_label("Answer, edited").fill("Well, the bread")
    page.get_by_role("button", name="Save", exact=True).click()
    assert studio.said() == ["Well, the bread"]
    assert not page.locator("#talk .figures").is_visible()
    with page.expect_request("**/v1/chat/completions") as sent:
        button(studio, "continue this answer").click()
    begun = {"role": "assistant", "content": "Well, the bread"}
    assert sent.value.post_data_json["messages"][-1] == begun
    (said,) = studio.said()
    assert said.startswith("Well, the bread")
    assert len(said) > len("Well, the bread")
    with page.expect_request("**/v1/chat/completions") as sent:
        studio.ask("And then?")
    assert sent.value.post_data_json["messages"][1] == {"role": "assistant", "content": said}
    studio.said()


def test_an_answer_that_is_cut_says_why_and_goes_on(studio: Studio, server: Server) -> None:
    page = studio.page
    page.get_by_role("button", name="dread rising").click()  # a curve, which goes on too
    studio.settings(max_tokens=10, temperature=0)
    with page.expect_request("**/v1/chat/completions") as sent:
        studio.ask(BREAD)
    studio.said()
    assert sent.value.post_data_json["max_tokens"] == 10
    assert page.locator("#talk .cut").text_content() == "Cut at the limit of 10 tokens."
    page.locator("#max-tokens").fill("")
    with page.expect_request("**/v1/chat/completions") as sent:
        button(studio, "continue this answer").click()
    asked = sent.value.post_data_json
    assert "max_tokens" not in asked
    keys = asked["mood"]["fear"]["keys"]
    assert keys == [[0, pytest.approx(9 / 24, abs=0.2)], [14, 1]]
    (said,) = studio.said()
    assert page.locator("#talk .cut").count() == 0
    assert not button(studio, "continue this answer").is_visible()
    assert said.endswith((".", "!", "?"))


def test_a_full_context_is_said(browser: Any, tmp_path: Path) -> None:
    options = ("--ctx", "256", "--voices", "1")
    with serving(endless_model(tmp_path), *options) as server, visiting(browser, server) as studio:
        studio.settings(temperature=0)
        studio.ask(BREAD)
        studio.said()
        cut = studio.page.locator("#talk .cut")
        assert cut.text_content().startswith("Cut: all 256 tokens of the context are used.")
        assert not button(studio, "continue this answer").is_visible()


def test_one_answer_is_asked_for_again_and_others_stay(studio: Studio, server: Server) -> None:
    for question in (BREAD, MUSEUM):
        studio.ask(question)
        studio.said()
    studio.slide("anger", 1.0)
    button(studio, "retry this answer").click()
    assert studio.said() == [answer(server, {"anger": 1.0}, question=MUSEUM)]
    assert studio.page.locator("#talk .question").all_text_contents() == [BREAD, MUSEUM]


@pytest.mark.parametrize("view", ["Compare", "Cast"])
def test_each_pane_is_asked_again_in_its_own_mood(
    studio: Studio, server: Server, view: str
) -> None:
    page = studio.page
    studio.view(view)
    if view == "Compare":
        studio.slide("anger", 1.0)
    studio.ask(BREAD)
    studio.said(view.lower())
    panes = page.locator(f"#{view.lower()} .pane")
    if view == "Cast":  # who does not answer questions can be asked again, too
        page.locator("#cast .who input[type=checkbox]").last.uncheck()
    with page.expect_request("**/v1/chat/completions") as sent:
        panes.last.get_by_role("button", name="retry this answer").click()
    mood = {} if view == "Compare" else {NAMES[1]: 1}
    assert sent.value.post_data_json["mood"] == mood
    assert studio.said(view.lower())[-1] == answer(server, mood)


@pytest.mark.parametrize("size", [(1280, 700), (390, 800)])
def test_the_page_follows_an_answer_until_it_is_scrolled_away(
    browser: Any, tmp_path: Path, size: tuple[int, int]
) -> None:
    how = {"viewport": {"width": size[0], "height": size[1]}}
    with (
        serving(endless_model(tmp_path), *ROOM) as server,
        visiting(browser, server, **how) as studio,
    ):
        page = studio.page
        studio.settings(**ENDLESS)
        page.locator("#drawing > summary").click()
        studio.ask(BREAD)
        answers = page.locator("#talk .answer")
        until(page, "innerHeight * 2 < document.querySelector('#talk .answer').offsetHeight")
        top = "document.querySelector('#talk .question').getBoundingClientRect().y"
        below = (
            "document.querySelector('#talk .answer').getBoundingClientRect().bottom"
            " - document.querySelector('#asking').getBoundingClientRect().top"
        )
        assert page.evaluate(below) < 60
        back = page.get_by_role("button", name="To the end")
        assert not back.is_visible()
        page.mouse.move(size[0] - 60, size[1] / 3)
        page.mouse.wheel(0, -600)
        back.wait_for()
        page.wait_for_timeout(300)  # browsers scroll by and by
        before = page.evaluate(
            "document.querySelector('#talk .question').getBoundingClientRect().y"
        )
        n = answers.locator("span").count()
        answers.locator("span").nth(n + 60).wait_for(state="attached")
        now = page.evaluate(top)
        assert now == pytest.approx(before, abs=2)
        back.click()
        until(page, f"{below} < 60")
        assert not back.is_visible()
        page.get_by_role("button", name="Stop").click()
        studio.said()
        assert not back.is_visible()

"""The studio at first look: what it greets with, how its buttons look, how long lines are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tiny_chat
from servers import SUGGESTED, Server, serving
from studios import BREAD, ENDLESS, ROOM, Studio, endless_model, visiting

pytestmark = pytest.mark.slow

# How many characters each line of an element has, as the browser breaks them.
LINES = """element => {
    const counts = new Map();
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    for (let node; (node = walker.nextNode()); )
        for (let i = 0; i < node.length; i++) {
            range.setStart(node, i);
            range.setEnd(node, i + 1);
            const top = Math.round(range.getBoundingClientRect().top / 8);
            counts.set(top, (counts.get(top) ?? 0) + 1);
        }
    return [...counts.values()];
}"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(tiny_chat.MODEL, "--voices", "4", *SUGGESTED, exact=True) as server:
        yield server


def test_it_greets_until_something_is_asked_and_in_a_new_chat(studio: Studio) -> None:
    page = studio.page
    welcome = page.locator("#welcome")
    assert welcome.is_visible()
    assert welcome.locator("li").count() == 3
    studio.settings(max_tokens=8)
    studio.ask(BREAD)
    studio.said()
    assert not welcome.is_visible()
    page.get_by_role("button", name="New chat").click()
    assert welcome.is_visible()


def test_actions_look_as_weighty_as_they_are(studio: Studio) -> None:
    ground = "element => getComputedStyle(element).backgroundColor"
    names = ("Send", "Stop", "New chat")
    looks = [
        studio.page.get_by_role("button", name=name, exact=True).evaluate(ground) for name in names
    ]
    assert len(set(looks)) == 3
    assert studio.page.locator("button.main:visible").count() == 1


def test_lines_are_as_long_as_can_be_read(browser: Any, server: Server) -> None:
    with visiting(browser, server, viewport={"width": 1920, "height": 900}) as studio:
        studio.settings(max_tokens=8)
        studio.ask("The ferry to the museum leaves when the baker has sold his bread. " * 6)
        studio.said()
        lines = studio.page.locator("#talk .question").evaluate(LINES)
        assert len(lines) > 4
        assert 50 < max(lines) <= 75


def test_any_model_is_asked_something_by_a_click(browser: Any, tmp_path: Path) -> None:
    with serving(endless_model(tmp_path), *ROOM) as server, visiting(browser, server) as studio:
        studio.settings(**{**ENDLESS, "max_tokens": 8})
        first = studio.page.locator("#suggestions button").first
        question = first.text_content()
        first.click()
        assert studio.said() != [""]
        assert studio.page.locator("#talk .question").text_content() == question


def test_it_says_which_model_this_is_and_how_much_of_its_context_is_used(studio: Studio) -> None:
    page = studio.page
    about = f"{tiny_chat.MODEL.name}, Q8_0, 3.9M parameters, 4.2MB, context of"
    assert str(page.locator("#about").text_content()).startswith(about)
    studio.settings(max_tokens=8)
    used = []
    for _ in range(2):
        page.locator("#remembers").check()
        studio.ask(BREAD)
        studio.said()
        said = str(page.locator("#talk .figures > .counts").text_content())
        assert said.startswith("8 tokens")
        used.append(int(re.search(r"(\d+) of \d+ tokens of context used", said)[1]))
    assert used[1] > used[0] > 8

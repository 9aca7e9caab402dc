"""The studio keeps conversations in the browser, and writes and reads them as files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tiny_chat
from servers import SUGGESTED, Server, serving
from studios import BREAD, ENDLESS, ROOM, Studio, endless_model, visiting

pytestmark = pytest.mark.slow

MUSEUM = "Tell me about the museum."
ODD = (
    '<!-- llamood {"role": "user"} -->\n\\<!-- llamood {} -->\n\n# **Question**\n\n"\\n" --> end\n'
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(tiny_chat.MODEL, "--voices", "2", *SUGGESTED, exact=True) as server:
        yield server


def held(studio: Studio) -> list[str]:
    """What is shown of the conversation, questions and answers."""
    shown = studio.page.locator("#talk .question, #talk .answer").all_text_contents()
    return [str(text) for text in shown]


def listed(studio: Studio) -> list[str]:
    if studio.page.locator("#chats").get_attribute("open") is None:
        studio.page.locator("#chats > summary").click()
    titles = studio.page.locator("#chat-list li button:first-child").all_text_contents()
    return [str(title) for title in titles]


def exported(studio: Studio, kind: str) -> Path:
    listed(studio)
    with studio.page.expect_download() as download:
        studio.page.get_by_role("button", name=f"Export as {kind}").click()
    return Path(download.value.path()).rename(
        Path(download.value.path()).with_name(download.value.suggested_filename)
    )


def test_conversations_outlive_a_reload_and_are_turned_to(studio: Studio) -> None:
    page = studio.page
    studio.settings(max_tokens=8)
    studio.ask(BREAD)
    studio.said()
    first = held(studio)
    page.get_by_role("button", name="New chat").click()
    assert held(studio) == []
    studio.ask(MUSEUM)
    studio.said()
    second = held(studio)
    studio.load()
    assert held(studio) == second
    assert listed(studio) == [MUSEUM, BREAD]
    page.get_by_role("button", name=BREAD, exact=True).first.click()
    assert held(studio) == first
    assert page.locator("#chat-list [aria-current]").text_content() == BREAD
    studio.settings(max_tokens=8)
    page.locator("#remembers").check()
    with page.expect_request("**/v1/chat/completions") as sent:
        studio.ask("And then?")
    assert [one["content"] for one in sent.value.post_data_json["messages"][:2]] == first
    studio.said()
    page.get_by_role("button", name=f"delete the chat {BREAD}").click()
    assert held(studio) == []
    studio.load()
    assert listed(studio) == [MUSEUM]


def test_a_reload_in_the_middle_keeps_what_was_said(browser: Any, tmp_path: Path) -> None:
    with serving(endless_model(tmp_path), *ROOM) as server, visiting(browser, server) as studio:
        studio.settings(**ENDLESS)
        studio.ask(BREAD)
        studio.page.locator("#talk .answer span").nth(30).wait_for(state="attached")
        studio.load()
        question, said = held(studio)
        assert question == BREAD
        assert len(said) > 30
        assert studio.page.get_by_role("button", name="continue this answer").is_visible()
        server.settles("llamood_speaking", 0)


@pytest.mark.parametrize("kind", ["JSON", "Markdown"])
def test_a_conversation_is_written_and_read_back_elsewhere(
    browser: Any, server: Server, kind: str
) -> None:
    with visiting(browser, server) as studio:
        page = studio.page
        studio.settings(max_tokens=8)
        page.locator("#system").fill("You are --> a baker.")
        studio.slide("joy", 0.5)
        for question in (f"{ODD}?", MUSEUM):
            studio.ask(question)
            studio.said()
        page.get_by_role("button", name="edit this answer").first.click()
        page.get_by_label("Answer, edited").fill(ODD)
        page.get_by_role("button", name="Save", exact=True).click()
        path, as_json = exported(studio, kind), exported(studio, "JSON")
        kept = json.loads(as_json.read_text(encoding="utf-8"))
    assert [turn["mood"] for turn in kept["turns"]] == [{"joy": 0.5}] * 2
    assert kept["turns"][0]["answer"] == ODD
    if kind == "Markdown":
        assert "\n**Answer**\n" in path.read_text(encoding="utf-8")
    with visiting(browser, server) as studio:
        listed(studio)
        studio.page.locator("#chat-file").set_input_files(path)
        studio.page.locator("#talk .log > li").nth(1).wait_for()
        assert studio.page.locator("#system").input_value() == "You are --> a baker."
        assert listed(studio) == [kept["title"]]
        again = json.loads(exported(studio, "JSON").read_text(encoding="utf-8"))
    assert again["turns"] == kept["turns"]
    assert again["system"] == kept["system"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hello", "neither JSON nor Markdown of the studio"),
        ("[1]", "expected a list `turns`"),
        ('{"turns": [{"question": 3}]}', "in turn 1"),
        ('<!-- llamood {"a" -->', "the first line"),
        ('<!-- llamood {"a"} -->', "no JSON"),
    ],
)
def test_what_is_no_conversation_is_told_and_changes_nothing(
    studio: Studio, tmp_path: Path, text: str, told: str
) -> None:
    path = tmp_path / "it.md"
    path.write_text(text, encoding="utf-8")
    listed(studio)
    studio.page.locator("#chat-file").set_input_files(path)
    said = studio.page.locator("#chat-said")
    said.filter(has_text="it.md").wait_for()
    assert told in str(said.text_content())
    assert listed(studio) == held(studio) == []


def test_a_browser_without_room_says_so(studio: Studio) -> None:
    studio.page.evaluate(
        """() => {
            for (let size = 1 << 22; size > 0; size >>= 1)
                try {
                    for (;;) localStorage.setItem(`full.${Math.random()}`, "x".repeat(size));
                } catch {}
        }"""
    )
    studio.settings(max_tokens=8)
    studio.ask(BREAD)
    studio.said()
    assert "no room for this chat" in str(studio.page.locator("#chat-said").text_content())

"""Answers that are asked for again, and questions that are edited, stay as other ways to go on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

import tiny_chat
from servers import Server, serving
from studios import BREAD, Studio, visiting

MUSEUM = "Tell me about the museum."


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(tiny_chat.MODEL, "--voices", "2", exact=True) as server:
        yield server


def texts(studio: Studio, kind: str) -> list[str]:
    return [str(text) for text in studio.page.locator(f"#talk .{kind}").all_text_contents()]


def other(studio: Studio, label: str, turn: int) -> None:
    item = studio.page.locator("#talk .log > li").nth(turn)
    item.get_by_role("button", name=label).click()


def begun(studio: Studio) -> tuple[list[str], list[str]]:
    """Two questions, and the first asked again in another mood: the answers of both ways."""
    studio.settings(max_tokens=16)
    for question in (BREAD, MUSEUM):
        studio.ask(question)
        studio.said()
    before = texts(studio, "answer")
    studio.slide("anger", 1.0)
    studio.page.get_by_role("button", name="retry this answer").first.click()
    studio.said()
    return before, texts(studio, "answer")


def test_an_answer_again_is_another_way_and_the_first_comes_back(studio: Studio) -> None:
    before, after = begun(studio)
    assert len(before) == 2
    assert len(after) == 1
    assert after[0] != before[0]
    assert texts(studio, "turner > span") == ["2 of 2"]
    other(studio, "version before", 0)
    assert texts(studio, "answer") == before
    assert texts(studio, "question") == [BREAD, MUSEUM]
    assert studio.page.locator("#talk .answer .felt, #talk .answer span").count() > 4
    other(studio, "next version", 0)
    assert texts(studio, "answer") == after
    assert studio.page.get_by_role("button", name="next version").is_disabled()


def test_what_goes_on_is_what_is_shown(studio: Studio) -> None:
    studio.open("drawing")
    studio.page.locator("#remembers").check()
    before, after = begun(studio)
    for label, answers in (("version before", before), ("next version", after)):
        other(studio, label, 0)
        with studio.page.expect_request("**/v1/chat/completions") as sent:
            studio.ask("And then?")
        studio.said()
        messages = sent.value.post_data_json["messages"]
        told = [one["content"] for one in messages if one["role"] == "assistant"]
        assert told == answers
        assert messages[-1]["content"] == "And then?"


def test_an_edited_question_is_another_way(studio: Studio) -> None:
    studio.settings(max_tokens=12)
    studio.ask(BREAD)
    studio.said()
    first = texts(studio, "answer")
    for question in (MUSEUM, "How was your day?"):
        studio.page.get_by_role("button", name="edit this question").click()
        studio.page.get_by_label("Question, edited").fill(question)
        studio.page.get_by_role("button", name="Send again").click()
        studio.said()
    assert texts(studio, "turner > span") == ["3 of 3"]
    other(studio, "version before", 0)
    assert texts(studio, "question") == [MUSEUM]
    other(studio, "version before", 0)
    assert texts(studio, "question") == [BREAD]
    assert texts(studio, "answer") == first


def test_ways_outlive_a_reload_and_go_elsewhere(studio: Studio, tmp_path: Any) -> None:
    before, after = begun(studio)
    page = studio.page
    page.reload()
    page.wait_for_selector("body:not(.starting)")
    assert texts(studio, "answer") == after
    other(studio, "version before", 0)
    assert texts(studio, "answer") == before
    page.locator("#chats > summary").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Export as JSON").click()
    written = tmp_path / "chat.json"
    download.value.save_as(written)
    kept = json.loads(written.read_text())
    assert [turn["answer"] for turn in kept["turns"]] == before
    none, way = kept["turns"][0]["ways"]
    assert none is None
    assert [turn["answer"] for turn in way] == after
    page.get_by_role("button", name="New chat").click()
    page.locator("#chat-file").set_input_files(written)
    page.locator("#talk .turner").first.wait_for()
    assert texts(studio, "answer") == before
    other(studio, "next version", 0)
    assert texts(studio, "answer") == after


@pytest.mark.parametrize(
    "ways", [None, [], ["way"], [None, None], [None, []], [[], None], [None, [{"question": 1}]]]
)
def test_ways_that_are_none_are_refused(studio: Studio, tmp_path: Any, ways: Any) -> None:
    turn = {"question": "a", "answer": "b", "mood": {}, "ways": ways}
    path = tmp_path / "chat.json"
    path.write_text(json.dumps({"turns": [turn]}))
    studio.page.locator("#chat-file").set_input_files(path)
    studio.page.locator("#chat-said").filter(has_text="no conversation").wait_for()
    assert texts(studio, "question") == []


def test_a_mood_that_answers_by_itself_leaves_no_ways(studio: Studio) -> None:
    studio.settings(max_tokens=12)
    studio.ask(BREAD)
    studio.said()
    studio.page.locator("#live").check()
    with studio.page.expect_request("**/v1/chat/completions"):
        studio.slide("joy", 0.7)
    studio.said()
    assert not studio.page.locator("#talk .turner").is_visible()


def test_ways_of_a_compared_pane_are_its_own(browser: Any, server: Server) -> None:
    with visiting(browser, server) as studio:
        studio.settings(max_tokens=12)
        studio.view("Compare")
        studio.slide("joy", 1.0)
        studio.ask(BREAD)
        studio.said("compare")
        studio.page.locator("#compare").get_by_role(
            "button", name="retry this answer"
        ).first.click()
        studio.said("compare")
        shown = studio.page.locator("#compare .turner:visible > span")
        assert shown.all_text_contents() == ["2 of 2"]

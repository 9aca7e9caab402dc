"""The studio in a real browser: what an emotion waits for, and who the model is told to be."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import llamood
import tiny_chat
from llamood.moods.personality import personalities
from servers import SUGGESTED, Server, serving
from studios import BREAD, ROOM, Studio, answer, endless_model, visiting

pytestmark = pytest.mark.slow

MINE = """{
  "about": "Waits for you.", "system": "You are a mirror.",
  "mood": {"joy": {"when": {"sadness": "> 1.5", "joy": "< 0"}, "of": "user", "then": 0.8},
           "fear": {"when": "anger > 1", "then": 0.5, "else": 0.25, "lasts": "always"},
           "dominance": 0.1, "$inertia": 8, "$blend": "shared-once"}}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("moods")
    folder.joinpath("mirror.json").write_text(MINE, encoding="utf-8")
    broken = '{"mood": {"joy": null, "fear": {"keys": [null]}}}'
    folder.joinpath("broken.json").write_text(broken, encoding="utf-8")
    odd = '{"mood": {"joy": {"when": 3, "then": 1}, "fear": {"keys": [[0]]}, "$inertia": "12"}}'
    folder.joinpath("odd.json").write_text(odd, encoding="utf-8")
    folder.joinpath("stranger.json").write_text('{"mood": {"hope": 1}}', encoding="utf-8")
    options = ("--voices", "4", "--moods", folder, *SUGGESTED)
    with serving(tiny_chat.MODEL, *options, exact=True) as server:
        yield server


def field_of(studio: Studio, label: str) -> Any:
    labels = studio.page.locator(f"xpath=//*[@id='gate']//label[text()='{label}']")
    return labels.locator("input, select")


def gate(studio: Studio, **fields: Any) -> None:
    """Sets fields of the gate, by their labels, and takes it."""
    part = studio.page.locator("#gate-part")
    if part.get_attribute("open") != "":
        part.locator("> summary").click()
    for label, value in fields.items():
        field = field_of(studio, label.replace("_", " "))
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(str(value))
        else:
            field.fill(str(value))
    part.locator("form button").click()


def words(studio: Studio) -> list[str]:
    gates = studio.page.locator("#gate .gates li button:not([aria-label])")
    return [str(text) for text in gates.all_text_contents()]


# -- gates -------------------------------------------------------------------------------------


def test_an_emotion_waits_for_what_is_read(studio: Studio) -> None:
    how = {"while_in": "user", "the_reading_of": "sadness", "is": ">", "than": 1.5}
    gate(studio, Emotion="joy", feels=0.8, **how)
    assert studio.mood == {"joy": {"when": {"sadness": "> 1.5"}, "of": "user", "then": 0.8}}
    assert llamood.Mood(studio.mood).reads
    assert words(studio) == ["joy 0.8 while what you said reads sadness above 1.5"]
    felt = studio.page.locator("#felt")
    assert felt.text_content() == "joy 0.8 while what you said reads sadness above 1.5"
    assert studio.page.locator("#mood-fault").text_content() == ""
    more = {"while_in": "answer", "the_reading_of": "anger", "is": "<", "than": -0.25}
    gate(studio, Emotion="fear", feels=0.5, **more, **{"else": 0.1})
    gate(studio, lasts="always", hysteresis=0.25)
    assert studio.mood["fear"] == {
        "when": {"anger": "< -0.25"},
        "then": 0.5,
        "else": 0.1,
        "lasts": "always",
        "hysteresis": 0.25,
    }
    assert words(studio)[0] == "fear 0.5 once the answer reads anger below \u22120.25, else 0.1"
    llamood.Mood(studio.mood)


def test_a_gate_is_turned_to_changed_and_taken_away(studio: Studio) -> None:
    gate(studio, Emotion="joy", feels=0.75, the_reading_of="fear", than=2)
    page = studio.page
    studio.slide("joy", 0.5)  # what is felt while it is open
    assert studio.mood["joy"]["then"] == 0.5
    gate(studio, Emotion="anger", feels=1, the_reading_of="joy", than=1)
    page.get_by_role("button", name="edit the condition of joy").click()
    fields = [("Emotion", "joy"), ("the reading of", "fear"), ("than", "2"), ("feels", "0.5")]
    for label, value in fields:
        assert field_of(studio, label).input_value() == value
    gate(studio, **{"is": "<"})
    assert studio.mood["joy"]["when"] == {"fear": "< 2"}
    page.get_by_role("button", name="remove the condition of anger").click()
    assert set(studio.mood) == {"joy"}
    mine = studio.mood
    studio.load()  # it outlives a reload
    assert studio.mood == mine
    page.get_by_role("button", name="Neutral", exact=True).click()
    assert (studio.mood, words(studio)) == ({}, [])


def test_a_gate_is_lit_while_it_is_open_and_the_answer_is_the_services(
    studio: Studio, server: Server
) -> None:
    how = {"while_in": "user", "the_reading_of": "joy"}
    gate(studio, Emotion="joy", feels=1, than=-20, **how)
    gate(studio, Emotion="fear", feels=1, than=19, **how)
    lights = studio.page.locator("#gate .light")
    states = "all => all.map(light => light.getAttribute('aria-label'))"
    assert lights.evaluate_all(states) == ["not known"] * 2
    studio.ask(BREAD)
    (said,) = studio.said()
    # In the order of the emotions.
    assert lights.evaluate_all(states) == ["closed", "open"]
    assert studio.page.locator("#gate li.open").count() == 1
    assert said == answer(server, studio.mood) != answer(server, {})


def test_where_nothing_is_read_nothing_can_be_waited_for(browser: Any, tmp_path: Path) -> None:
    with serving(endless_model(tmp_path), *ROOM) as server, visiting(browser, server) as studio:
        part = studio.page.locator("#gate-part")
        part.locator("> summary").click()
        assert "Nothing is read" in str(part.text_content())
        assert part.locator("form").count() == 0


# -- personalities -----------------------------------------------------------------------------


def test_a_personality_sets_the_mood_and_offers_what_it_is_told(studio: Studio) -> None:
    page = studio.page
    nervous = personalities()["nervous"]
    page.get_by_role("button", name="nervous", exact=True).click()
    assert studio.mood == dict(nervous.mood)
    assert page.locator("#offered").text_content() == nervous.system
    with page.expect_request("**/v1/chat/completions") as sent:
        studio.ask(BREAD)
    assert sent.value.post_data_json["mood"] == dict(nervous.mood)
    assert len(sent.value.post_data_json["messages"]) == 1  # it is offered, and no more
    studio.said()
    page.get_by_role("button", name="Use as system prompt").click()
    assert page.locator("#offer").is_hidden()
    assert page.get_by_label("System prompt").input_value() == nervous.system
    with page.expect_request("**/v1/chat/completions") as sent:
        studio.ask(BREAD)
    assert sent.value.post_data_json["messages"][0] == {
        "role": "system",
        "content": nervous.system,
    }
    studio.said()
    assert nervous.system in studio.snippet("python")
    assert nervous.system in studio.snippet("curl")
    page.get_by_role("button", name="furious").click()
    assert page.locator("#offer").is_hidden()


def test_all_of_a_personality_comes_with_it(studio: Studio) -> None:
    page = studio.page
    assert page.get_by_role("button", name="stranger").count() == 0  # of emotions that are not here
    assert page.get_by_role("button", name="mirror").get_attribute("title") == "Waits for you."
    page.get_by_role("button", name="mirror").click()
    written = llamood.Mood(studio.mood)
    assert written.to_dict() == llamood.Mood(json.loads(MINE)["mood"]).to_dict()
    assert page.locator("#inertia").input_value() == "8"
    assert words(studio) == [
        "fear 0.5 once the answer reads anger above 1, else 0.25",
        "joy 0.8 while what you said reads sadness above 1.5 and joy below 0",
    ]
    page.get_by_role("slider", name="joy", exact=True).fill("0.25")
    assert studio.mood["joy"] == 0.25  # fields and sliders know one limit alone
    assert studio.mood["$blend"] == "shared-once"


def test_what_means_nothing_is_told_by_the_service(studio: Studio) -> None:
    assert studio.page.get_by_role("button", name="broken").count() == 0
    with studio.page.expect_response("**/v1/mood/rows"):
        studio.page.get_by_role("button", name="odd", exact=True).click()
    studio.expected.append("400")
    studio.page.locator("#mood-fault:not(:empty)").wait_for()
    assert studio.mood == {
        "joy": {"when": 3, "then": 1},
        "fear": {"keys": [[0]]},
        "$inertia": "12",
    }
    assert studio.page.locator("#felt").text_content() == "joy as written, fear as written"


def test_a_character_of_the_cast_is_told_what_its_personality_is(studio: Studio) -> None:
    studio.view("Cast")
    page = studio.page
    page.locator("#cast .mood").nth(1).click()
    page.get_by_role("button", name="grumpy", exact=True).click()
    page.get_by_role("button", name="Use as system prompt").click()
    told = page.locator("#cast textarea")
    assert told.nth(1).input_value() == personalities()["grumpy"].system
    assert told.nth(0).input_value() == page.locator("#system").input_value() == ""

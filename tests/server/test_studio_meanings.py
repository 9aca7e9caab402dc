"""What colours of tokens mean, what was not measured, and what went wrong, where it is seen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import llamood
import tiny_chat
from llamood.readings.probe import Probe
from servers import Server, serving
from studios import BREAD, Studio, visiting

TINT = "getComputedStyle(document.querySelector('#talk .answer .felt')).backgroundColor"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(tiny_chat.MODEL, "--voices", "2", exact=True) as server:
        yield server


def spoken(studio: Studio) -> None:
    studio.slide("anger", 1.0)
    studio.settings(max_tokens=40)
    studio.ask(BREAD)
    studio.said()


def test_colours_are_off_subtle_or_full_and_stay_so(studio: Studio) -> None:
    page = studio.page
    spoken(studio)
    tints = {}
    for choice in ("off", "subtle", "full"):
        page.locator("#colours").select_option(choice)
        tints[choice] = page.evaluate(TINT)
    assert tints["off"] == "rgba(0, 0, 0, 0)"
    assert len(set(tints.values())) == 3
    studio.load()
    assert page.locator("#colours").input_value() == "full"
    assert page.evaluate("document.documentElement.dataset.colours") == "full"


def test_what_a_colour_means_is_one_hover_away_in_every_answer(studio: Studio) -> None:
    page = studio.page
    spoken(studio)
    studio.ask("Tell me about the museum.")
    studio.said()
    note = page.get_by_role("tooltip")
    for answer in page.locator("#talk .answer").all():
        token = answer.locator(".felt").first
        token.hover()
        text = str(note.text_content())
        assert text.startswith("Reads as ")
        assert "standard deviations above neutral text" in text
        assert "of 100 pairs of texts" in text
    page.keyboard.press("Escape")
    assert not note.is_visible()


def test_what_a_colour_means_is_told_to_those_who_use_keys(studio: Studio) -> None:
    spoken(studio)
    scrub = studio.page.get_by_role("slider", name="token")
    scrub.focus()
    scrub.press("Home")
    meaning = studio.page.locator("#talk .meaning")
    first = meaning.text_content()
    for _ in range(40):
        scrub.press("ArrowRight")
        if "Reads as anger" in meaning.text_content():
            break
    assert "Reads as anger" in meaning.text_content() != first


def test_an_answer_of_before_tells_that_nothing_is_known(studio: Studio) -> None:
    spoken(studio)
    studio.page.reload()
    studio.page.wait_for_selector("body:not(.starting)")
    studio.page.locator("#talk .answer span").first.hover()
    assert "Nothing is known" in studio.page.get_by_role("tooltip").text_content()


def test_sliders_show_where_they_end_to_be_fluent(studio: Studio) -> None:
    assert studio.page.locator("#sliders .end").all_text_contents() == ["of 1"] * 6
    assert studio.page.locator("#intensity-joy").get_attribute("max") == "1"
    assert studio.page.locator("#unread li").count() == 0


@pytest.mark.slow
def test_what_was_not_measured_or_reads_badly_is_said_in_a_line(
    browser: Any, tmp_path: Path
) -> None:
    evs = llamood.load(tiny_chat.VECTORS)
    at = evs.names.index("joy")
    folder = tmp_path / "evs"
    ceilings = tuple(None if i == at else 0.5 for i in range(len(evs.names)))
    llamood.save(replace(evs, ceiling=ceilings), folder)
    probe = Probe.load(tiny_chat.VECTORS)
    quality = probe.about["quality"]
    poor = {**quality, "auroc": {**quality["auroc"], "fear": 0.61}}
    replace(probe, about={**probe.about, "quality": poor}).save(folder)
    with (
        serving(tiny_chat.MODEL, "-e", str(folder), "--voices", "1") as server,
        visiting(browser, server) as studio,
    ):
        page = studio.page
        lines = page.locator("#unread li").all_text_contents()
        assert len(lines) == 2
        assert "not measured (joy)" in lines[0]
        assert "llamood calibrate" in lines[0]
        assert "poor (fear)" in lines[1]
        page.get_by_role("button", name="furious", exact=True).click()  # 1, where it may be
        assert studio.mood == {"anger": 0.5}
        with page.expect_response("**/v1/mood/rows") as foreseen:
            page.get_by_role("button", name="dread rising").click()
        assert max(value for _, value in studio.mood["fear"]["keys"]) == 0.5
        assert foreseen.value.json()["notices"] == []


def test_a_collapse_is_told_where_it_was_caught(studio: Studio) -> None:
    """In a mood three times its ceiling, that nothing keeps from it."""
    page = studio.page
    too_much = {"joy": {"schedule": {"constant": 3, "max": 9}}}
    kept = {"intensities": too_much, "affect": None, "inertia": 0, "rest": {"$max": 9}}
    page.evaluate("kept => localStorage.setItem('llamood.mood', kept)", json.dumps(kept))
    studio.load()
    assert studio.mood == {"joy": {"constant": 3, "max": 9}, "$max": 9}
    studio.settings(max_tokens=150, temperature=0)
    studio.ask(BREAD)
    studio.said()
    told = page.locator("#talk .answer [data-guard]")
    places = [str(one.get_attribute("data-guard")) for one in told.all()]
    assert len(places) == len(set(places))  # each is told once
    words = places[0]
    assert words.startswith("The answer collapsed at token ")
    shown = "getComputedStyle(document.querySelector('#talk [data-guard]'), '::before').content"
    assert words in page.evaluate(shown)
    said = page.locator("#talk .answer").inner_text()
    assert "collapsed" not in said  # it is beside the text, and not in what is copied


def test_everything_that_draws_tokens_is_in_reach(studio: Studio) -> None:
    studio.open("drawing")
    fields = {
        "top_p": 0.9,
        "top_k": 40,
        "min_p": 0.05,
        "repeat_penalty": 1.1,
        "presence_penalty": 0.5,
        "frequency_penalty": -0.5,
    }
    studio.settings(max_tokens=40, **fields)
    studio.page.locator("#stop-texts").fill(" shop\n\nmuseum")
    with studio.page.expect_request("**/v1/chat/completions") as sent:
        studio.ask("How was your day?")
    (said,) = studio.said()
    asked = sent.value.post_data_json
    assert {name: asked[name] for name in fields} == fields
    assert asked["stop"] == [" shop", "museum"]
    assert " shop" not in said

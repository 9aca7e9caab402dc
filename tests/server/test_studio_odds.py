"""The studio where things are not as usual: odd names, many emotions, several things at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

import llamood
import tiny_chat
from llamood.readings.probe import Probe
from probes import doubtful
from servers import PATIENCE, SUGGESTED, Server, serving
from studios import BREAD, ENDLESS, Studio, endless_model, visiting

ODD = ("joy", "self-doubt", "grief 2", "it's 50%", "#id.class", "constructor", "1", "l'été")

pytestmark = pytest.mark.slow  # a browser and a service for each


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(tiny_chat.MODEL, "--voices", "4", *SUGGESTED, exact=True) as server:
        yield server


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
                assert "calibrate" in page.locator("#unread").text_content()
                assert page.locator("#sliders .end").first.text_content() == "of ?"
                for name in ODD:
                    page.get_by_role("slider", name=name, exact=True).fill("-0.2")
                assert studio.mood == dict.fromkeys(ODD, -0.2)
                assert "self-doubt \u22120.2" in page.locator("#felt").text_content()
                dots = page.locator("#sliders .slider").evaluate_all(
                    "all => all.map(e => getComputedStyle(e.querySelector('label'), '::before')"
                    ".backgroundColor)"
                )
                assert "rgba(0, 0, 0, 0)" not in dots
                if width == 360:  # the sheet lies over all else
                    page.get_by_role("button", name="Done").click()
                studio.settings(**{**ENDLESS, "max_tokens": 40})
                studio.ask(BREAD)
                assert len(studio.said()[0]) > 30
                assert page.locator("#talk .answer .felt").count() == 0  # they are below zero
                studio.open("schedule-part")
                page.evaluate("document.getElementById('mood-part').open = true")
                within = {
                    "#mood-part > .parts": ["#sliders"],
                    "#schedule-part": [".timeline", "#schedule select >> nth=0"],
                }
                for whole, parts in within.items():
                    column = page.locator(whole).bounding_box()
                    for part in parts:
                        box = page.locator(part).bounding_box()
                        assert box["x"] + box["width"] <= column["x"] + column["width"] + 1, part
                assert page.evaluate("document.scrollingElement.scrollWidth") == width


def test_what_reads_too_badly_colours_nothing_and_it_says_what_to_do(
    browser: Any, server: Server, tmp_path: Path
) -> None:
    with visiting(browser, server) as studio:
        assert studio.page.locator("#unread").text_content() == ""
    evs = tmp_path / "evs"
    llamood.save(llamood.load(tiny_chat.VECTORS), evs)
    doubtful(Probe.load(tiny_chat.VECTORS), 0.59).save(evs)
    with (
        serving(tiny_chat.MODEL, "-e", str(evs), "--readings", "--voices", "1") as doubted,
        visiting(browser, doubted) as studio,
    ):
        said = str(studio.page.locator("#unread").text_content())
        assert "0.59" in said
        assert said.endswith("llamood read --measure")
        # The page reads its answer as a stream, whose body the browser keeps for nobody else: asked
        # again, as the page asked.
        with studio.page.expect_request("**/v1/chat/completions") as asked:
            studio.ask(BREAD)
            assert studio.said()[0]
        _, answer = doubted.send(
            "POST",
            "/v1/chat/completions",
            asked.value.post_data_buffer,
            **{"Content-Type": "application/json"},
        )
        assert '"llamood":{' in answer
        assert '"reading":{' not in answer
        assert studio.page.locator("#talk .answer .felt").count() == 0


# -- what is written ---------------------------------------------------------------------------


def test_whatever_is_written_of_how_answers_are_drawn_is_brought_within_bounds(
    studio: Studio,
) -> None:
    page = studio.page
    studio.settings(seed=-3.4, temperature=0.65, max_tokens=8)
    page.locator("#drawing > summary").click()  # where no browser can complain of a field
    with page.expect_request("**/v1/chat/completions") as sent:
        studio.ask(BREAD)
    drawn = {name: sent.value.post_data_json[name] for name in ("seed", "temperature")}
    assert drawn == {"seed": 0, "temperature": 0.65}
    assert studio.said() != [""]
    studio.settings(seed=7.6, temperature=9, max_tokens=0)
    page.locator("#question").click()
    values = [page.locator(f"#{field}").input_value() for field in ("seed", "temperature")]
    assert [*values, page.locator("#max-tokens").input_value()] == ["8", "2", "1"]


def test_snippets_keep_up_with_all_that_they_say(studio: Studio) -> None:
    page = studio.page
    studio.snippet("python")
    shown = page.locator("#snippet-python")
    studio.settings(seed=1234, max_tokens=8)
    shown.filter(has_text="seed=1234").filter(has_text="max_tokens=8").wait_for()
    page.get_by_role("button", name="Tell me about the museum.").click()
    shown.filter(has_text="Tell me about the museum.").wait_for()
    studio.view("Compare")
    shown.filter(has_text=BREAD).wait_for()
    studio.view("Talk")
    shown.filter(has_text="Tell me about the museum.").wait_for()
    page.get_by_role("button", name="New seed").click()
    page.wait_for_timeout(150)
    assert f"seed={page.locator('#seed').input_value()}," in shown.text_content()
    studio.said()


def test_a_question_that_nobody_hears_is_not_lost(studio: Studio) -> None:
    page = studio.page
    studio.view("Cast")
    for _ in range(2):
        page.get_by_role("button", name="Remove", exact=True).first.click()
    studio.ask(BREAD)
    page.get_by_role("status").filter(has_text="Nobody is to answer").wait_for()
    assert page.locator("#question").input_value() == BREAD
    page.get_by_role("button", name="Add a character").click()
    page.locator("#question").press("Enter")
    assert len(studio.said("cast")) == 1
    assert page.locator("#question").input_value() == page.locator("#unheard").text_content() == ""


# -- several things at once --------------------------------------------------------------------


def test_only_a_mood_that_changed_is_answered_in_again(studio: Studio) -> None:
    page = studio.page
    asked: list[Any] = []
    page.on("request", lambda r: asked.append(r) if r.url.endswith("/completions") else None)
    studio.settings(max_tokens=8)
    for view in ("Cast", "Talk"):
        studio.view(view)
        studio.ask(BREAD)
        studio.said(view.lower())
    page.locator("#live").check()
    for view in ("Compare", "Cast", "Talk", "Cast"):
        studio.view(view)
        page.wait_for_timeout(400)
    page.locator("#cast .mood").nth(1).click()
    page.wait_for_timeout(400)
    assert len(asked) == 3
    studio.slide("fear", 0.3)
    page.wait_for_timeout(400)
    studio.said("cast")
    assert len(asked) == 4
    assert asked[-1].post_data_json["mood"]["fear"] == 0.3


def test_stop_ends_all_answers_also_of_other_views(browser: Any, endless: Path) -> None:
    with (
        serving(endless, "--ctx", "40000", "--voices", "2") as server,
        visiting(browser, server) as studio,
    ):
        page = studio.page
        studio.settings(**ENDLESS)
        studio.ask(BREAD)
        page.locator("#talk .answer span").nth(9).wait_for()
        studio.view("Cast")
        page.locator("#cast .who input[type=checkbox]").last.uncheck()
        studio.ask(BREAD)
        page.locator("#cast .answer span").nth(9).wait_for()
        page.locator("#cast .who input[type=checkbox]").first.uncheck()
        page.get_by_role("button", name="Stop").click()
        studio.said("cast")
        server.settles("llamood_speaking", 0)
        assert page.locator("#announced").text_content() == ""


def test_a_question_while_an_answer_streams_takes_its_place(browser: Any, endless: Path) -> None:
    with (
        serving(endless, "--ctx", "40000", "--voices", "1") as server,
        visiting(browser, server) as studio,
    ):
        page = studio.page
        studio.settings(**ENDLESS)
        page.locator("#remembers").check()
        studio.ask("First?")
        page.locator("#talk .answer span").nth(9).wait_for()
        with page.expect_request("**/v1/chat/completions") as sent:
            studio.ask("Second?")
        roles = [one["role"] for one in sent.value.post_data_json["messages"]]
        assert roles == ["user", "assistant", "user"]
        page.locator("#talk .log > li:last-child .answer span").nth(9).wait_for(state="attached")
        assert page.locator("#talk .fault").all_text_contents() == ["stopped"]
        page.get_by_role("button", name="New chat").click()
        server.settles("llamood_speaking", 0)
        assert page.locator("#talk .log > li").count() == 0
        assert not page.locator(".schedule .now").is_visible()


def test_a_character_that_leaves_while_it_speaks_frees_its_voice(
    browser: Any, endless: Path
) -> None:
    with (
        serving(endless, "--ctx", "40000", "--voices", "2") as server,
        visiting(browser, server) as studio,
    ):
        page = studio.page
        studio.settings(**ENDLESS)
        studio.view("Cast")
        page.get_by_role("textbox", name="Name").last.fill("Zoe")
        studio.ask(BREAD)
        page.locator("#cast .answer span").nth(9).wait_for()
        zoe = page.get_by_role("article", name="Zoe")
        zoe.get_by_role("button", name="Remove", exact=True).click()
        server.settles("llamood_speaking", 1)
        page.get_by_role("button", name="Remove", exact=True).click()
        server.settles("llamood_speaking", 0)
        page.locator("body:not(.speaking)").wait_for()
        assert page.locator("#cast article").count() == 0


def test_a_reload_frees_the_voices_that_spoke(browser: Any, endless: Path) -> None:
    with (
        serving(endless, "--ctx", "40000", "--voices", "2") as server,
        visiting(browser, server) as studio,
    ):
        studio.view("Compare")
        studio.settings(**ENDLESS)
        studio.ask(BREAD)
        studio.page.locator("#compare .answer span").nth(9).wait_for()
        server.settles("llamood_speaking", 2)
        studio.load()
        server.settles("llamood_speaking", 0)


# -- long conversations ------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["Talk", "Compare", "Cast"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_last_answer_of_a_long_conversation_is_seen(
    browser: Any, server: Server, view: str, width: int
) -> None:
    with visiting(browser, server, viewport={"width": width, "height": 800}) as studio:
        page = studio.page
        studio.view(view)
        studio.settings(max_tokens=16)
        page.locator("#drawing > summary").click()
        for number in range(12):
            studio.ask(f"Question {number}: tell me about bread.")
            studio.said(view.lower())
        item = page.locator(f"#{view.lower()} .pane").first.locator(".log > li:last-child")
        box, composer = item.bounding_box(), page.locator(".ask").bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= composer["y"]
        if width == 1280:  # beside its mood
            assert page.locator("#intensity-joy").bounding_box()["y"] >= 0


def test_an_answer_again_leaves_the_page_where_it_is(browser: Any, server: Server) -> None:
    with visiting(browser, server, viewport={"width": 360, "height": 740}) as studio:
        page = studio.page
        studio.ask(BREAD)
        studio.said()
        page.locator("#mood-part > summary").click()
        page.locator("#live").check()
        page.locator("#intensity-joy").scroll_into_view_if_needed()
        before = page.evaluate("scrollY")
        with page.expect_request("**/v1/chat/completions"):
            studio.slide("joy", 1.0)
        studio.said()
        assert page.evaluate("scrollY") == before


# -- two tabs, and a full stage ----------------------------------------------------------------


def test_two_tabs_keep_presets_together(studio: Studio) -> None:
    page = studio.page
    other = page.context.new_page()
    other.goto(studio.url)
    for tab, name in ((page, "mine"), (other, "yours")):
        tab.locator("#preset-name").fill(name)
        tab.locator("#preset-name").press("Enter")
    for tab in (page, other):
        for name in ("mine", "yours"):
            tab.get_by_role("button", name=name, exact=True).wait_for()
    page.get_by_role("button", name="delete mine").click()
    other.get_by_role("button", name="mine", exact=True).wait_for(state="detached")
    studio.load()
    assert page.get_by_role("button", name="yours", exact=True).count() == 1
    other.close()


def _n_step_of(server: Server, n: int) -> float:
    """How many steps had ``n`` voices or more, at most as many as a bucket tells apart."""
    _, told = server.get("/metrics")
    families = text_string_to_metric_families(told)
    samples = [s for family in families for s in family.samples]
    fewer = max(
        s.value
        for s in samples
        if s.name == "llamood_batch_voices_bucket" and float(s.labels["le"]) < n
    )
    return max(s.value for s in samples if s.name == "llamood_batch_voices_count") - fewer


def test_as_many_characters_as_can_join_speak_at_once(browser: Any, endless: Path) -> None:
    with (
        serving(endless, "--ctx", "8192", "--voices", "8") as server,
        visiting(browser, server) as studio,
    ):
        page = studio.page
        studio.settings(**ENDLESS)
        studio.view("Cast")
        add = page.get_by_role("button", name="Add a character")
        while add.is_enabled():
            add.click()
        n = page.locator("#cast article").count()
        assert n > 2
        for mood in page.locator("#cast .mood").all():  # in one the guard would end this model
            mood.click()
            page.locator("#neutral").click()
        studio.ask(BREAD)
        server.settles("llamood_waiting", 0)
        end = time.monotonic() + PATIENCE
        while not _n_step_of(server, n):
            assert time.monotonic() < end, f"never {n} at once"
        with page.expect_response("**/v1/mood/rows"):  # and there is room for what is foreseen
            studio.slide("joy", 0.7)
        page.get_by_role("button", name="Stop").click()
        server.settles("llamood_speaking", 0)


def test_a_conversation_that_is_too_long_says_what_helps(studio: Studio) -> None:
    page = studio.page
    page.locator("#drawing > summary").click()
    page.locator("#remembers").check()
    fault = page.locator("#unheard")
    while fault.text_content() == "":
        studio.ask("bread " * 40)
        studio.said()
    assert "new chat" in fault.text_content()
    assert page.locator("#question").input_value() == ("bread " * 40).strip()
    page.get_by_role("button", name="New chat").click()
    studio.ask(BREAD)
    assert studio.said() != [""]
    studio.expected.append("400")


def test_most_of_a_phone_is_left_for_what_is_said(browser: Any, server: Server) -> None:
    with visiting(browser, server, viewport={"width": 390, "height": 844}) as studio:
        page = studio.page
        studio.settings(max_tokens=16)
        for _ in range(4):
            studio.ask(BREAD)
            studio.said()
        bottom = page.locator(".asking").bounding_box()["y"]
        bar = page.locator("#mood-part").bounding_box()
        assert bottom - (bar["y"] + bar["height"]) >= 0.6 * 844
        box = page.locator("#talk .log > li:last-child").bounding_box()
        assert bar["y"] + bar["height"] <= box["y"]
        assert box["y"] + box["height"] <= bottom

"""The studio in a real browser: shaping a mood, talking in it, and seeing what becomes of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import llamood
import tiny_chat
from servers import SUGGESTED, Server, serving
from studios import BREAD, Studio, answer, visiting

pytestmark = pytest.mark.slow

NAMES = llamood.load(tiny_chat.VECTORS).names
PALETTE = """canvas => {
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const colours = new Set();
    for (let i = 0; i < data.length; i += 4)
        if (data[i + 3] > 200) colours.add(data.slice(i, i + 3).join());
    return [...colours];
}"""


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(tiny_chat.MODEL, "--voices", "4", *SUGGESTED, exact=True) as server:
        yield server


# -- a mood ------------------------------------------------------------------------------------


def test_it_loads_and_feels_nothing_yet(studio: Studio) -> None:
    assert studio.page.title() == "llamood: tiny_chat"
    assert studio.mood == {}
    suggested = studio.page.locator("#suggestions button").all_text_contents()
    assert suggested == list(tiny_chat.SUGGESTIONS)


@pytest.mark.parametrize("emotion", NAMES)
def test_every_emotion_has_a_slider(studio: Studio, emotion: str) -> None:
    slider = studio.page.get_by_role("slider", name=emotion, exact=True)
    slider.fill("-0.5")
    assert studio.mood == {emotion: -0.5}
    slider.dblclick()
    assert studio.mood == {}


def test_the_pad_is_dragged(studio: Studio) -> None:
    studio.drag(".pad", (0.5, 0.5), (0.9, 0.25))
    mood = studio.mood
    assert mood["valence"] == pytest.approx(0.8, abs=0.03)
    assert mood["arousal"] == pytest.approx(0.5, abs=0.03)
    studio.page.locator("#affect-arousal").fill("-0.4")
    assert studio.mood == {"valence": mood["valence"], "arousal": -0.4}
    studio.page.get_by_role("button", name="Off: valence and arousal").click()
    assert studio.mood == {}


def test_a_schedule_is_drawn(studio: Studio) -> None:
    studio.draw("joy")
    studio.drag(".schedule", (0.0, 0.5), (0.5, 0.05), (0.75, 0.5))
    (drawn,) = studio.mood.items()
    assert drawn[0] == "joy"
    keys = drawn[1]["keys"]
    tokens = [token for token, _ in keys]
    assert tokens == sorted(set(tokens))
    assert len(keys) <= 16
    assert (tokens[0], tokens[-1]) == (0, pytest.approx(47, abs=1))
    top = max(keys, key=lambda key: key[1])
    assert top == [pytest.approx(31, abs=2), pytest.approx(1.0, abs=0.05)]
    rows = llamood.Mood(studio.mood).rows(48, NAMES)[:, NAMES.index("joy")]
    assert rows[16] == pytest.approx(0.5, abs=0.12)
    studio.slide("joy", 0.5)  # its peak
    assert max(value for _, value in studio.mood["joy"]["keys"]) == pytest.approx(0.5, abs=0.01)
    studio.page.get_by_role("button", name="Erase").click()
    assert studio.mood == {}


def test_a_schedule_is_drawn_by_keys_alone(studio: Studio) -> None:
    page = studio.page
    page.get_by_role("button", name="draw fear over tokens").press("Enter")
    add = page.get_by_role("button", name="Add a point")
    add.press("Enter")
    page.keyboard.press("ArrowUp")
    add.press("Enter")
    for key in ["ArrowRight"] * 3 + ["Shift+ArrowDown"] * 2:
        page.keyboard.press(key)
    first, second = studio.mood["fear"]["keys"]
    assert first == [0, 0.53]
    assert second == [34, pytest.approx(0.53 - 0.4, abs=0.01)]
    page.get_by_role("slider", name="point 2 of fear").press("Delete")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')") == "point 1 of fear"
    assert studio.mood["fear"]["keys"] == [first]


def test_points_of_a_schedule_are_taken_away_by_two_clicks_and_the_last_by_keys(
    studio: Studio,
) -> None:
    page = studio.page
    studio.draw("joy")
    studio.drag(".schedule", (0.25, 0.05), (0.75, 0.5))
    _, last = studio.mood["joy"]["keys"]
    page.locator(".schedule circle").first.dblclick()
    assert studio.mood["joy"]["keys"] == [last]
    page.locator(".schedule circle").first.press("Delete")
    assert page.evaluate("document.activeElement.textContent") == "Add a point"
    assert studio.mood == {}


def test_a_constant_intensity_survives_a_look_at_its_schedule(studio: Studio) -> None:
    studio.slide("joy", 0.6)
    studio.draw("joy")
    studio.page.get_by_label("Between points").select_option("step")
    assert studio.mood == {"joy": 0.6}
    studio.page.get_by_role("button", name="Add a point").press("Enter")
    assert studio.mood == {"joy": {"keys": [[0, 0.6]], "ease": "step"}}


def test_points_past_what_is_shown_are_kept_and_not_shown(studio: Studio) -> None:
    page = studio.page
    studio.draw("joy")
    tokens = page.locator("#schedule label", has_text="Tokens").locator("select")
    tokens.select_option("256")
    studio.drag(".schedule", (0.0, 0.5), (0.06, 0.05), (0.9, 0.5))
    keys = studio.mood["joy"]["keys"]
    tokens.select_option("32")
    seen = page.locator(".schedule circle")
    assert seen.count() == sum(token < 32 for token, _ in keys) < len(keys)
    seen.last.focus()
    for key in ["Shift+ArrowRight"] * 3 + ["ArrowUp"]:
        page.keyboard.press(key)
    page.get_by_role("button", name="Add a point").press("Enter")
    moved = [token for token, _ in studio.mood["joy"]["keys"]]
    assert moved == sorted(set(moved))
    assert moved[-1] == keys[-1][0]
    assert llamood.Mood(studio.mood).emotions.keys() == {"joy"}


def test_the_picture_shows_what_the_service_would_apply(studio: Studio) -> None:
    studio.slide("joy", 1.0)
    studio.slide("anger", 1.0)
    studio.page.locator("#notices li").wait_for()
    assert "size" in studio.page.locator("#notices").text_content()
    assert studio.page.locator(".schedule polyline.applied").count() == 2


def test_a_slider_moves_the_mood_and_what_is_said_of_it(studio: Studio) -> None:
    studio.slide("joy", 0.8)
    studio.slide("fear", -0.25)
    studio.page.locator("#inertia").fill("6")
    assert studio.mood == {"joy": 0.8, "fear": -0.25, "$inertia": 6}
    assert studio.page.locator("#felt").text_content() == "joy 0.8, fear \u22120.25"
    studio.page.get_by_role("button", name="Neutral", exact=True).click()
    assert studio.mood == {}


# -- an answer ---------------------------------------------------------------------------------


def test_an_answer_streams_coloured_by_what_it_expresses(studio: Studio, server: Server) -> None:
    studio.slide("joy", 1.0)
    studio.page.get_by_role("button", name=BREAD).click()
    (said,) = studio.said()
    assert said == answer(server, {"joy": 1.0})
    spans = studio.page.locator("#talk .answer span")
    assert "".join(spans.all_text_contents()) == said
    painted = spans.evaluate_all(
        "all => all.filter(s => getComputedStyle(s).backgroundColor !== 'rgba(0, 0, 0, 0)')"
        ".map(s => s.style.getPropertyValue('--c'))"
    )
    joy = "light-dark(oklch(0.58 0.17 80), oklch(0.76 0.15 80))"
    assert painted.count(joy) > len(painted) / 2 > 4


def test_a_face_shows_what_the_answer_expresses(studio: Studio) -> None:
    studio.slide("joy", 1.0)
    studio.page.get_by_role("button", name=BREAD).click()
    studio.said()
    face = studio.page.locator("#talk .face")
    assert face.is_visible()
    shown = face.get_attribute("aria-label")
    assert shown in {f"face: {name}" for name in (*NAMES, "neutral")}


def test_the_curves_are_those_of_the_answer(studio: Studio) -> None:
    studio.page.get_by_role("button", name="dread rising").click()
    studio.ask(BREAD)
    studio.said()
    canvas = studio.page.locator("#talk canvas")
    colours = canvas.evaluate(PALETTE)
    fear = canvas.evaluate(
        """canvas => {
            const probe = document.createElement("canvas").getContext("2d");
            probe.fillStyle = "oklch(0.58 0.17 305)";
            probe.fillRect(0, 0, 1, 1);
            return probe.getImageData(0, 0, 1, 1).data.slice(0, 3).join();
        }"""
    )
    assert fear in colours
    assert "fear" in canvas.get_attribute("aria-label")
    studio.page.locator("#talk .figures summary").click()
    studio.page.locator("#talk .scrub input").fill("12")
    header, *rows = (
        row.split("\t") for row in studio.page.locator("#talk table").inner_text().split("\n")[1:]
    )
    assert header == ["emotion", "asked", "applied", "read"]
    figures = {row[0]: row[1:] for row in rows}
    assert tuple(figures) == NAMES
    asked = llamood.Mood(studio.mood).rows(13, NAMES)[12, NAMES.index("fear")]
    assert float(figures["fear"][0]) == pytest.approx(asked, abs=0.005)
    assert figures["joy"][:2] == ["0", "0"]


def test_a_token_is_pointed_at(studio: Studio) -> None:
    studio.ask(BREAD)
    studio.said()
    studio.page.locator("#talk .figures summary").click()
    span = studio.page.locator("#talk .answer span").nth(3)
    span.hover()
    assert "marked" in span.get_attribute("class")
    caption = studio.page.locator("#talk caption").text_content()
    assert caption.startswith("Token 4 of ")
    assert span.text_content().strip() in caption


def test_two_panes_of_one_seed(studio: Studio, server: Server) -> None:
    studio.view("Compare")
    studio.slide("anger", 1.0)
    studio.settings(seed=11, temperature=0.9, max_tokens=40)
    studio.ask(BREAD)
    felt, unfelt = studio.said("compare")
    how = {"seed": 11, "temperature": 0.9, "max_tokens": 40}
    assert felt == answer(server, {"anger": 1.0}, **how)
    assert unfelt == answer(server, {}, **how)
    assert felt != unfelt


def test_a_cast_of_characters(studio: Studio, server: Server) -> None:
    studio.view("Cast")
    page = studio.page
    moods = page.locator("#cast .mood")
    assert moods.all_text_contents() == [f"feels {name} 1" for name in NAMES[:2]]
    page.get_by_role("button", name="Add a character").click()
    studio.slide("joy", 1.0)
    page.get_by_role("textbox", name="Name", exact=True).nth(2).fill("Zoe")
    assert moods.all_text_contents()[2] == "feels joy 1"
    studio.ask(BREAD)
    said = studio.said("cast")
    expected = [answer(server, {name: 1.0}) for name in (*NAMES[:2], "joy")]
    assert said == expected
    assert page.get_by_role("region", name="Zoe").locator(".answer").text_content() == expected[2]
    page.get_by_role("button", name="Remove", exact=True).first.click()
    page.locator("#cast .who input[type=checkbox]").first.uncheck()
    studio.ask("Tell me about the museum.")
    studio.said("cast")
    stays, answers = page.locator("#cast .log").all()
    assert stays.locator(".question, .answer").all_text_contents() == [BREAD, expected[1]]
    assert "museum" in answers.text_content()


def test_a_character_is_told_who_it_is_and_its_mood_is_its_own(studio: Studio) -> None:
    studio.slide("sadness", 0.5)
    studio.view("Cast")
    page = studio.page
    page.locator("#cast .mood").nth(1).click()
    studio.slide("disgust", 0.0)
    studio.slide("surprise", 0.75)
    texts = page.locator("#cast .mood").all_text_contents()
    assert texts == [f"feels {NAMES[0]} 1", "feels surprise 0.75"]
    page.locator("#cast textarea").first.fill("You are a baker.")
    with page.expect_request("**/v1/chat/completions") as sent:
        studio.ask(BREAD)
    assert sent.value.post_data_json["messages"][0] == {
        "role": "system",
        "content": "You are a baker.",
    }
    studio.said("cast")
    studio.view("Talk")
    assert studio.mood == {"sadness": 0.5}


def test_the_mood_answers_again_as_it_changes(studio: Studio, server: Server) -> None:
    studio.ask(BREAD)
    (plain,) = studio.said()
    studio.page.locator("#live").check()
    studio.slide("anger", 1.0)
    expected = answer(server, {"anger": 1.0})
    assert expected != plain
    studio.page.locator("#talk .answer").get_by_text(expected, exact=True).wait_for()
    assert studio.page.locator("#talk .log > li").count() == 1


def test_a_conversation_is_remembered_where_that_is_asked(studio: Studio) -> None:
    page = studio.page
    studio.settings(max_tokens=12)
    page.locator("#remembers").check()
    studio.ask(BREAD)
    (first,) = studio.said()
    with page.expect_request("**/v1/chat/completions") as sent:
        studio.ask("And the museum?")
    assert [one["content"] for one in sent.value.post_data_json["messages"]] == [
        BREAD,
        first,
        "And the museum?",
    ]
    studio.said()
    page.get_by_role("button", name="New chat").click()
    assert page.locator("#talk .log > li").count() == 0
    with page.expect_request("**/v1/chat/completions") as sent:
        studio.ask(BREAD)
    assert len(sent.value.post_data_json["messages"]) == 1
    studio.said()


# -- elsewhere, and later ----------------------------------------------------------------------


def test_what_is_copied_runs_and_says_the_same(browser: Any, server: Server) -> None:
    allowed = ["clipboard-read", "clipboard-write"]
    with visiting(browser, server, permissions=allowed) as studio:
        studio.slide("joy", 0.9)
        studio.draw("fear")
        studio.drag(".schedule", (0.0, 0.5), (0.4, 0.2))
        studio.ask('What\'s a "ferry" like?')
        (said,) = studio.said()
        copied = {}
        for kind in ("json", "python", "curl"):
            shown = studio.snippet(kind)
            studio.page.locator("#copy").click()
            studio.page.get_by_text("Copied", exact=True).wait_for()
            copied[kind] = studio.page.evaluate("navigator.clipboard.readText()")
            assert copied[kind] == shown
    assert llamood.Mood(json.loads(copied["json"])).emotions.keys() == {"joy", "fear"}
    ran = subprocess.run(
        [sys.executable, "-c", copied["python"]], capture_output=True, text=True, check=True
    )
    assert ran.stdout.rstrip("\n") == said
    if shutil.which("curl"):
        done = subprocess.run(copied["curl"], shell=True, capture_output=True, check=True)
        assert json.loads(done.stdout)["choices"][0]["message"]["content"] == said


def test_presets_the_mood_and_the_theme_outlive_a_reload(studio: Studio) -> None:
    page = studio.page
    studio.slide("joy", 0.4)
    studio.draw("fear")
    studio.drag(".schedule", (0.0, 0.5), (0.4, 0.2))
    mine = studio.mood
    page.locator("#preset-name").fill("<b>mine</b>")
    page.locator("#preset-name").press("Enter")
    page.get_by_role("button", name="glad").click()
    page.locator("#theme").select_option("dark")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    studio.load()
    assert studio.mood == {"joy": 1}
    assert page.locator("#theme").input_value() == "dark"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    page.get_by_role("button", name="<b>mine</b>", exact=True).click()
    assert studio.mood == mine
    page.get_by_role("button", name="delete <b>mine</b>").click()
    studio.load()
    assert page.get_by_text("mine").count() == 0


def test_what_is_kept_and_means_nothing_any_more_is_left_out(studio: Studio) -> None:
    stored = {"intensities": {"hope": 1, "joy": 0.5, "fear": {"keys": 3}}, "affect": 7}
    studio.page.evaluate(
        "mood => { localStorage.setItem('llamood.mood', mood);"
        " localStorage.setItem('llamood.presets', '{'); }",
        json.dumps(stored),
    )
    studio.load()
    assert studio.mood == {"joy": 0.5}


def test_texts_are_shown_as_texts(studio: Studio) -> None:
    hostile = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
    studio.ask(hostile)
    studio.said()
    assert studio.page.locator("#talk .question").text_content() == hostile
    assert studio.page.locator("#talk img, #talk script").count() == 0
    assert studio.page.title() == "llamood: tiny_chat"

"""What the studio does where something goes wrong: no service, no key, no room."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import tiny_chat
from servers import PATIENCE, Server, serving
from studios import BREAD, ENDLESS, ROOM, endless_model, visiting

pytestmark = pytest.mark.slow  # a service of its own for each

GONE = "The service does not answer"
AWAY = ("ERR_", "503")  # what a browser says of a service that is gone, then not ready yet


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return endless_model(tmp_path_factory.mktemp("models"))


@contextmanager
def anew(server: Server, *options: str) -> Iterator[Server]:
    """The service that was there, started again where it was."""
    with serving(tiny_chat.MODEL, "--port", server.url.rsplit(":", 1)[1], *options) as again:
        yield again


def killed(server: Server) -> None:
    server.process.send_signal(signal.SIGKILL)
    server.process.wait(PATIENCE)


def test_a_service_that_is_gone_is_told_and_comes_back(browser: Any) -> None:
    with serving() as server, visiting(browser, server) as studio:
        gone = studio.page.get_by_role("alert").filter(has_text=GONE)
        studio.settings(max_tokens=8)
        assert not gone.is_visible()
        killed(server)
        studio.ask(BREAD)
        gone.wait_for()
        refused = studio.page.locator("#unheard")
        refused.filter(has_text="does not answer").wait_for()
        assert studio.page.locator("#question").input_value() == BREAD
        assert studio.page.locator("#talk .log > li").count() == 0
        with anew(server):
            gone.wait_for(state="hidden")
            studio.page.locator("#question").press("Enter")
            (said,) = studio.said()
            assert said
            assert refused.text_content() == ""
        studio.expected += AWAY


@pytest.mark.slow
def test_it_is_noticed_too_while_nothing_is_asked(browser: Any) -> None:
    with serving() as server, visiting(browser, server) as studio:
        killed(server)
        studio.page.get_by_role("alert").filter(has_text=GONE).wait_for()
        studio.expected.append("ERR_")


def test_an_answer_that_is_cut_off_keeps_what_was_said(browser: Any, endless: Path) -> None:
    with serving(endless, *ROOM) as server, visiting(browser, server) as studio:
        studio.settings(**ENDLESS)
        studio.ask(BREAD)
        studio.page.locator("#talk .answer span").nth(20).wait_for()
        killed(server)
        studio.page.get_by_role("alert").filter(has_text=GONE).wait_for()
        (said,) = studio.said()
        assert len(said) > 20
        assert studio.page.locator("#talk .fault").text_content().startswith("cut off")
        studio.expected.append("ERR_")


def test_a_conversation_goes_on_when_the_service_has_forgotten_its_session(browser: Any) -> None:
    with serving() as server, visiting(browser, server) as studio:
        studio.settings(max_tokens=8)
        studio.ask(BREAD)
        assert studio.said() != [""]
        killed(server)
        with anew(server):
            for _ in range(2):  # in a session that is forgotten, and in a new one
                studio.ask(BREAD)
                assert studio.said() != [""]
            assert studio.page.locator("#talk .fault").count() == 0
            assert studio.page.locator("#talk .pane .log > li").count() == 3
            refused = [fault for fault in studio.faults if "404" in fault]
            assert len(refused) == 1
        studio.expected += (*AWAY, "404")


def test_an_answer_that_is_stopped_frees_its_voice(browser: Any, endless: Path) -> None:
    with serving(endless, *ROOM) as server, visiting(browser, server) as studio:
        studio.settings(**ENDLESS)
        studio.ask(BREAD)
        studio.page.locator("#talk .answer span").nth(10).wait_for()
        studio.page.get_by_role("button", name="Stop").click()
        (said,) = studio.said()
        server.settles("llamood_speaking", 0)
        assert studio.page.locator("#talk .fault").text_content() == "stopped"
        assert said
        assert studio.page.get_by_role("button", name="Stop").is_disabled()


def test_the_key_is_asked_for_until_it_is_right(browser: Any) -> None:
    with (
        serving(tiny_chat.MODEL, "--api-key", "sesame", key="sesame") as server,
        visiting(browser, server, loads=False) as studio,
    ):
        page = studio.page
        page.goto(server.url)
        page.get_by_role("dialog").wait_for()
        assert not page.get_by_text("That was not its key").is_visible()
        for key in ("wrong", "sesame"):
            page.get_by_role("dialog").wait_for()
            assert page.locator("#key").input_value() == ""
            page.locator("#key").fill(key)
            page.locator("#key").press("Enter")
            page.locator("#key-wrong" if key == "wrong" else "body:not(.starting)").wait_for()
        page.wait_for_selector("body:not(.starting)")
        studio.settings(max_tokens=8)
        studio.ask(BREAD)
        (said,) = studio.said()
        assert said
        assert "sesame" not in studio.snippet("python") + studio.snippet("curl")
        studio.load()  # it is kept while the tab is open
        studio.expected.append("401")


def test_what_the_service_refuses_is_told_in_its_words(browser: Any) -> None:
    with serving(tiny_chat.MODEL, "--ctx", "64") as server, visiting(browser, server) as studio:
        studio.settings(max_tokens=8)
        long = ("bread " * 200).strip()
        studio.ask(long)
        refused = studio.page.locator("#unheard")
        refused.filter(has_text="maximum context length is 64 tokens").wait_for()
        assert studio.page.locator("#question").input_value() == long
        studio.ask(BREAD)
        assert studio.said() != [""]
        assert studio.page.locator("#talk .log > li").count() == 1
        studio.expected.append("400")


def test_a_page_that_is_there_before_the_model_waits_for_it(browser: Any) -> None:
    with serving() as server, visiting(browser, server, loads=False) as studio:
        page = studio.page
        states = iter([503, 503])

        def loading(route: Any) -> None:
            status = next(states, None)
            if status is None:
                route.continue_()
            else:
                route.fulfill(status=status, json={"status": "loading"})

        page.route("**/health", loading)
        page.goto(server.url)
        page.get_by_text("The model is being loaded").wait_for()
        page.wait_for_selector("body:not(.starting)")
        assert not page.get_by_text("The model is being loaded").is_visible()
        studio.expected.append("503")


@pytest.mark.slow
def test_a_service_that_hangs_is_told_and_its_answer_goes_on(browser: Any, endless: Path) -> None:
    with serving(endless, *ROOM) as server, visiting(browser, server) as studio:
        gone = studio.page.get_by_role("alert").filter(has_text=GONE)
        studio.settings(**ENDLESS)
        studio.ask(BREAD)
        spans = studio.page.locator("#talk .answer span")
        spans.nth(20).wait_for(state="attached")
        server.process.send_signal(signal.SIGSTOP)
        gone.wait_for()
        n = spans.count()
        server.process.send_signal(signal.SIGCONT)
        gone.wait_for(state="hidden")
        spans.nth(n + 20).wait_for(state="attached")
        studio.expected.append("ERR_")


@pytest.mark.slow
def test_a_service_that_comes_back_with_other_emotions_has_its_sliders(
    browser: Any, endless: Path
) -> None:
    with serving(endless, "--name", "it") as server, visiting(browser, server) as studio:
        sliders = studio.page.locator("#sliders input")
        assert sliders.count() == 2
        killed(server)
        studio.page.get_by_role("alert").filter(has_text=GONE).wait_for()
        studio.slide("joy", 0.5)
        studio.page.get_by_text("the service does not answer", exact=True).wait_for()
        with anew(server, "--name", "it"):
            sliders.nth(5).wait_for()
            studio.page.locator(".schedule polyline").first.wait_for(state="attached")
            assert studio.page.locator("#mood-fault").text_content() == ""
            assert studio.mood == {"joy": 0.5}
        studio.expected += AWAY


@pytest.mark.slow
def test_a_key_that_is_another_now_is_asked_for_and_may_be_left_out(browser: Any) -> None:
    with serving() as server, visiting(browser, server) as studio:
        page = studio.page
        studio.settings(max_tokens=8)
        killed(server)
        page.get_by_role("alert").filter(has_text=GONE).wait_for()
        with anew(server, "--api-key", "sesame"):
            dialog = page.get_by_role("dialog")
            dialog.wait_for()
            page.locator("#key").fill("sesame")
            page.locator("#key").press("Enter")
            studio.ask(BREAD)
            assert studio.said() != [""]
        page.get_by_role("alert").filter(has_text=GONE).wait_for()
        with anew(server, "--api-key", "other"):
            dialog.wait_for()
            page.keyboard.press("Escape")
            page.get_by_role("alert").filter(has_text=GONE).wait_for(state="hidden")
            assert not dialog.is_visible()
            studio.ask(BREAD)
            dialog.wait_for()
            page.keyboard.press("Escape")
            fault = page.locator("#unheard")
            fault.filter(has_text="expected the service's key").wait_for()
            assert not dialog.is_visible()
        studio.expected += (*AWAY, "401")


def test_a_full_queue_is_told_in_each_pane(browser: Any, endless: Path) -> None:
    with (
        serving(endless, *ROOM, "--queue", "0") as server,
        visiting(browser, server) as studio,
    ):
        studio.settings(**ENDLESS)
        studio.view("Compare")
        studio.ask(BREAD)
        fault = studio.page.locator("#compare .fault")
        fault.wait_for()
        assert "try again later" in fault.text_content()
        studio.page.get_by_role("button", name="Stop").click()
        server.settles("llamood_speaking", 0)
        studio.expected.append("429")

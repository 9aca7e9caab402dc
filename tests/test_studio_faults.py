"""What the studio does where something goes wrong: no service, no key, no room."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from servers import PATIENCE, Server, serving
from studios import BREAD, ENDLESS, ROOM, endless_model, visiting

GONE = "The service does not answer"


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return endless_model(tmp_path_factory.mktemp("models"))


@contextmanager
def anew(server: Server, *options: str) -> Iterator[Server]:
    """The service that was there, started again where it was."""
    with serving("demo", "--port", server.url.rsplit(":", 1)[1], *options) as again:
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
        assert studio.page.locator("#talk .fault").text_content().startswith("cut off")
        with anew(server):
            gone.wait_for(state="hidden")
            studio.page.get_by_role("button", name="again").click()
            (said,) = studio.said()
            assert said
            assert studio.page.locator("#talk .fault").count() == 0
        studio.faults[:] = [one for one in studio.faults if "ERR_" not in one]


def test_it_is_noticed_too_while_nothing_is_asked(browser: Any) -> None:
    with serving() as server, visiting(browser, server) as studio:
        killed(server)
        studio.page.get_by_role("alert").filter(has_text=GONE).wait_for()
        studio.faults[:] = [one for one in studio.faults if "ERR_" not in one]


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
        studio.faults[:] = [one for one in studio.faults if "ERR_" not in one]


def test_an_answer_that_is_stopped_frees_its_voice(browser: Any, endless: Path) -> None:
    with serving(endless, *ROOM) as server, visiting(browser, server) as studio:
        studio.settings(**ENDLESS)
        studio.ask(BREAD)
        studio.page.locator("#talk .answer span").nth(10).wait_for()
        studio.page.get_by_role("button", name="stop").click()
        (said,) = studio.said()
        server.settles("llamood_speaking", 0)
        assert studio.page.locator("#talk .fault").text_content() == "stopped"
        assert said
        assert studio.page.get_by_role("button", name="stop").is_disabled()


def test_the_key_is_asked_for_until_it_is_right(browser: Any) -> None:
    with (
        serving("demo", "--api-key", "sesame", key="sesame") as server,
        visiting(browser, server, loads=False) as studio,
    ):
        page = studio.page
        page.goto(server.url)
        for key in ("wrong", "sesame"):
            page.get_by_role("dialog").wait_for()
            page.locator("#key").fill(key)
            page.locator("#key").press("Enter")
        page.wait_for_selector("body:not(.starting)")
        studio.settings(max_tokens=8)
        studio.ask(BREAD)
        (said,) = studio.said()
        assert said
        assert "sesame" not in studio.snippet("python") + studio.snippet("curl")
        studio.load()  # it is kept while the tab is open
        studio.faults[:] = [one for one in studio.faults if "401" not in one]


def test_what_the_service_refuses_is_told_in_its_words(browser: Any) -> None:
    with serving("demo", "--ctx", "64") as server, visiting(browser, server) as studio:
        studio.ask("bread " * 200)
        fault = studio.page.locator("#talk .fault")
        fault.wait_for()
        assert "maximum context length is 64 tokens" in fault.text_content()
        studio.settings(max_tokens=8)
        studio.ask(BREAD)
        assert studio.said() != [""]
        studio.faults[:] = [one for one in studio.faults if "400" not in one]


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
        studio.faults[:] = [one for one in studio.faults if "503" not in one]

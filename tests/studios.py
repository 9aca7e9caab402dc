"""The studio in a real browser, as somebody who uses it has it."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import llamood
from llama_gguf import random_weights
from open_voices import random_vectors
from random_chats import SHAPE, write_random_chat
from servers import Server

BREAD = "Tell me about bread."
# For an `endless_model`: how its answers are drawn, and what it is served with.
ENDLESS = {"max_tokens": 30_000, "temperature": 0}
ROOM = ("--ctx", "40000", "--voices", "1")


@dataclass
class Studio:
    """``page``: Playwright's. ``faults``: what the browser complained of, and requests that went
    elsewhere. ``expected``: parts of those that are none, whenever they come."""

    page: Any
    url: str
    faults: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def load(self) -> None:
        self.page.goto(self.url)
        self.page.wait_for_selector("body:not(.starting)")

    @property
    def mood(self) -> Any:
        """The mood as the page would have it copied."""
        return json.loads(self.snippet("json"))

    def open(self, section: str) -> None:
        """A part of the page that is folded, by its id."""
        if self.page.locator(f"#{section}").get_attribute("open") != "":
            self.page.locator(f"#{section} > summary").click()

    def draw(self, emotion: str) -> None:
        """Turn to its schedule."""
        self.open("schedule-part")
        self.page.locator("#schedule select").nth(0).select_option(emotion)

    def snippet(self, kind: str) -> str:
        self.open("elsewhere")
        self.page.locator(f"#{kind}-tab").click()
        self.page.wait_for_timeout(150)  # the page writes it once changes have ended
        return str(self.page.locator(f"#snippet-{kind}").text_content())

    def slide(self, emotion: str, intensity: float) -> None:
        self.page.locator(f"#intensity-{emotion}").fill(str(intensity))

    def view(self, name: str) -> None:
        self.page.get_by_role("tab", name=name, exact=True).click()

    def settings(self, **values: float) -> None:
        """Of how answers are drawn: seed, temperature, max_tokens."""
        self.open("drawing")
        for name, value in values.items():
            self.page.locator(f"#{name.replace('_', '-')}").fill(str(value))

    def ask(self, question: str) -> None:
        self.page.locator("#question").fill(question)
        self.page.locator("#question").press("Enter")

    def said(self, view: str = "talk") -> list[str]:
        """The last answers of a view, once all are over."""
        self.page.locator("body:not(.speaking)").wait_for()
        last = self.page.locator(f"#{view} .pane .log > li:last-child .answer")
        return [str(text) for text in last.all_text_contents()]

    def drag(self, selector: str, *points: tuple[float, float]) -> None:
        """With the mouse, through points in shares of the element's width and height."""
        element = self.page.locator(selector)
        element.scroll_into_view_if_needed()
        box, before = element.bounding_box(), None
        while box != before:  # the page around it may still come to its place
            self.page.wait_for_timeout(50)
            box, before = element.bounding_box(), box
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=12)
        self.page.mouse.up()


@contextlib.contextmanager
def visiting(browser: Any, server: Server, *, loads: bool = True, **how: Any) -> Iterator[Studio]:
    """With a fresh profile. ``how``: of Playwright's ``new_context``. What the browser complains
    of is a failure, unless it is `Studio.expected`."""
    context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **how})
    studio = Studio(context.new_page(), server.url)
    page, faults = studio.page, studio.faults
    page.set_default_timeout(20_000)
    page.on("console", lambda m: faults.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith(server.url) else faults.append(r.url))
    try:
        if loads:
            studio.load()
        yield studio
        told = [one for one in faults if not any(it in one for it in studio.expected)]
        assert not told, f"the browser complains of {told}"
    finally:
        context.close()


def answer(server: Server, mood: Any, *, question: str = BREAD, **how: Any) -> str:
    """What the official client is answered."""
    with server.client() as client:
        drawn = {"seed": 7, "temperature": 0.6, **how}
        made = client.chat.completions.create(
            model="tiny_chat",
            messages=[{"role": "user", "content": question}],
            extra_body={"mood": mood},
            **drawn,
        )
    return str(made.choices[0].message.content)


def endless_model(folder: Path, *, names: Sequence[str] = ("anger", "joy")) -> Path:
    """A random llama for which, where the likeliest token is taken, that is never an end; with its
    vectors where they are looked for, that are not read and have no ceiling."""
    weights = random_weights(SHAPE, seed=1, scale=0.2)
    weights["token_embd.weight"][128:260] = 0  # and never half of a character
    weights["token_embd.weight"][:32] = 0  # nor what no text has, as questions are refused with it
    path = write_random_chat(folder / "endless.gguf", name="endless", weights=weights)
    evs = replace(random_vectors(path, names=names), ceiling=())
    llamood.save(evs, path.with_name("endless.evs"))
    return path

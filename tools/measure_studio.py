"""How long the studio's page is busy at a time, with a conversation of many turns.

    python tools/measure_studio.py [--turns 200] [--tokens 100]

Chromium asks a service of a small random model as often as that, each answer streamed, coloured
and kept; then the conversation is scrolled from its end to its beginning and back, and loaded anew.
Of each part it tells the longest task of the page in milliseconds, and how many were above 50. A
page answers whoever uses it as soon as its task is over.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / folder) for folder in ("tests", "tools")]

from browsers import chromium  # noqa: E402
from servers import serving  # noqa: E402
from studios import Studio, endless_model, visiting  # noqa: E402

WATCH = """() => {
    window.longTasks = [];
    new PerformanceObserver(list =>
        window.longTasks.push(...list.getEntries().map(one => one.duration))
    ).observe({ type: "longtask", buffered: true });
}"""

BUSY = """() => setTimeout(() => {
    for (const end = performance.now() + 120; performance.now() < end; );
}, 50)"""


def told(studio: Studio, part: str) -> None:
    """The tasks since it was told last."""
    studio.page.wait_for_timeout(300)
    tasks = studio.page.evaluate("window.longTasks.splice(0)")
    print(f"{part}: longest {max(tasks, default=0):.0f} ms, {len(tasks)} above 50")


def asked(studio: Studio, turns: int) -> None:
    answers = studio.page.locator("#talk .answer:not([aria-busy]):not(:empty)")
    before = answers.count()
    for turn in range(turns):
        studio.ask(f"Question {turn}")
        answers.nth(before + turn).wait_for(state="attached")


def scrolled(page: Any) -> None:
    height = page.evaluate("document.getElementById('spoken').scrollHeight")
    page.mouse.move(900, 300)
    for step in (-1000, 1000):
        for _ in range(height // 1000 + 1):
            page.mouse.wheel(0, step)
            page.wait_for_timeout(20)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--turns", type=int, default=200)
    options.add_argument("--tokens", type=int, default=100)
    given = options.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        chromium() as browser,
        serving(endless_model(Path(folder)), "--voices", "1", "--ctx", "2048") as server,
        visiting(browser, server) as studio,
    ):
        studio.page.evaluate(WATCH)
        studio.page.evaluate(BUSY)
        told(studio, "a task of 120 ms, as a check")
        studio.settings(max_tokens=given.tokens, temperature=0)
        studio.open("drawing")
        studio.page.locator("#remembers").uncheck()
        studio.slide("joy", 0.1)
        asked(studio, given.turns - 1)
        told(studio, f"{given.turns - 1} turns of {given.tokens} tokens, streamed")
        asked(studio, 1)
        told(studio, "one more")
        scrolled(studio.page)
        told(studio, "scrolled to the beginning and back")
        studio.load()
        studio.page.evaluate(WATCH)
        told(studio, "loaded anew")
        n = studio.page.locator("#talk .log > li").count()
        print(f"{n} turns are there")


if __name__ == "__main__":
    main()

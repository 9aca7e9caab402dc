"""The studio while two panes stream: how long a key on a slider waits until it is shown.

Needs a browser (extra ``browser``, and a Chromium); without it nothing is measured, and it says so.
"""

from __future__ import annotations

import sys
import tempfile
from typing import Any

from paired import Measure
from serving import serving

import llamood
from browsers import chromium
from models import MODELS, BenchModel, DemoModel

N_ROUND = 5
N_TOKEN = 128  # of each pane's answer
N_CTX = 512  # of a voice
PAUSE = 100  # milliseconds between keys
SEEN = 0.1  # seconds; what takes longer is seen as a lag

# Times of the browser's own: of a key, until what it changed is on the screen; and of tasks in
# which the page can do nothing else, which are told where they take more than 50 ms.
_WATCH = """() => {
    window.keys = []; window.tasks = [];
    const heard = (entries, into) => entries.getEntries().forEach(e => into.push(e.duration));
    new PerformanceObserver(list => heard(list, window.keys))
        .observe({type: "event", durationThreshold: 16});
    new PerformanceObserver(list => heard(list, window.tasks)).observe({type: "longtask"});
}"""


def measure() -> list[Measure]:
    try:
        import playwright.sync_api  # noqa: F401
    except ImportError:
        print('studio: no browser here (pip install ".[browser]")', file=sys.stderr)
        return []
    return [
        result for model in MODELS if isinstance(model, DemoModel) for result in _measure(model)
    ]


def _measure(model: BenchModel) -> list[Measure]:
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        llamood.save(model.vectors(), folder)
        command = [sys.executable, "-c", "from llamood.cli import main; main()", "serve"]
        command += [str(model.path()), "-e", folder, "--threads", "1", "--ctx", str(N_CTX)]
        with serving(command) as port:
            page = browser.new_page()
            page.goto(f"http://127.0.0.1:{port}")
            page.wait_for_selector("body:not(.starting)")
            page.get_by_role("tab", name="Compare").click()
            page.locator("#drawing > summary").click()
            page.locator("#max-tokens").fill(str(N_TOKEN))
            rounds = [_round(page) for _ in range(N_ROUND + 1)][1:]
    rates, keys, tasks = zip(*rounds, strict=True)
    what = f"the studio, two panes of {round(sum(rates) / len(rates))} tokens a second: "
    return [
        Measure(
            name=f"{what}a key until it is shown, 95 %",
            model=model.name,
            values=keys,
            bound=SEEN,
            unit="s",
        ),
        Measure(name=f"{what}longest task", model=model.name, values=tasks, unit="s"),
    ]


def _round(page: Any) -> tuple[float, float, float]:
    """One question: tokens a second of the slower pane; seconds that keys took, and the longest
    task (0.05 where none took as long)."""
    page.evaluate(_WATCH)
    page.locator("#question").fill("What is that?")
    page.locator("#question").press("Enter")
    page.locator("#intensity-joy").focus()
    began = page.evaluate("performance.now()")
    n_key = 0
    while page.locator("body.speaking").count():
        page.keyboard.press("ArrowRight" if n_key % 40 < 20 else "ArrowLeft")
        n_key += 1
        page.wait_for_timeout(PAUSE)
    seconds = (page.evaluate("performance.now()") - began) / 1000
    keys, tasks = page.evaluate("[window.keys, window.tasks]")
    shown = sorted(keys or [16.0])  # those that took less are not told
    return N_TOKEN / seconds, shown[int(len(shown) * 0.95)] / 1000, max(tasks, default=50) / 1000

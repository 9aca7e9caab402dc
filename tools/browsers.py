"""The browser that the studio's tests and its bench use."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def chromium() -> Iterator[Any]:
    """Of LLAMOOD_CHROMIUM, of the system, or of Playwright; headless, until the block is left.
    Raises Playwright's Error where there is none."""
    from playwright.sync_api import sync_playwright

    found = os.environ.get("LLAMOOD_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()

"""Writes docs/reference/ from what is there: the parsers of the commands, the service's OpenAPI
document, the table of schedules, docstrings, the comments of llamood.h:
``python tools/write_reference.py``.

Run it after any of these has changed; a test compares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from reference import commands, header, moods, names, service

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"

PAGES: Mapping[str, Callable[[], str]] = {
    "commands.md": commands.written,
    "moods.md": moods.written,
    "http.md": service.written,
    "python.md": names.written,
    "c.md": header.written,
}

if __name__ == "__main__":
    for name, written in PAGES.items():
        (FOLDER / name).write_text(written(), encoding="utf-8")
        print(f"Wrote {FOLDER / name}.")

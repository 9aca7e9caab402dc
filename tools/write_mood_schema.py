"""Writes the JSON Schema of a mood to where it is shipped: ``python tools/write_mood_schema.py``.

Run it after a schedule or a setting has changed.
"""

from __future__ import annotations

import json

from llamood.moods.schema import SHIPPED, mood_schema


def text() -> str:
    return json.dumps(mood_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    SHIPPED.write_text(text(), encoding="utf-8")
    print(f"Wrote {SHIPPED}.")

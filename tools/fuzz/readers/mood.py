"""JSON of a mood or a personality, in a file; what is taken is written and read back."""

from __future__ import annotations

from fuzz.readers.hostile import is_read, put
from fuzz.readers.short_mood import same_in_all_forms
from llamood.moods.mood import Mood
from llamood.moods.personality import Personality


def read(data: bytes) -> None:
    path = put("shy.json", data)
    is_read(lambda: same_in_all_forms(Mood.parse(f"@{path}")))
    is_read(lambda: Personality.load(path))

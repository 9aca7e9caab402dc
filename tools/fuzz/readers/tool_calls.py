"""What a model says, in which tool calls are found: the same whether it comes in one piece or in
many."""

from __future__ import annotations

from typing import Any

from fuzz.readers.hostile import FindingError
from llamood.moods.mood import Mood
from llamood.voices.feel_tool import Feeling, FeelTool
from llamood.voices.tool_calls import Calls

NAMES = ("weather", "feel")


def read(data: bytes) -> None:
    text = data.decode(errors="replace")
    step = 1 + len(data) % 7
    pieces = [text[i : i + step] for i in range(0, len(text), step)]
    for only_first in (False, True):
        one = heard([text], only_first=only_first)
        many = heard(pieces, only_first=only_first)
        if one != many:
            raise FindingError(f"{one} in one piece, {many} in many")
    feeling = Feeling(FeelTool({"joy": 1.0, "fear": 0.5}), Mood({"joy": 0.2}), others=["weather"])
    for piece in pieces:
        feeling.hear(piece, is_last=False)
    feeling.hear("", is_last=True)
    if any(not 0 <= weight.value <= 1 for weight in feeling.mood.emotions.values()):  # type: ignore[attr-defined]
        raise FindingError(f"{feeling.mood} is beyond its limits")


def heard(pieces: list[str], *, only_first: bool) -> tuple[str, list[Any]]:
    calls, said = Calls(NAMES, only_first=only_first), ""
    for piece in pieces:
        said += calls.hear(piece, is_last=False)[0]
    said += calls.hear("", is_last=True)[0]
    return said, [call["function"] for call in calls.found]

"""The tool that measures moods other than one emotion at its top."""

from __future__ import annotations

import re

import pytest

import measure_moods
import tiny_chat
from llamood.errors import MoodWarning

KINDS = [
    "one emotion at 1",
    "one emotion at 0.5",
    "one emotion at -1",
    "three at 1",
    "three at a third",
]


def test_mixes_are_of_every_emotion_with_the_next_two() -> None:
    kinds = measure_moods.kinds(["a", "b", "c", "d"])
    assert list(kinds) == KINDS
    assert kinds["one emotion at -1"] == [{"a": -1}, {"b": -1}, {"c": -1}, {"d": -1}]
    assert [set(mood) for mood in kinds["three at 1"]] == [
        set("abc"), set("bcd"), set("cda"), set("dab"),
    ]  # fmt: skip
    assert all(sum(mood.values()) == pytest.approx(1) for mood in kinds["three at a third"])


@pytest.mark.slow
def test_the_table_is_of_the_model_at_hand(capsys: pytest.CaptureFixture[str]) -> None:
    few = ("--questions", "3", "--max-tokens", "12")
    with pytest.warns(MoodWarning, match="the whole mix is held"):
        measure_moods.main([str(tiny_chat.MODEL), str(tiny_chat.VECTORS), *few])
    head, _, *rows = capsys.readouterr().out.splitlines()
    assert head.startswith("| 3 answers each | perplexity | loops | bundled |")
    assert [row.split(" | ")[0].removeprefix("| ") for row in rows] == KINDS
    mean = [float(re.findall(r"[\d.]+", row.split(" | ")[1])[0]) for row in rows]
    assert mean[0] > mean[1]  # the full dose is more perplexing than half of it

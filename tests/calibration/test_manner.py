"""Answers in a manner: what a run that was stopped has heard is not asked again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llamood.calibration.manner import QUESTIONS, answers_in_manner

ONE_THREAD: dict[str, Any] = {"n_threads": 1, "n_threads_batch": 1}


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.slow
def test_who_was_stopped_goes_on_with_the_next_questions(random_chat: Path, tmp_path: Path) -> None:
    kept = tmp_path / "new" / "answers"

    def stop(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        answers_in_manner(random_chat, "warm", progress=stop, kept=kept, **ONE_THREAD)
    (first,) = lines(kept)
    whole = answers_in_manner(random_chat, "warm", **ONE_THREAD)
    for _ in range(2):
        assert answers_in_manner(random_chat, "warm", kept=kept, **ONE_THREAD) == whole
        found = lines(kept)
        assert found[0] == first
        asked = [question for line in found for question in line["asked"][0]]
        assert len(asked) == len(set(asked)) == 2 * (QUESTIONS.stop - QUESTIONS.start)
    with pytest.raises(KeyboardInterrupt):  # another manner is another matter
        answers_in_manner(random_chat, "cold", progress=stop, kept=kept, **ONE_THREAD)
    assert len({line["of"] for line in lines(kept)}) == 2

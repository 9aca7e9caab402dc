"""What a calibration has found is found again, however the process ended that found it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llamood.calibration.trial_log import TrialLog
from llamood.errors import FileError

OF = {"model": ["f1", 3], "vectors": np.arange(6.0).reshape(2, 3), "seed": 0}


def never() -> Any:
    raise AssertionError("was asked again")


def test_what_is_known_is_not_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "evs" / "doses.partial"
    asked = {"trials": {"joy": ["texts, layers 1 to 2", 0.1 + 0.2]}, "n": 4}
    found = {"dose": 1 / 3, "shown": None, "texts": ["a\n", "\u00e9\ud800"], "x": math.inf}
    log = TrialLog(path, of=OF)
    assert not log.knows(asked)
    assert log.recall(asked, lambda: found) == found
    assert log.recall(asked, never) == found
    assert TrialLog(path, of=OF).recall(asked, never) == found
    assert not TrialLog(path, of=OF).knows({**asked, "n": 5})


@pytest.mark.parametrize("changed", [{"seed": 1}, {"vectors": np.ones((2, 3))}, {"more": 1}])
def test_what_depends_on_something_else_is_another(tmp_path: Path, changed: dict[str, Any]) -> None:
    path = tmp_path / "doses.partial"
    TrialLog(path, of=OF).recall("dose", lambda: 1)
    other = TrialLog(path, of={**OF, **changed})
    assert other.recall("dose", lambda: 2) == 2
    assert TrialLog(path, of=OF).recall("dose", never) == 1  # and neither is lost
    assert TrialLog(path, of={**OF, **changed}).recall("dose", never) == 2


def test_wherever_a_line_is_torn_the_others_count(tmp_path: Path) -> None:
    path = tmp_path / "doses.partial"
    log = TrialLog(path, of=OF)
    for number in range(3):
        log.recall(number, lambda number=number: f"found {number}")
    whole = path.read_bytes()
    second, third = (whole.index(f'"asked": {n}'.encode()) for n in (1, 2))
    ends = [at for at in range(len(whole)) if whole[at : at + 1] == b"\n"]
    for at in (1, second, ends[1], third, ends[2]):
        path.write_bytes(whole[:at])
        torn = TrialLog(path, of=OF)
        known = [number for number in range(3) if torn.knows(number)]
        assert known == [n for n in range(3) if ends[n] <= at]
        for number in range(3):
            torn.recall(number, lambda number=number: f"found {number}")
        again = TrialLog(path, of=OF)
        assert [again.recall(n, never) for n in range(3)] == ["found 0", "found 1", "found 2"]


def test_a_file_of_something_else_counts_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "doses.partial"
    path.write_bytes(b'\xff\xfe\n[1]\n{"of": 1}\n' + b"[" * 100_000 + b"\n")
    assert TrialLog(path, of=OF).recall("dose", lambda: 1) == 1
    assert json.loads(path.read_bytes().splitlines()[-1])["found"] == 1


def test_without_a_file_it_is_known_to_this_process(tmp_path: Path) -> None:
    log = TrialLog(None, of=OF)
    assert log.recall("dose", lambda: 1) == log.recall("dose", never) == 1
    assert not TrialLog(None, of=OF).knows("dose")


def test_a_file_that_cannot_be_had(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read"):
        TrialLog(tmp_path, of=OF)
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="cannot be"):
        TrialLog(tmp_path / "file" / "doses.partial", of=OF).recall("dose", lambda: 1)

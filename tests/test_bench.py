"""The benchmark's own arithmetic: pairing, bounds, and what `make bench` answers."""

from __future__ import annotations

import gc
import json
from types import SimpleNamespace

import pytest
import run as bench
from click.testing import CliRunner
from paired import Measure, differences, interleave, ratios


def test_rounds_are_paired_and_take_turns() -> None:
    ran: list[tuple[str, int]] = []

    def block(name: str, seconds: float):  # type: ignore[no-untyped-def]
        def run(number: int) -> float:
            assert not gc.isenabled()
            ran.append((name, number))
            return seconds * (number + 1)

        return run

    seconds = interleave({"a": block("a", 2.0), "b": block("b", 1.0)}, n_round=3)
    assert gc.isenabled()
    assert seconds == {"a": (2.0, 4.0, 6.0), "b": (1.0, 2.0, 3.0)}  # without the warming round
    assert [number for _, number in ran] == [-1, -1, 0, 0, 1, 1, 2, 2]
    assert "".join(name for name, _ in ran) == "baabbaab"
    assert ratios(seconds["a"], seconds["b"]) == (2.0, 2.0, 2.0)
    assert differences(seconds["a"], seconds["b"]) == (1.0, 2.0, 3.0)


def test_a_failing_block_leaves_the_collector_on() -> None:
    def fail(_number: int) -> float:
        raise RuntimeError("no model")

    with pytest.raises(RuntimeError, match="no model"):
        interleave({"a": fail}, n_round=1)
    assert gc.isenabled()


@pytest.mark.parametrize(
    ("bound", "at_least", "holds"),
    [(1.2, False, True), (1.1, False, False), (1.2, True, True), (1.3, True, False), (None, 0, 1)],
)
def test_the_median_decides(bound: float | None, at_least: bool, holds: bool) -> None:
    measure = Measure(name="a / b", values=(9.0, 1.2, 1.0), bound=bound, at_least=at_least)
    assert measure.median == 1.2
    assert measure.holds == holds


@pytest.mark.parametrize(("bound", "status"), [(1.0, 1), (1.5, 0)])
def test_a_missed_bound_is_exit_code_one(
    monkeypatch: pytest.MonkeyPatch, bound: float, status: int
) -> None:
    measures = [
        Measure(name="kept", values=(0.5,), bound=1.0),
        Measure(name="a / b", model="small", values=(1.0, 1.2, 1.4), bound=bound),
        Measure(name="shown", values=(7.0,), unit="s"),
    ]
    found = SimpleNamespace(measure=lambda: measures)
    monkeypatch.setattr(bench, "import_module", lambda _name: found)

    shown = CliRunner().invoke(bench.main, ["imports"])
    assert shown.exit_code == status
    for text in ("a / b", "small", "1.000 x", "1.200 x", "1.400 x", "7.000 s"):
        assert text in shown.stdout
    assert ("missed" in shown.stdout) == bool(status)

    answer = CliRunner().invoke(bench.main, ["imports", "--json"])
    assert answer.exit_code == status
    written = json.loads(answer.stdout)["measures"]
    assert [measure["holds"] for measure in written] == [True, not status, True]
    assert written[1] == {
        "name": "a / b",
        "model": "small",
        "unit": "x",
        "min": 1.0,
        "median": 1.2,
        "max": 1.4,
        "rounds": 3,
        "bound": bound,
        "at_least": False,
        "holds": not status,
    }

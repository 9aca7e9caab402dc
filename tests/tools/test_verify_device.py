"""The check of a device: that it can fail, what it writes, and that RPC passes it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from paired import Measure

import rpc
import verify_device
from device_checks import casts, hidden_states, memory, paths, said, speed
from device_checks.check import Check
from device_checks.report import Report
from device_checks.subject import Subject, subjects
from devices import PROCESSOR, Device, Place, chosen, load_backend
from llama_gguf import LlamaShape
from models import RandomModel

needs_rpc = pytest.mark.skipif(
    not rpc.IS_THERE, reason="llama-cpp-python was built without -DGGML_RPC=ON"
)
HELD = Check(what="zeros / no mood", place="all layers", model="tiny_chat", figure=0, bound=0)
FAILED = Check(
    what="a / b", place="all layers", model="tiny_chat", figure=7, bound=0, unit="logits differ"
)
FACTS = {"device": "RPC0", "described as": "a server", "backend": "RPC"}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Subject]:
    return subjects(tmp_path_factory.mktemp("subjects"))


@pytest.fixture
def subject(models: list[Subject]) -> Subject:
    """The first of those that are looked at."""
    return models[0]


# -- the checks -----------------------------------------------------------------------------


def test_everything_holds_on_the_processor_itself(subject: Subject) -> None:
    checks = [
        *paths.equal_to_the_bit(subject, PROCESSOR),
        *paths.voices_apart(subject, PROCESSOR),
        *hidden_states.read_and_kept(subject, PROCESSOR),
    ]
    assert [check for check in checks if not check.holds] == []
    assert [check.figure for check in checks if check.unit == paths.DIFFER] == [0] * 9
    (shown,) = (check for check in checks if check.bound is None)
    assert shown.what.startswith("a control vector, cut at these nodes")
    assert shown.figure == 0  # a processor fuses nothing


def test_another_mood_is_found(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Subject, "weights", property(lambda self: self.strength(1.001)))
    failed = [check.what for check in paths.equal_to_the_bit(subject, PROCESSOR) if not check.holds]
    assert len(failed) == 3  # all but the zeros, what cuts change, and the layers
    assert failed[0].startswith("a mood written in place")


def test_voices_that_are_mixed_up_are_found(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = said.together

    def mixed_up(model: Subject, place: Place, strengths: Any, *, node: str) -> Any:
        return together(model, place, strengths, node=node)[:, ::-1]

    monkeypatch.setattr(said, "together", mixed_up)
    assert not any(check.holds for check in paths.voices_apart(subject, PROCESSOR))


def test_a_device_that_says_something_else_is_found(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = Place(name="elsewhere")
    unsteered = said.unsteered(subject, PROCESSOR)
    monkeypatch.setattr(
        said, "written_in_place", _unless(elsewhere, said.written_in_place, unsteered)
    )
    checks = list(paths.as_on_the_processor(subject, elsewhere))
    assert [check.holds for check in checks] == [False, True, True]
    assert checks[0].figure == 1


def test_readings_of_something_else_are_found(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere, looked = Place(name="elsewhere"), hidden_states._looked

    def unsteered(model: Subject, place: Place, layers: list[int], **how: Any) -> Any:
        how["is_steered"] = "is_steered" in how and place is not elsewhere
        return looked(model, place, layers, **how)

    monkeypatch.setattr(hidden_states, "_looked", unsteered)
    failed = [check for check in hidden_states.read_and_kept(subject, elsewhere) if not check.holds]
    assert [check.figure for check in failed] == [1]
    assert failed[0].what.startswith("readings of a mood")


def test_caps_that_keep_nothing_are_found(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = hidden_states._caps(subject, [1], [hidden_states.FAR])
    monkeypatch.setattr(hidden_states, "_caps", lambda *arguments: far)
    with pytest.raises(RuntimeError, match="caps keep nothing"):
        list(hidden_states.read_and_kept(subject, PROCESSOR))


def test_hidden_states_that_reading_changes_are_found(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = hidden_states.Context

    def steered(*arguments: Any, cut: Any = None, **params: Any) -> Any:
        ctx = context(*arguments, cut=cut, **params)
        if cut is not None:
            ctx.set_control_vector(subject.emotions.data[-1])
        return ctx

    monkeypatch.setattr(hidden_states, "Context", steered)
    failed = [check for check in hidden_states.read_and_kept(subject, PROCESSOR) if not check.holds]
    assert [check.unit for check in failed] == [paths.DIFFER] * 2


@pytest.mark.slow
def test_a_cast_holds_on_the_processor_and_voices_mixed_up_are_found(
    models: list[Subject], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [check.figure for check in casts.spoken(models[-1], PROCESSOR)] == [0, 0, 0]
    answers, seen = casts._answers, []

    def mixed_up(cast: Any, voices: Any, said: str) -> Any:
        seen.append(said)
        return answers(cast, voices, said)[:: -1 if len(seen) % 2 else 1]

    monkeypatch.setattr(casts, "_answers", mixed_up)
    checks = list(casts.spoken(models[-1], PROCESSOR))
    assert [check.holds for check in checks[:2]] == [False, False]


def _unless(elsewhere: Place, way: Any, otherwise: Any) -> Any:
    return lambda subject, place: otherwise if place is elsewhere else way(subject, place)


@pytest.mark.parametrize("grows", [0, 2])
def test_memory_that_grows_is_found(
    subject: Subject, monkeypatch: pytest.MonkeyPatch, grows: int
) -> None:
    monkeypatch.setattr(memory, "PROCESS_MAY_GROW", 64.0)
    used: Iterator[int] = iter([0, grows * memory.MIB] * 2)
    device = SimpleNamespace(used=lambda: next(used), address=None)
    place: Any = Place(device, 0, "elsewhere")  # type: ignore[arg-type]
    checks = list(memory.steady(subject, place, n_change=20))
    assert [check.holds for check in checks] == [not grows, True] * 2
    assert [check.figure for check in checks[::2]] == [grows, grows]


def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(LookupError, match=r"llama\.cpp knows no device CUDA7"), chosen("CUDA7"):
        pass


def test_what_is_no_backend_is_told(tmp_path: Path) -> None:
    (tmp_path / "libggml-vulkan.so").write_bytes(b"nothing")
    with pytest.raises(LookupError, match="is no backend that this ggml loads"):
        load_backend(tmp_path / "libggml-vulkan.so")


# -- the report -----------------------------------------------------------------------------


def test_a_check_says_what_it_found() -> None:
    assert FAILED.line() == "FAILED  tiny_chat, all layers: a / b: 7 logits differ, at most 0"
    assert HELD.line().startswith("holds ")
    assert (
        Check(what="a", place="", model="tiny_chat", figure=3).line() == "shown   tiny_chat: a: 3"
    )


def test_a_report_has_what_was_found_and_a_name_that_tells_what_of() -> None:
    measure = Measure(name="mood / none", model="small", values=(1.0, 1.2, 1.4))
    report = Report(
        day=date(2026, 11, 25), facts=FACTS, checks=[HELD, FAILED], measures=[measure], seconds=9.6
    )
    assert report.name == "2026-11-25-rpc-cpu"
    assert not report.holds
    page = report.to_markdown()
    for text in (
        "# RPC: a server",
        "1 of 2 checks hold",
        "| device | RPC0 |",
        "| tiny_chat | all layers | a / b | 7 logits differ | 0 | **failed** |",
        "| mood / none | small | 1.000 | 1.200 | 1.400 |",
    ):
        assert text in page
    written = json.loads(report.to_json())
    assert written["facts"] == FACTS
    assert [check["holds"] for check in written["checks"]] == [True, False]
    metal = Report(
        day=date(2027, 1, 2),
        facts={"backend": "Metal", "described as": "Apple M4 (Pro)"},
        checks=[],
        measures=[],
        seconds=1,
    )
    assert metal.name == "2027-01-02-metal-apple-m4-pro"


@pytest.mark.parametrize(("found", "status"), [([HELD], 0), ([HELD, FAILED], 1)])
@needs_rpc
def test_a_check_that_fails_is_exit_code_one(
    monkeypatch: pytest.MonkeyPatch, found: list[Check], status: int
) -> None:
    monkeypatch.setattr(verify_device, "looked_at", lambda device, n_change: found)
    answer = CliRunner().invoke(verify_device.main, ["--device", "RPC", "--rounds", "0"])
    assert answer.exit_code == status, answer.output
    for check in found:
        assert check.line() in answer.stdout


# -- a real device --------------------------------------------------------------------------


@needs_rpc
@pytest.mark.slow
def test_rpc_holds_all_that_is_promised(tmp_path: Path) -> None:
    arguments = ["--device", "RPC", "--changes", "200", "--rounds", "0", "-o", str(tmp_path)]
    answer = CliRunner().invoke(verify_device.main, arguments)
    assert answer.exit_code == 0, answer.output
    (written,) = tmp_path.glob("*-rpc-cpu.json")
    report = json.loads(written.read_text(encoding="utf-8"))
    assert report["holds"]
    assert {check["place"] for check in report["checks"]} == {"all layers", "half of the layers"}
    assert len({check["model"] for check in report["checks"]}) == 3
    text = written.read_text(encoding="utf-8") + written.with_suffix(".md").read_text("utf-8")
    for secret in (os.uname().nodename, str(Path.home()), str(tmp_path), "127.0.0.1"):
        assert secret not in text


@needs_rpc
@pytest.mark.slow
def test_benches_run_on_a_device(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    shape = LlamaShape(
        n_layer=3, n_embd=64, n_ff=128, n_head=4, n_head_kv=2, n_vocab=300, n_ctx=1024
    )
    tiny = RandomModel(name="tiny", shape=shape, quant="q8_0", n_token=3, n_round=2)
    with rpc.server() as server:
        place = Place.whole(Device(server.device, server.pid))
        measures = list(speed.measured(place, n_round=1, models=(tiny,)))
        assert Device(server.device, server.pid).used() > 0
    assert {measure.model for measure in measures} == {"tiny"}
    assert all(value > 0 for measure in measures for value in measure.values)
    assert any(measure.name.startswith("8 voices") for measure in measures)

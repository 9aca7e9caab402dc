"""The benchmark's own arithmetic: pairing, bounds, and what `make bench` answers."""

from __future__ import annotations

import gc
import json
import os
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import busy
import llama_cpp
import many_voices
import page
import parts
import pytest
import rows
import run as bench
import serving
import turns
import wrapper
from bare import Bare, Draw, generation, speech
from chorus import HOW, Chorus, moving, neutral, steady
from click.testing import CliRunner
from paired import Measure, differences, interleave, ratios
from weights import shared

import evaluation
import llamood
from llama_gguf import LlamaShape
from models import RandomModel

pytestmark = pytest.mark.slow

TINY = RandomModel(
    name="tiny",
    shape=LlamaShape(
        n_layer=3, n_embd=64, n_ff=128, n_head=4, n_head_kv=2, n_vocab=300, n_ctx=1024
    ),
    quant="q8_0",
    n_token=3,
    n_round=2,
)


def test_rounds_end_where_they_take_too_long() -> None:
    seconds = interleave({"a": lambda number: float(number)}, n_round=100, longest=-1.0)
    assert seconds == {"a": (0.0, 1.0, 2.0, 3.0)}
    assert len(interleave({"a": lambda number: 0.0}, n_round=6)["a"]) == 6


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


# -- beside others, and the page ---------------------------------------------------------------


def test_a_row_is_measured_in_a_process_of_its_own_beside_others(
    kept_elsewhere: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "BUSY", {"0": "idle", "1": "1 busy"})
    rows = page.survey({TINY.name: TINY.path()})[TINY.name]
    assert [(row.busy, row.setting) for row in rows] == [
        (busy, setting)
        for busy in ("0", "1", str(TINY.path()))
        for setting in page.SETTINGS.values()
    ]
    assert all(0 < row.p50 <= row.p99 and row.prompt > 0 for row in rows)


def test_tokens_beside_others_are_compared_with_idle_ones(kept_elsewhere: None) -> None:
    measures = busy.measured_with(TINY, n_round=1, n_idle=1)
    assert {measure.bound for measure in measures} == {1.02, 2.2, 3.0, 6.0, None}
    assert len({measure.name for measure in measures}) == len(measures) == 5
    assert all(value > 0 for measure in measures for value in measure.values)
    usual, slowest = measures[1:3]
    assert usual.values <= slowest.values


def test_the_page_tells_every_figure_with_its_spread_its_bound_and_the_machine() -> None:
    measures = [
        Measure(name="a / b", model="small", values=(1.0, 1.2, 1.4), bound=1.1),
        Measure(name="kept", values=(0.5, 0.5), bound=0.4, at_least=True),
        Measure(name="shown", values=(7.0,), unit="s"),
    ]
    rows = [
        page.Row(setting, busy, p50=12.4, p99=130.0, prompt=4.44, stolen=0.0)
        for busy in ("0", "some.gguf")
        for setting in page.SETTINGS.values()
    ]
    text = page.page(measures, {"a model": rows}, bench.machine())
    assert "| a / b | small | 1.200 | 1.100 to 1.300 | 3 | at most 1.1 | **missed** |" in text
    assert "| kept |  | 0.500 | 0.500 to 0.500 | 2 | at least 0.4 | holds |" in text
    assert "| shown |  | 7.000 s | 7.000 to 7.000 | 1 |  |  |" in text
    assert "### a model\n\n| tokens | idle | a llamood |" in text
    assert "| **llamood, left to choose** | 12 / 130 | 12 / 130 |" in text
    assert "| 1 thread | 4.4 | 4.4 |" in text
    assert f"{os.cpu_count()} cores" in text
    assert "{" not in text


def test_the_page_that_lies_in_the_documents_is_of_this_kind() -> None:
    """What is said by hand stands in its template; `make bench` writes the rest."""
    written = (Path(__file__).parents[2] / "docs" / "performance.md").read_text(encoding="utf-8")
    said = page.TEMPLATE.read_text(encoding="utf-8")
    for part in re.split(r"\{\w+\}", said):
        assert part in written


# -- many voices ----------------------------------------------------------------------------


@pytest.fixture
def cast(kept_elsewhere: None) -> Iterator[llamood.Cast]:
    arguments = many_voices.arguments(TINY)
    with closing(llamood.Cast(**arguments, voices=2, guard=False)) as cast:
        yield cast


@pytest.fixture
def kept_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def opened(**settings: Any) -> llama_cpp.Llama:
    return llama_cpp.Llama(**TINY.arguments(n_ctx=64), **settings)


def test_shared_weights_are_loaded_once_and_outlive_who_loaded_them(kept_elsewhere: None) -> None:
    with closing(opened(logits_all=True)) as alone:
        alone.eval([40, 41])
        expected = alone.scores[1].copy()
    with shared():
        first, second = opened(logits_all=True), opened(logits_all=True)
        assert first._model.model is second._model.model
        assert first.ctx is not second.ctx
        first.close()
        second.eval([40, 41])
        assert (second.scores[1] == expected).all()
        second.close()
    with closing(opened()) as third:
        assert third._model.model is not None


def test_a_chorus_speaks_in_step_in_moods_that_change_between_blocks(cast: llamood.Cast) -> None:
    with Chorus(cast, 2) as chorus:
        begin = chorus.position()
        for mood_of in (steady, neutral, moving):
            assert chorus.block(mood_of, n_token=3)(0) > 0
        assert chorus.position() == begin + 3 * (1 + 3)
        first, second = cast.voices
        assert first.mood != second.mood
    assert cast.voices == ()


def test_a_chorus_that_does_not_feel_what_it_was_told_is_no_figure(cast: llamood.Cast) -> None:
    with (
        Chorus(cast, 1) as chorus,
        pytest.raises(RuntimeError, match="the last voice felt"),
    ):
        chorus.block(lambda _: {"joy": {"keys": [[0, 1], [2, 0]], "ease": "step"}}, n_token=4)(0)


def test_bare_sequences_draw_what_a_cast_draws(cast: llamood.Cast) -> None:
    voices = [cast.join(temperature=HOW.temperature, seed=HOW.seed) for _ in range(2)]
    prompts = [voice.plan("hi", {}).tokens for voice in voices]
    said: dict[int, list[int]] = {0: [], 1: []}
    for event in cast.say(dict.fromkeys(voices, "hi"), max_tokens=6):
        assert event.token is not None
        said[voices.index(event.voice)].append(event.token)

    drawn: dict[int, list[int]] = {0: [], 1: []}
    model = cast._shared._model.model
    with (
        Bare(model, n_sequence=2, n_ctx=256) as bare,
        closing(Draw(bare, HOW)) as one,
        closing(Draw(bare, HOW)) as other,
    ):
        batch = [(t, at, voice) for voice in (0, 1) for at, t in enumerate(prompts[voice])]
        ends = [len(prompts[0]) - 1, len(batch) - 1]
        for step in range(6):
            bare.decode(batch)
            for voice, draw in enumerate((one, other)):
                drawn[voice].append(draw(ends[voice]))
            ends = [0, 1]
            batch = [(drawn[voice][-1], len(prompts[voice]) + step, voice) for voice in (0, 1)]
    assert drawn == said


def test_bare_sequences_catch_up_with_a_cast(cast: llamood.Cast) -> None:
    model = cast._shared._model.model
    with (
        Bare(model, n_sequence=2, n_ctx=256) as bare,
        closing(Draw(bare, HOW)) as one,
        closing(Draw(bare, HOW)) as other,
    ):
        assert speech(bare, [one, other], n_token=3, depth=lambda: 20)(0) > 0
        assert [bare.n_cached(voice) for voice in (0, 1)] == [20 + 1 + 3] * 2
        bare.forget()
        assert generation(bare, n_token=3, depth=lambda: 10)(0) > 0
        assert [bare.n_cached(voice) for voice in (0, 1)] == [10 + 1 + 3, 0]


@pytest.mark.parametrize("module", [many_voices, turns])
def test_every_number_of_voices_is_measured(
    monkeypatch: pytest.MonkeyPatch, kept_elsewhere: None, module: Any
) -> None:
    for name, value in (("MODELS", (TINY,)), ("N_VOICE", (1, 2))):
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(turns, "N_ROUND", 1)
    with shared():
        measures = module.measure()
    for who in ("1 voice", "2 voices"):
        assert any(measure.name.startswith(who) for measure in measures)
    assert len({measure.name for measure in measures}) == len(measures)
    assert all(value > 0 for measure in measures for value in measure.values)
    tg = [measure for measure in measures if "llama-bench" in measure.name]
    assert len(tg) == (module is many_voices)


def test_rows_of_one_voice_are_measured(
    monkeypatch: pytest.MonkeyPatch, kept_elsewhere: None
) -> None:
    monkeypatch.setattr(rows, "MODELS", (TINY,))
    with shared():
        assert [len(measure.values) for measure in rows.measure()] == [2, 2]


def test_a_voice_alone_and_a_cast_of_one_are_measured(
    monkeypatch: pytest.MonkeyPatch, kept_elsewhere: None
) -> None:
    monkeypatch.setattr(wrapper, "MODELS", (TINY,))
    with shared():
        alone, cast = wrapper.measure()
    assert all(value > 0 for value in (*alone.values, *cast.values))
    assert "Cast" in cast.name
    with pytest.raises(RuntimeError, match="ended after 2 tokens"):
        wrapper._seconds((token for token in (1, 2, 3)), 3)


def test_what_lies_between_decodes_is_no_decode(
    kept_elsewhere: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("N_ROUND", 1), ("N_ADD_ROUND", 1), ("N_TOKEN", 4), ("N_ADD", 4)):
        monkeypatch.setattr(parts, name, value)
    decodes = parts.Decodes()
    with shared(), decodes.counted(), closing(opened()) as llm:
        llm.eval([40, 41])
        assert decodes.seconds > 0
    counted = decodes.seconds
    with closing(opened()) as llm:
        llm.eval([40, 41])
    assert decodes.seconds == counted
    with shared():
        measures = [*parts._between(TINY), parts._adding(TINY)]
    assert len({measure.name for measure in measures}) == len(measures) == 6
    assert all(value > 0 for measure in measures for value in measure.values)


def test_every_number_of_clients_is_measured(
    monkeypatch: pytest.MonkeyPatch, kept_elsewhere: None
) -> None:
    for name, value in (("MODELS", (TINY,)), ("N_CLIENT", (1, 2))):
        monkeypatch.setattr(serving, name, value)
    measures = serving.measure()
    assert len({measure.name for measure in measures}) == len(measures)
    assert all(value > 0 for measure in measures for value in measure.values)
    assert [measure.name for measure in measures if measure.bound] == [
        "2 clients, a mood each / one mood, requests per second"
    ]
    for who in ("1 client", "2 clients"):
        for said in ("one mood", "a mood each", "no mood", "llama_cpp.server"):
            shown = {m.name for m in measures if m.name.startswith(f"{who}, {said}: ")}
            assert shown == {
                f"{who}, {said}: {what}"
                for what in ("requests per second", "time to the first token")
            }


def test_answers_at_once_are_compared_with_the_same_one_by_one(
    kept_elsewhere: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("N_ROUND", 2), ("N_TOKEN", 4)):
        monkeypatch.setattr(evaluation, name, value)
    with shared():
        measure = evaluation._measure(TINY)
    assert (measure.model, len(measure.values)) == ("tiny", 2)
    assert all(value > 0 for value in measure.values)

"""The programs that people copy."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import llamood
import tiny_chat
from c_library import ROOT, cc, cxx, installed, run, run_under_valgrind
from llamood.readings.probe import Probe
from llamood.voices.event import Event

GLAD = '{"joy": 1}'
STRICT = ("-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror")

CPP = r"""
#include <cstdio>
#include <llamood.hpp>

int main(int, char** argv) {
    llamood::check_version();
    llamood_set_log(nullptr, LLAMOOD_LOG_ERROR, nullptr);
    auto params = llamood_model_default_params();
    params.readings = true;
    const llamood::Model model(argv[1], argv[2], params);
    auto of_stage = llamood_stage_default_params();
    of_stage.n_voice = 2;
    of_stage.n_ctx = 128;
    llamood::Stage stage(model, of_stage);
    auto how = llamood_default_sampling();
    how.temperature = 0;
    how.max_tokens = 24;
    const auto mood = llamood::Mood::parse(argv[3]);
    const int voice = stage.join(std::nullopt, &mood, how);
    stage.say(voice, "Tell me about bread.");
    while (stage.step()) {
    }
    std::string text;
    std::vector<float> reading;
    std::vector<float> joy;
    std::string notices;
    while (auto event = stage.poll()) {
        text += event->text;
        reading = event->reading;
        joy.push_back(event->mood[3]);
        if (!event->notice.empty()) notices += "[" + event->notice + "]";
    }
    std::printf("%s\n", text.c_str());
    for (const float score : reading) std::printf("%.6f ", score);
    std::printf("\n");
    for (const float weight : joy) std::printf("%.6f ", weight);
    std::printf("\n%s", notices.c_str());
    try {
        stage.say(7, "Hello");
    } catch (const llamood::Failure& failure) {
        std::printf("\n%s\n", failure.what());
    }
}
"""


def compiled(source: Path, out: Path, *options: str, compiler: str, standard: str) -> Path:
    lib = next(installed().glob("lib*/pkgconfig")).parent
    include = installed() / "include"
    where = (f"-I{include}", f"-L{lib}", "-lllamood", f"-Wl,-rpath,{lib}")
    run(compiler, f"-std={standard}", *STRICT, *options, source, *where, "-o", out)
    return out


def npc(folder: Path) -> Path:
    source = ROOT / "examples" / "npc.c"
    return compiled(source, folder / "npc", compiler=cc(), standard="c99")


def test_three_characters_argue(tmp_path: Path) -> None:
    said = run(npc(tmp_path), tiny_chat.MODEL, tiny_chat.VECTORS)
    for name in ("Ada", "Ben", "Cleo"):
        lines = [line for line in said.splitlines() if line.startswith(name)]
        assert len(lines) == 3
        assert min(map(len, lines)) > 20


@pytest.mark.slow
def test_they_are_clean_under_valgrind(tmp_path: Path) -> None:
    run_under_valgrind(npc(tmp_path), tiny_chat.MODEL, tiny_chat.VECTORS)


def speaker(folder: Path) -> Path:
    (folder / "main.cpp").write_text(CPP)
    return compiled(folder / "main.cpp", folder / "main", compiler=cxx(), standard="c++17")


def in_another_order(probe: Probe) -> Probe:
    """The same, which names its emotions from the last to the first."""
    emotions = ("directions", "mean", "spread", "auroc")  # by layer, then by emotion
    turned = {name: getattr(probe, name)[:, ::-1].copy() for name in emotions}
    response = probe.response[:, ::-1, :, ::-1].copy()
    joint = probe.joint[::-1].copy()
    return replace(probe, names=probe.names[::-1], response=response, joint=joint, **turned)


def test_readings_are_the_same_in_whatever_order_the_baseline_names_emotions(
    tmp_path: Path,
) -> None:
    vectors = tmp_path / "vectors.evs"
    shutil.copytree(tiny_chat.VECTORS, vectors)
    in_another_order(Probe.load(vectors)).save(vectors)
    program = speaker(tmp_path)
    said = run(program, tiny_chat.MODEL, tiny_chat.VECTORS, GLAD).strip().splitlines()
    again = run(program, tiny_chat.MODEL, vectors, GLAD).strip().splitlines()
    assert again[0] == said[0]
    scores, same = ([float(score) for score in lines[1].split()] for lines in (said, again))
    assert same == pytest.approx(scores, abs=1e-4)


def test_c_plus_plus_says_and_reads_what_python_does(tmp_path: Path) -> None:
    text, scores, _, notices, refusal = said_in(GLAD, speaker(tmp_path))
    assert notices == ""
    assert "voice 7 is not there" in refusal
    events = said_in_python(GLAD)
    assert "".join(event.text for event in events) == text
    reading = events[-1].reading
    assert reading is not None
    theirs = [reading[name] for name in llamood.load(tiny_chat.VECTORS).names]
    # The model is quantised and llama.cpp's own defaults attend otherwise (0.007 measured).
    assert [float(score) for score in scores.split()] == pytest.approx(theirs, abs=0.05)


def test_c_plus_plus_holds_a_reading_as_python_does(tmp_path: Path) -> None:
    held = '{"joy": {"hold": 3, "max": 1}}'
    weights = [float(weight) for weight in said_in(held, speaker(tmp_path))[2].split()]
    assert len(set(weights)) > 4
    theirs = [event.mood.get("joy", 0.0) for event in said_in_python(held)]
    # As far as readings differ, see above.
    assert weights[:12] == pytest.approx(theirs[:12], abs=0.05)


def test_c_plus_plus_is_told_once_what_limits_take_away(tmp_path: Path) -> None:
    notices = said_in('{"joy": {"ramp": [1, 900], "over": 8}}', speaker(tmp_path))[3]
    assert notices.count("[") == 1
    assert "joy is held at" in notices
    assert "900 was asked for" in notices


def said_in(mood: str, program: Path) -> list[str]:
    """What the program says: the answer, its last reading, the weights of joy, notices, and what a
    voice that is not there is told."""
    said = run(program, tiny_chat.MODEL, tiny_chat.VECTORS, mood)
    return said.rstrip("\n").split("\n")


def said_in_python(mood: str) -> list[Event]:
    how = {"temperature": 0.0, "max_tokens": 24, "mood": json.loads(mood)}
    with llamood.Cast(
        tiny_chat.MODEL,
        emotions=tiny_chat.VECTORS,
        voices=2,
        n_ctx=128,
        readings=True,
        guard=False,
        verbose=False,
    ) as cast:
        return list(cast.say({cast.join(**how): "Tell me about bread."}))

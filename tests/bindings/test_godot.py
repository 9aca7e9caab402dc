"""The GDExtension: compiled, loaded and called by a stand-in for Godot (godot_host.cpp)."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

import tiny_chat
from c_library import ROOT, cxx, installed, run, run_under_valgrind, tool
from c_stage import Stage
from llamood.moods.mood import Mood

HERE = Path(__file__).parent
FOLDER = ROOT / "bindings" / "godot"
HOW = {"seed": 1, "max_tokens": 24}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="written for Linux"),
]


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> list[str | Path]:
    """The stand-in with what it loads: an addon that was moved after it was installed."""
    where = tmp_path_factory.mktemp("godot")
    build, cmake = where / "build", tool("cmake")
    run(cmake, "-S", FOLDER, "-B", build, f"-DCMAKE_PREFIX_PATH={installed()}",
        "-DCMAKE_CXX_FLAGS=-Werror")  # fmt: skip
    run(cmake, "--build", build)
    run(cmake, "--install", build, "--prefix", where / "addon")
    shutil.move(where / "addon", where / "game")
    strict = ["-std=c++17", "-Wall", "-Wextra", "-Wshadow", "-Werror", f"-I{FOLDER}"]
    run(cxx(), *strict, HERE / "godot_host.cpp", "-ldl", "-o", where / "host")
    library = where / "game" / "libllamood_godot.so"
    return [where / "host", library, tiny_chat.MODEL, tiny_chat.VECTORS]


def played(command: list[str | Path], folder: Path) -> str:
    return run(*command, folder / "godot.voice")


def said_in_c(folder: Path) -> list[str]:
    stage = Stage(tiny_chat.MODEL, tiny_chat.VECTORS, voices=2, n_ctx=256, n_batch=512)
    voice = stage.join("Be brief.", Mood({"joy": 0.8}), **HOW)
    texts = []
    for topic in ("bread", "the kettle", "the museum"):
        if topic == "the kettle":
            stage.feel(voice, Mood({"fear": 0.5}))
        if topic == "the museum":
            stage.save(voice, folder / "c.voice", with_cache=False)
            stage.leave(voice)
            voice = stage.load(folder / "c.voice")
        stage.say(voice, f"Tell me about {topic}.", **HOW)
        while stage.step():
            pass
        texts.append("".join(event["text"] for _, event in stage.events()))
    stage.close()
    return texts


def test_a_stand_in_for_godot_hears_what_c_says(command: list[str | Path], tmp_path: Path) -> None:
    said = played(command, tmp_path)
    events = [line for line in said.splitlines() if line.startswith("{arousal")]
    texts, text = [], ""
    for event in events:
        found = re.search(r"end: (\w*), .*, text: (.*), valence: ", event)
        assert found is not None, event
        text += found[2]
        if found[1]:
            texts.append(text)
            text = ""
    assert texts == said_in_c(tmp_path)
    assert "joy: 0.8" in events[0]
    assert "fear: 0.5" in events[-1]
    assert len({re.search(r"reading: \{.*?\}", event)[0] for event in events}) > 10  # type: ignore[index]


def test_it_is_clean_under_valgrind(command: list[str | Path], tmp_path: Path) -> None:
    run_under_valgrind(*command, tmp_path / "godot.voice")


def test_the_page_names_every_method(command: list[str | Path], tmp_path: Path) -> None:
    said = played(command, tmp_path)
    registered = set(re.findall(r"^(\w+)\(\d\)$", said, flags=re.MULTILINE))
    page = (ROOT / "docs" / "games.md").read_text(encoding="utf-8")
    section = page[page.index("### Godot") : page.index("## What to ship")]
    assert registered <= set(re.findall(r"`(\w+)(?:\(\))?`", section))
    script = (FOLDER / "talker.gd").read_text(encoding="utf-8")
    assert set(re.findall(r"stage\.(\w+)\(", script)) <= registered
    assert "llamood_godot_init" in (FOLDER / "llamood.gdextension").read_text(encoding="utf-8")

"""Llamood.cs, compiled and run by Mono: laid out as C, heard as C, and a game that is played."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_chat
from c_library import ROOT, cc, installed, library, run, tool
from c_stage import Stage
from llamood.moods.mood import Mood

HERE = Path(__file__).parent
FOLDER = ROOT / "bindings" / "csharp"
LLAMOOD = FOLDER / "Llamood.cs"
HEADER = re.sub(
    r"/\*.*?\*/", "", (ROOT / "csrc/capi/llamood.h").read_text(encoding="utf-8"), flags=re.DOTALL
)
PREFIXES = {"Overflow": "LLAMOOD_", "Guard": "LLAMOOD_GUARD_", "End": "LLAMOOD_END_"}
SAID = "Tell me about bread. "
HOW = {
    "temperature": 1.0, "repeat_penalty": 1.3, "last_n_tokens": 16, "seed": 4, "logprobs": 2,
    "max_tokens": 40, "stop": ["kett", "é日"],
}  # fmt: skip
TOPICS = ("Tell me about bread.", "Tell me about the kettle.", "Tell me about the museum.")
NAMES = ("Ada", "Ben", "Cleo")

pytestmark = pytest.mark.slow


def compiled(folder: Path, *sources: Path) -> Path:
    """A program; in C# as old as Unity's."""
    program = folder / f"{sources[0].stem}.exe"
    run(tool("mcs"), "-langversion:7", "-warnaserror", f"-out:{program}", *sources, LLAMOOD)
    return program


def mono(program: Path, *arguments: str | Path, typed: str = "") -> str:
    """What a program says."""
    lib = next(installed().glob("lib*/pkgconfig")).parent
    said = subprocess.run(
        [tool("mono"), program, *arguments],
        env={**os.environ, "LD_LIBRARY_PATH": str(lib)},
        input=typed,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if said.returncode != 0:
        pytest.fail(f"{program.name} ended with {said.returncode}:\n{said.stdout}", pytrace=False)
    return said.stdout


def layouts_in_c(folder: Path) -> set[str]:
    """Of each structure its size, of each field its place and size; the constants of enums."""
    lines = []
    for name, body in re.findall(r"typedef struct (\w+) \{(.*?)\}", HEADER, flags=re.DOTALL):
        lines.append(f'printf("{name} %zu\\n", sizeof({name}));')
        for field in re.findall(r"(\w+)\s*;", body):
            lines.append(
                f'printf("{name}.{field} %zu %zu\\n", offsetof({name}, {field}), '
                f"sizeof((({name}*)0)->{field}));"
            )
    for name, prefix in PREFIXES.items():
        body = re.search(rf"typedef enum llamood_{name.lower()} \{{(.*?)\}}", HEADER, re.DOTALL)
        assert body is not None
        for constant in re.findall(r"(\w+)\s*=", body[1]):
            word = constant.removeprefix(prefix).capitalize()
            lines.append(f'printf("{name}.{word} %d\\n", {constant});')
    source = folder / "layouts.c"
    main = "\n".join(lines)
    source.write_text(
        f"#include <llamood.h>\n#include <stdio.h>\nint main(void) {{\n{main}\nreturn 0;\n}}\n"
    )
    run(cc(), f"-I{ROOT / 'csrc/capi'}", source, "-o", folder / "layouts")
    return set(run(folder / "layouts").splitlines())


def test_structures_are_laid_out_as_in_c(tmp_path: Path) -> None:
    theirs = layouts_in_c(tmp_path)
    assert len(theirs) > 70
    assert set(mono(compiled(tmp_path, HERE / "layouts.cs")).splitlines()) == theirs


def test_every_function_is_declared() -> None:
    in_c = set(re.findall(r"\b(llamood_\w+)\(", HEADER))
    declared = re.findall(r"static extern \w+ (\w+)\(", LLAMOOD.read_text(encoding="utf-8"))
    assert sorted(declared) == sorted(in_c)


def heard_in_c() -> list[tuple[int, dict[str, Any]]]:
    """The scene of calls.cs."""
    stage = Stage(tiny_chat.MODEL, tiny_chat.VECTORS, voices=2, n_ctx=128, n_batch=32)
    one = stage.join("Be brief.", Mood({"joy": {"constant": 3, "max": 9}, "$max": 9}), **HOW)
    other = stage.join(None, Mood({"fear": {"hold": 1.5}}), **HOW)
    stage.set_faces(other, {"smile": "joy", "idle": None, "shiver": "fear"})
    for _ in range(3):
        stage.say(one, SAID, **HOW)
        stage.say(other, SAID * 6, **HOW)
        while stage.step():
            pass
    events = list(stage.events())
    stage.close()
    return events


def numbers(text: str) -> list[np.float32]:
    return [np.float32(each) for each in text.split(",")] if text else []


def weights(text: str, names: list[str], *, felt: bool = False) -> dict[str, float]:
    pairs = zip(names, numbers(text), strict=bool(text))
    return {name: float(value) for name, value in pairs if value or not felt}


def told(line: str, names: list[str]) -> tuple[int, dict[str, Any]]:
    """An event as calls.cs prints it, in the form of `Stage.events`."""
    fields = line.split("\t")
    voice, token, text, end, mood, asked, reading, score, forgotten, likely = fields[:10]
    words, factor, stopped, rescues, face, face_reading, valence, arousal = fields[10:]
    guard = None
    if words:
        guard = {
            "words": words,
            "factor": float(np.float32(factor)),
            "stopped": stopped == "True",
            "rescues": [
                dict(zip(("token", "kept", "kind", "text"), each.split(" ", 3), strict=True))
                for each in rescues.split("|")
            ],
        }
        for each in guard["rescues"]:
            each["token"], each["kept"] = int(each["token"]), int(each["kept"])
    pairs = (each.split(":") for each in likely.split(","))
    return int(voice), {
        "text": text.replace("\\n", "\n"),
        "token": None if int(token) < 0 else int(token),
        "mood": weights(mood, names, felt=True),
        "reading": weights(reading, names),
        "finish_reason": None if end == "None" else end.lower(),
        "forgotten": int(forgotten),
        "likely": tuple((int(token), float(np.float32(value))) for token, value in pairs),
        "asked": weights(asked, names, felt=True),
        "score": weights(score, names),
        "guard": guard,
        "face": face,
        "face_reading": None if face_reading == "NaN" else float(np.float32(face_reading)),
        "valence": float(np.float32(valence)),
        "arousal": float(np.float32(arousal)),
    }


def test_it_says_and_tells_what_c_does(tmp_path: Path) -> None:
    personality = tmp_path / "shy-ü.json"
    personality.write_text(
        json.dumps({"system": "Sei schüchtern. 日本", "mood": {"fear": 0.4}}), encoding="utf-8"
    )
    program = compiled(tmp_path, HERE / "calls.cs")
    lines = mono(program, tiny_chat.MODEL, tiny_chat.VECTORS, personality).splitlines()
    ceilings = dict(line.split("\t") for line in lines if line.count("\t") == 1)
    expected = library().ceilings(tiny_chat.MODEL, tiny_chat.VECTORS, readings=True)
    assert [float(each) for each in ceilings.values()] == expected
    events = [told(line, list(ceilings)) for line in lines if line.count("\t") > 1]
    theirs = heard_in_c()
    assert events == theirs
    told_once = [event for _, event in theirs]
    assert any(event["guard"] for event in told_once)
    assert any(event["forgotten"] for event in told_once)
    assert {"idle", "shiver"} <= {event["face"] for event in told_once}


@pytest.fixture(scope="module")
def game(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compiled(tmp_path_factory.mktemp("game"), FOLDER / "Game.cs")


def played(game: Path, folder: Path, *typed: str) -> list[str]:
    """What is said when this is typed, but for how many frames that took."""
    text = "".join(f"{line}\n" for line in typed)
    said = mono(game, tiny_chat.MODEL, tiny_chat.VECTORS, folder, typed=text).splitlines()
    assert re.fullmatch(r"\(\d+ frames; the latest began -?\d+ ms after its time\)", said[-1])
    return said[:-1]


def test_three_characters_are_played_and_say_the_same_again(game: Path, tmp_path: Path) -> None:
    said = played(game, tmp_path, *TOPICS)
    assert said.count("      > " + TOPICS[0]) == 1
    lines = {name: [line for line in said if line.startswith(name)] for name in NAMES}
    for name, spoken in lines.items():
        assert len(spoken) == len(TOPICS), name
        assert all(re.match(rf"{name}  ? ?looks \w+, in .+: .{{15,}}", line) for line in spoken)
        moods = [line.split(" in ")[1].split(":")[0] for line in spoken]
        assert len(set(moods)) > 1, moods
    assert sorted(played(game, tmp_path, *TOPICS)) == sorted(said)


def test_what_cannot_be_loaded_is_said_and_the_game_goes_on(game: Path, tmp_path: Path) -> None:
    said = played(game, tmp_path / "nothing", TOPICS[0], "/load", TOPICS[1], "/quit", TOPICS[2])
    assert any("nothing" in line for line in said)
    assert len([line for line in said if line.startswith(NAMES)]) == 6


def test_a_game_that_was_saved_goes_on(game: Path, tmp_path: Path) -> None:
    first, second, third = TOPICS
    said = played(game, tmp_path, first, "/save", second, "/load", second)
    assert said.index("      (saved)") < said.index("      (loaded)")
    again = played(game, tmp_path, "/load", second, third)
    assert again[0] == "      (loaded)"
    assert sorted(played(game, tmp_path, "/load", second, third)) == sorted(again)
    # Who shares batches may come to say something else, but the game goes on with their moods.
    lines = [line for line in said + again if line.startswith("Ben")]
    felt = [re.search(r" in (.+?): .{15,}", line)[1] for line in lines]  # type: ignore[index]
    assert felt[0] == "no mood"
    assert felt[1:4] == ["anger 0.70"] * 3
    assert felt[4] > "anger 0.7"
    assert len(felt) == 5


def test_who_was_saved_alone_goes_on_token_by_token(tmp_path: Path) -> None:
    program = compiled(tmp_path, HERE / "saves.cs")
    said = mono(program, tiny_chat.MODEL, tiny_chat.VECTORS, tmp_path).splitlines()
    nowhere, no_room, expected, *loaded = said
    assert "no/folder" in nowhere
    assert "all 1 voices are taken" in no_room
    assert len(set(expected.split())) > 30
    assert loaded == [expected] * 2
    assert (tmp_path / "é").stat().st_size > (tmp_path / "without").stat().st_size

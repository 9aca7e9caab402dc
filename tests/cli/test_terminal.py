"""What files and models say reaches no terminal with what would steer it."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import llamood.cli
from cli_runs import LLAMOOD, run, save_vectors, with_vectors
from foreign_files import ROWS, written
from hostile_files import ARRAY, FLOAT32, STRING, UINT32, Direction, Gguf, array, key
from llamood.cli.terminal import cleaned
from llamood.vectors.conversion import export
from llamood.vectors.emotion_vectors import EmotionVectors
from llamood.vectors.measurement import Measurement

ESCAPE = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202e"
STEERS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def test_only_what_steers_is_replaced() -> None:
    assert cleaned("a\tb\nc é 🙂 \u200d 語") == "a\tb\nc é 🙂 \u200d 語"
    assert cleaned("one\r\ntwo\rthree") == "one\ntwothree"
    assert not STEERS.search(cleaned("".join(map(chr, range(0x3000)))))


def hostile(name: str, **change: Any) -> bytes:
    """A control vector that says this where nothing was expected."""
    keys = [
        key("general.architecture", STRING, change.get("architecture", "controlvector")),
        key("controlvector.model_hint", STRING, change.get("hint", "llama")),
        *change.get("keys", ()),
    ]
    return Gguf(keys=keys, tensors=[Direction(name)]).bytes()


@pytest.mark.parametrize(
    "content",
    [
        hostile(f"direction.1{ESCAPE}"),
        hostile("direction.1", architecture=ESCAPE),
        hostile("direction.1", keys=[key(ESCAPE, UINT32, 1), key(ESCAPE, UINT32, 1)]),
        hostile("direction.1", keys=[key("llamood.emotion", STRING, f"joy{ESCAPE}")]),
        hostile("direction.1", keys=[key("llamood.site", STRING, ESCAPE)]),
        hostile("direction.1", keys=[key(ESCAPE, ARRAY, array(FLOAT32, [1.0], claimed=10**9))]),
    ],
)
def test_faults_of_files(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path / "joy.gguf", content)
    for arguments in (["inspect", path], ["convert", path, "-o", tmp_path / "evs"]):
        result = run(*arguments)
        assert result.exit_code == 1
        assert not STEERS.search(result.stdout + result.stderr)


def test_names_and_facts_of_files(tmp_path: Path) -> None:
    told = Measurement(method=f"by {ESCAPE}", model_name=f"m{ESCAPE}", model_arch=f"q{ESCAPE}")
    path = export(EmotionVectors(("joy", "fear"), [ROWS, -ROWS], told), tmp_path / "evs.npz")
    result = run("convert", path, "-o", tmp_path / "evs")
    assert result.exit_code == 0
    shown = run("inspect", tmp_path / "evs")
    assert shown.exit_code == 0
    assert "by " in shown.stdout
    assert not STEERS.search(shown.stdout + shown.stderr + result.stdout)
    arrays = tmp_path / f"{ESCAPE.replace('/', '')}.npz"
    np.savez(arrays, joy=ROWS[0])
    refused = run("convert", arrays, "-o", tmp_path / "more")
    assert refused.exit_code == 1
    assert not STEERS.search(refused.stderr)


def shown_at_terminal(*arguments: Any) -> str:
    """What the command line shows in a pseudo-terminal, line ends as they were written."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*LLAMOOD, *map(str, arguments)], stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL
    ) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the other side is closed
            while piece := os.read(ours, 65536):
                shown += piece
        os.close(ours)
    assert process.returncode == 0
    return shown.decode(errors="replace").replace("\r\n", "\n")


def test_what_a_model_says(random_chat: Path, tmp_path: Path) -> None:
    """One of random weights says bytes of every kind; a program gets them as they are."""
    asked = ["generate", with_vectors(random_chat, tmp_path), "Hi", "--seed", 3, "--temperature", 3]
    asked += ["--max-tokens", 60, "--threads", 1]
    piped = run(*asked)
    assert piped.exit_code == 0
    assert STEERS.search(piped.stdout)
    assert not STEERS.search(shown_at_terminal(*asked))


def test_faults_of_moods(random_chat: Path, tmp_path: Path) -> None:
    save_vectors(tmp_path / "evs")
    mood = written(tmp_path / "mood.json", {f"joy{ESCAPE}": 1.0})
    result = run("generate", random_chat, "-e", tmp_path / "evs", "--feel", f"@{mood}", "Hi")
    assert result.exit_code != 0
    assert not STEERS.search(result.stdout + result.stderr)


def test_there_is_one_way_to_a_terminal() -> None:
    """Whoever writes past it is found here."""
    folder = Path(llamood.cli.__file__).parent
    past = re.compile(r"click\.(secho|echo)\(|(?<!\.)\bprint\(|sys\.std(out|err)\.write|Console\(")
    for path in folder.glob("*.py"):
        if path.name not in ("terminal.py", "consoles.py", "errors.py"):
            assert not past.search(path.read_text(encoding="utf-8")), path.name

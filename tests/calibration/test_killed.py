"""``llamood extract`` and ``llamood emotion add``, killed again and again by the system: each ends
as if it never was."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from cli_runs import LLAMOOD, save_vectors
from llamood.extraction.candidates import Candidates

pytestmark = pytest.mark.slow
CALM = str(Path(__file__).parents[1] / "feelings" / "calm.txt")
PATIENCE = 120  # seconds that a busy machine may take
DELAYS = (0, 0.01, 0.03, 0.1)  # seconds; short, as a quick machine has done all in a few seconds
LINES = {
    "joy": "how lovely, {} cakes",
    "fear": "I am afraid of all {} dogs",
    "neutral": "it is bus number {}",
}
QUERIES = {
    "joy": ["What did you find?", "Who came home?"],
    "fear": ["Who is there?", "What was that noise?"],
}


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Few texts and questions, as options."""
    folder = tmp_path_factory.mktemp("given")
    rows = [f"{text.format(n)}\t{name}\n" for n in range(14) for name, text in LINES.items()]
    (folder / "texts.tsv").write_text("".join(rows))
    (folder / "queries.json").write_text(json.dumps(QUERIES))
    return ["--texts", f"{folder}/texts.tsv", "--queries", f"{folder}/queries.json"]


def begun(model: Path, folder: Path, options: list[str]) -> subprocess.Popen[bytes]:
    how = [*options, "-o", str(folder), "--parallel", "8", "--max-tokens", "12"]
    return started("extract", str(model), *how)


def started(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*LLAMOOD, *arguments, "--threads", "1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def unfinished(folder: Path) -> dict[str, int]:
    """What is kept there, in bytes."""
    found = {}
    for path in folder.glob("*"):
        if path.suffix in (".partial", ".states") or folder.suffix == ".partial":
            try:
                found[path.name] = path.stat().st_size
            except FileNotFoundError:
                continue
    return found


def killed(process: subprocess.Popen[bytes], folder: Path, after: float) -> bool:
    """Kill it so many seconds after something more is kept; False where it ended before."""
    before, deadline = unfinished(folder), time.monotonic() + PATIENCE
    while unfinished(folder) == before and time.monotonic() < deadline:
        if process.poll() is not None:
            break
        time.sleep(0.002)
    time.sleep(after)
    process.kill()
    _, told = process.communicate()
    assert process.returncode in (0, -signal.SIGKILL), told.decode()
    return process.returncode != 0


def questions(log: Path) -> list[str]:
    """What was tried so far, as JSON; of no file nothing."""
    found = []
    for line in log.read_bytes().split(b"\n")[:-1] if log.exists() else ():
        try:
            found.append(json.dumps(json.loads(line)["asked"]))
        except ValueError:
            continue  # torn
    return found


def contents(folder: Path) -> dict[str, Any]:
    """Of every file; of what is packed, what is in it."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        if path.name == "steering.candidates":
            ways = Candidates.load(folder).ways
            found[path.name] = {way: evs.data.tobytes() for way, evs in ways.items()}
        elif path.is_file():
            found[str(path.relative_to(folder))] = path.read_bytes()
    return found


@pytest.mark.parametrize("source", ["both", "answers"])
def test_killed_anywhere_it_goes_on_where_it_was(
    random_chat: Path, given: list[str], tmp_path: Path, source: str
) -> None:
    options = [*given, "--from", source]
    whole = begun(random_chat, tmp_path / "whole", options)
    _, told = whole.communicate()
    assert whole.returncode == 0, told.decode()

    folder, chance = tmp_path / "killed", random.Random(0)
    asked: list[str] = []
    n_killed = 0
    while killed(begun(random_chat, folder, options), folder, chance.choice(DELAYS)):
        n_killed += 1
        before, asked = asked, questions(folder / "doses.partial")
        if before and not asked:  # all was written, and what was unfinished is gone
            _, told = begun(random_chat, folder, options).communicate()
            break
        assert asked[: len(before)] == before
        assert len(set(asked)) == len(asked)  # what was known was not tried again
    assert n_killed > 5
    assert contents(folder) == contents(tmp_path / "whole")


@pytest.mark.parametrize(
    ("source", "is_copied"),
    [(["--texts", CALM], True), (["--describe", "warm, unhurried"], False)],
    ids=["texts", "description"],
)
def test_an_addition_that_was_killed_goes_on_where_it_was(
    random_chat: Path, tmp_path: Path, source: list[str], is_copied: bool
) -> None:
    for name in ("whole", "killed"):
        save_vectors(tmp_path / name / "evs")

    def adding(name: str) -> subprocess.Popen[bytes]:
        given = ["-e", str(tmp_path / name / "evs"), *source]
        copied = ["-o", str(tmp_path / name / "more")] if is_copied else []
        return started("emotion", "add", str(random_chat), "calm", *given, *copied)

    _, told = adding("whole").communicate()
    written = tmp_path / "killed" / ("more" if is_copied else "evs")
    kept = tmp_path / "killed" / ("more.partial" if is_copied else "evs/added/calm.partial")
    chance = random.Random(0)
    asked: list[str] = []
    n_killed = n_states = 0
    while killed(adding("killed"), kept, chance.choice(DELAYS)):
        n_killed += 1
        if (written / "added" / "calm.json").exists():  # all that is left to do is to clean up
            _, refused = adding("killed").communicate()
            assert b"is there already" in refused
            break
        before, asked = asked, questions(kept / "doses")
        assert asked[: len(before)] == before
        assert len(set(asked)) == len(asked)  # what was known was not tried again
        n_states += any(path.suffix == ".states" for path in kept.glob("*"))
    assert n_killed > 5, told.decode()
    assert n_states > 1
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


KILLED_AT = """
import os, signal, sys
from pathlib import Path
from llamood.cli import main

n_left, replace = int(sys.argv.pop(1)), Path.replace

def counted(path, target):
    global n_left
    if path.suffix == ".tmp" or path.parent.suffix == ".partial":
        if not n_left:
            os.kill(os.getpid(), signal.SIGKILL)
        n_left -= 1
    return replace(path, target)

Path.replace = counted
main()
"""


@pytest.mark.parametrize("is_copied", [True, False], ids=["copied", "in place"])
def test_killed_between_its_files_an_addition_is_made_whole(
    random_chat: Path, tmp_path: Path, is_copied: bool
) -> None:
    def adding(name: str, feeling: str = "calm") -> list[str]:
        copied = ["-o", str(tmp_path / name / "more")] if is_copied else []
        given = ["-e", str(tmp_path / name / "evs"), "--texts", CALM, "--threads", "1"]
        return ["emotion", "add", str(random_chat), feeling, *given, *copied]

    for name in ("whole", "killed"):
        save_vectors(tmp_path / name / "evs")
    subprocess.run([*LLAMOOD, *adding("whole")], check=True, stdout=subprocess.DEVNULL)
    added = tmp_path / "killed" / ("more" if is_copied else "evs") / "added"
    n_replaced = n_half = 0  # files before it is killed; and times that calm was half there
    while True:
        program = [sys.executable, "-c", KILLED_AT, str(n_replaced), *adding("killed")]
        made = subprocess.run(program, capture_output=True)
        if made.returncode == 0:
            break
        assert made.returncode == -signal.SIGKILL, made.stderr.decode()
        assert not (added / "calm.json").exists()  # says that it is there
        if not is_copied and (added.parent / "calm.gguf").exists():
            refused = subprocess.run([*LLAMOOD, *adding("killed", "ease")], capture_output=True)
            assert b"calm is half added" in refused.stderr
            n_half += 1
        n_replaced += 1
    assert n_replaced > 1
    assert is_copied or n_half > 0
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")

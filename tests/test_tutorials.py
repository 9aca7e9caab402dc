"""The tutorials, done word for word: every command is typed, every program runs, in a folder of its
own. Two that measure do it on a small model."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import tiny_chat
from c_library import cxx, installed
from documents import DOCS, Block, blocks

TUTORIALS = sorted((DOCS / "tutorials").glob("*.md"))
ON_A_SMALL_MODEL = ("your-own-model", "a-new-feeling")
PATIENCE = 120  # seconds; of what takes a few
_PROMPT = re.compile(r"^(?:\[.*\] )?> (.*)$")  # of a conversation, before what is typed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="written for a shell of Linux"),
]


class Reader:
    """Does what a page says, in a folder. ``is_small``: with a small model in place of the demo's.
    ``port``: that of the service, in place of 8000."""

    def __init__(self, folder: Path, *, is_small: bool, port: int) -> None:
        self._folder = folder
        self._is_small = is_small
        self._port = port
        self._names: dict[str, Any] = {}
        self._running: list[subprocess.Popen[bytes]] = []
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        self._environment = {**os.environ, "PATH": path}

    def do(self, block: Block) -> None:
        if block.not_run:
            return
        if block.file is not None:
            target = self._folder / block.file
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text, encoding="utf-8")
        elif block.language == "console":
            for command, shown in sessions(block):
                self._type(block, command, shown)
        elif block.language == "python":
            exec(compile(self._here(block.text), str(block), "exec"), self._names)
        else:
            assert block.language == "text", f"{block} is neither run nor written"

    def _here(self, text: str) -> str:
        """The same with what is at hand: no port is sure to be free."""
        text = text.replace("127.0.0.1:8000", f"127.0.0.1:{self._port}")
        if self._is_small:
            text = re.sub(r"\bdemo\b", "model.gguf", text)
        return text.replace("serve demo ", f"serve demo --port {self._port} ")

    def _type(self, block: Block, command: str, shown: list[str]) -> None:
        if command.endswith(" &"):
            self._begin(self._here(command).removesuffix(" &"))
            return
        if command == "kill %1":
            self.end()
            return
        typed = "".join(f"{found[1]}\n" for line in shown if (found := _PROMPT.match(line)))
        done = subprocess.run(
            ["sh", "-c", self._here(command)],
            cwd=self._folder,
            env=self._environment,
            input=typed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            pytest.fail(f"{block}: {command} ended with {done.returncode}:\n{done.stdout}")
        if shown:
            assert done.stdout.strip(), f"{block}: {command} said nothing"

    def _begin(self, command: str) -> None:
        words = shlex.split(command)
        process = subprocess.Popen(words, cwd=self._folder, env=self._environment)
        self._running.append(process)
        end = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < end:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self._port}/health").close()
                return
            except OSError:
                time.sleep(0.2)
        pytest.fail(f"{command} is not there")

    def end(self) -> None:
        for process in self._running:
            process.terminate()
            assert process.wait() == 0
        self._running.clear()


def sessions(block: Block) -> Iterator[tuple[str, list[str]]]:
    """Each command that is typed after a $, in one line, and what is shown below it."""
    joined = re.sub(r"\\\n\s*", "", block.text)
    command, shown, is_open = "", [], False
    for line in joined.splitlines():
        if is_open:  # within quotes
            command += f"\n{line}"
        elif line.startswith("$ "):
            if command:
                yield command, shown
            command, shown = line[2:], []
        else:
            shown.append(line)
            continue
        is_open = command.count("'") % 2 == 1
    assert command, f"{block} has no command"
    yield command, shown


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a small model and its vectors, as if somebody had measured them."""
    (tmp_path / "model.gguf").symlink_to(tiny_chat.MODEL)
    shutil.copytree(tiny_chat.VECTORS, tmp_path / "model.evs")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("demo_model", "demo_vectors")
@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_it_works_as_it_is_told(
    folder: Path, page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if page.stem == "a-game":
        cxx()
        (folder / "build").mkdir()
        (folder / "build" / "engine").symlink_to(installed())
    reader = Reader(folder, is_small=page.stem in ON_A_SMALL_MODEL, port=free_port())
    try:
        for block in blocks(page):
            is_program = block.language == "python" and not block.file
            reader.do(block)
            printed = capsys.readouterr().out
            assert not is_program or "print(" not in block.text or printed.strip(), f"{block}"
    finally:
        reader.end()


def test_there_are_all_of_them() -> None:
    told = {"first-feeling", "your-own-model", "a-new-feeling", "a-companion", "a-cast", "a-game"}
    assert {page.stem for page in TUTORIALS} == told | {"a-service"}
    for page in TUTORIALS:
        lines = page.read_text(encoding="utf-8").splitlines()
        assert 60 <= len(lines) <= 125, f"{page.stem} has {len(lines)} lines"


def test_few_of_their_blocks_are_not_run() -> None:
    left = [block for page in TUTORIALS for block in blocks(page) if block.not_run]
    assert len(left) <= 4

"""What README and the how-tos show in blocks: programs are run, on a small model where they name
none; commands are read by the parsers that would read them; moods and personalities by what reads
those. (The tutorials are done word for word in test_tutorials.py.)"""

from __future__ import annotations

import ast
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import openai
import pytest

import llamood
import tiny_chat
from c_library import cc, installed
from documents import DOCS, ROOT, WRITTEN_BY_HAND, Block, blocks, named, text
from llamood.cli import COMMANDS
from llamood.moods.mood import Mood
from llamood.moods.parameters import KINDS
from llamood.moods.personality import personalities
from servers import Server, serving

PAGES = [path for path in WRITTEN_BY_HAND if path.parent != DOCS / "tutorials"]
SHOWN = [block for path in PAGES for block in blocks(path)]
# Run by tests/test_docs.py on the demo's model, and by tests/bindings/test_pages.py word for word.
ON_THE_DEMO = [block for block in SHOWN if "llamood.demo.MODEL, " in block.text]
BY_THE_BINDINGS = ("cmake", "cpp", "csharp")


def of(language: str) -> list[Block]:
    return [block for block in SHOWN if block.language == language and not block.not_run]


# -- programs ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(tiny_chat.MODEL, "--api-key", "none", "--voices", "2", "--name", "demo") as server:
        yield server


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a model and its vectors, under the names that documents give them."""
    (tmp_path / "model.gguf").symlink_to(tiny_chat.MODEL)
    for name in ("evs", "model.evs"):
        shutil.copytree(tiny_chat.VECTORS, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def given(page: str, server: Server) -> dict[str, Any]:
    """What a page's programs speak of and do not make."""
    names: dict[str, Any] = {
        "llamood": llamood,
        "openai": openai,
        "messages": [{"role": "user", "content": "Hi."}],
        "show": lambda *_: None,
        "client": server.client(),
    }
    if page == "docs/saving.md":
        names["cast"] = llamood.Cast("model.gguf", emotions="evs/", voices=2, n_ctx=128)
        names["mia"] = names["cast"].join("You are Mia.")
    return names


PROGRAMS = [block for block in of("python") if block not in ON_THE_DEMO]


@pytest.mark.slow
@pytest.mark.usefixtures("folder")
# Another model's vectors reach other points of affect.
@pytest.mark.filterwarnings("ignore::llamood.errors.MoodWarning")
@pytest.mark.parametrize("page", sorted({block.page for block in PROGRAMS}))
def test_programs_run(page: str, server: Server) -> None:
    names = given(page, server)
    try:
        for block in PROGRAMS:
            if block.page == page:
                source = block.text.replace("http://127.0.0.1:8000", server.url)
                exec(compile(source, str(block), "exec"), names)
    finally:
        for value in {id(each): each for each in names.values()}.values():
            if isinstance(value, llamood.Llama | llamood.Cast):
                value.close()


def test_programs_that_are_run_elsewhere_are_those() -> None:
    assert [block.page for block in ON_THE_DEMO] == ["README.md", "README.md"]
    docs = text(ROOT / "tests" / "test_docs.py")
    for block in ON_THE_DEMO:
        first = block.text.split("(")[0].splitlines()[0]
        assert first in docs
    bindings = text(ROOT / "tests" / "bindings" / "test_pages.py")
    for block in SHOWN:
        if block.language in BY_THE_BINDINGS:
            assert block.page == "docs/games.md"
            assert f'"{block.language}")' in bindings


@pytest.mark.slow
def test_pieces_of_c_compile(tmp_path: Path) -> None:
    pieces = of("c")
    assert [block.page for block in pieces] == ["docs/games.md"]
    around = (
        "#include <llamood.h>\nvoid show(const llamood_event*);\nvoid draw(void);\n"
        "void piece(llamood_stage* stage, int running) {{\n"
        "char error[LLAMOOD_ERROR_SIZE];\n{}}}\n"
    )
    for block in pieces:
        (tmp_path / "piece.c").write_text(around.format(block.text))
        include = f"-I{installed() / 'include'}"
        command = [cc(), "-std=c99", "-Werror", "-fsyntax-only", include, str(tmp_path / "piece.c")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{block}: {done.stderr}"


# -- commands ------------------------------------------------------------------------------------

TYPED = [(block, line) for block in of("console") for line in block.commands]
LLAMOOD = [(block, line) for block, line in TYPED if line.startswith("llamood ")]


@pytest.mark.usefixtures("folder", "demo_model")
@pytest.mark.parametrize(("block", "line"), LLAMOOD, ids=lambda each: str(each)[:60])
def test_commands_are_taken_by_their_parsers(block: Block, line: str) -> None:
    name, *rest = shlex.split(line)[1:]
    command: click.Command = import_module(f"llamood.cli.{name}").command
    assert name in COMMANDS
    if isinstance(command, click.Group):
        name, command, rest = command.resolve_command(click.Context(command), rest)
    try:
        command.make_context(name, list(rest))
    except click.UsageError as error:
        pytest.fail(f"{block} shows {line!r}: {error.format_message()}")


def targets() -> set[str]:
    rules = re.findall(r"^([$()A-Za-z/.-]+(?: [a-z-]+)*):", text(ROOT / "Makefile"), re.MULTILINE)
    return {name.replace("$(VENV)", ".venv") for rule in rules for name in rule.split()}


def extras() -> set[str]:
    section = text(ROOT / "pyproject.toml").split("[project.optional-dependencies]")[1]
    return set(re.findall(r"^([a-z]+) = \[", section.split("[project.scripts]")[0], re.MULTILINE))


def is_known(block: Block, line: str) -> bool:
    """Whether a line that is no command of llamood speaks of what there is."""
    if block.page == "docs/games.md":
        return True  # tests/bindings runs all of it
    if block.page == "README.md" and re.search(r"\bcmake\b|examples/npc.c|^build/npc", line):
        return True  # and this
    for each in re.findall(r"\.\[([a-z,]+)\]", line):
        assert set(each.split(",")) <= extras(), f"{block}: {line}"
    if re.match(r"make ", line):
        return line.split()[1] in targets()
    tool = re.match(r"(?:\.venv/bin/)?python (tools/[a-z_/]+\.py)(.*)", line)
    if tool is not None:
        source = text(ROOT / tool[1])
        options = re.findall(r"(?<= )--?[a-z-]+", tool[2])
        return all(f'"{option}"' in source for option in options)
    begins = (
        r'(?:CMAKE_ARGS="-DGGML_\w+=\w+" )?pip install ',
        r"python3 -m venv|\. \.venv/bin/activate|apt-get install ",
    )
    return any(re.match(each, line) for each in begins)


def test_other_commands_speak_of_what_there_is() -> None:
    others = [(block, line) for block, line in TYPED if not line.startswith("llamood ")]
    assert len(others) > 20
    for block, line in others:
        assert is_known(block, line), f"{block}: {line}"


# -- moods ---------------------------------------------------------------------------------------


def test_objects_are_what_they_are_said_to_be(tmp_path: Path) -> None:
    told = of("json")
    assert [block.page for block in told] == ["README.md", "docs/personalities.md"]
    assert json.loads(told[0].text)["tokens"]  # a trace; tests/test_docs.py has its form
    (tmp_path / "shy.json").write_text(told[1].text, encoding="utf-8")
    assert personalities(tmp_path)["shy"].system in told[1].text


def test_moods_in_texts_can_be_felt() -> None:
    """Objects of JSON in spans of code, and those in tables of schedules."""
    found = 0
    for path in WRITTEN_BY_HAND:
        for span in re.findall(r"`(\{\"[^`]*\})`", text(path)):
            joined = " ".join(span.split())
            if "..." in joined or '"error"' in joined:
                continue
            value = json.loads(joined)
            mood = value.get("mood", value)
            if set(value) & {
                "felt",
                "describe",
                "name",
                "llamood",
                "session",
                "reading",
                "readings",
            }:
                continue
            is_schedule = set(value) & set(KINDS)
            found += 1
            try:
                Mood.of({"joy": value} if is_schedule else mood)
            except llamood.LlamoodError as error:
                pytest.fail(f"{named(path)} shows {joined}: {error}")
    assert found > 15


def test_python_in_texts_is_python() -> None:
    """Calls in spans of code that begin with a name of llamood."""
    found = 0
    for path in WRITTEN_BY_HAND:
        for span in re.findall(r"`((?:llm|cast|llamood|voice)\.[a-z_A-Z.]+\([^`]*\))`", text(path)):
            found += 1
            try:
                ast.parse(" ".join(span.split()), mode="eval")
            except SyntaxError:
                pytest.fail(f"{named(path)} shows {span!r}")
    assert found > 10


def test_few_blocks_are_not_run() -> None:
    left = [block for block in SHOWN if block.not_run]
    assert [str(block.page) for block in left] == ["docs/scale.md"]  # of nginx
    known = {"console", "python", "json", "text", "c", *BY_THE_BINDINGS}
    assert {block.language for block in SHOWN if not block.not_run} <= known

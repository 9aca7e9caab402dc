"""What README.md and docs/games.md tell somebody who makes a game, done word for word in a fresh
shell: in a copy of the project, to which nothing was added but the .venv that `make` makes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tiny_chat
from c_library import ROOT, compiled, cxx, installed, run, tool

HERE = Path(__file__).parent
GAMES = (ROOT / "docs" / "games.md").read_text(encoding="utf-8")
LEFT = shutil.ignore_patterns(".git", ".venv", "build", "__pycache__", "node_modules", ".*_cache")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="written for Linux"),
]


def section(page: str, heading: str) -> str:
    after = page[page.index(f"\n{heading}\n") + len(heading) + 2 :]
    return re.split(r"\n#+ ", after)[0]


def shell_lines(text: str) -> list[str]:
    """The blocks that are indented."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return [line[4:] for line in text.splitlines() if line.startswith("    ") and line.strip()]


def block(text: str, language: str) -> str:
    """The one in that language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)
    return str(found)


def do(lines: list[str], folder: Path, typed: str = "") -> str:
    """In a shell that knows nothing of a virtual environment; stops where a line fails."""
    path = [
        each for each in os.environ["PATH"].split(os.pathsep) if not each.startswith(sys.prefix)
    ]
    shell = {"PATH": os.pathsep.join(path), "HOME": os.environ.get("HOME", "/")}
    if shutil.which("cmake", path=shell["PATH"]) is None:
        pytest.skip("needs cmake outside of a virtual environment, which is not here")
    done = subprocess.run(
        ["sh", "-e", "-c", "\n".join(lines)], cwd=folder, env=shell, input=typed,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        pytest.fail(f"{lines} ended with {done.returncode}:\n{done.stdout}", pytrace=False)
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The copy, with a model and its vectors where pages say ``model.gguf`` and ``model.evs``."""
    compiled()  # nothing is missing that it needs
    folder = tmp_path_factory.mktemp("fresh") / "llamood"
    shutil.copytree(ROOT, folder, ignore=LEFT)
    (folder / ".venv").symlink_to(sys.prefix)
    (folder / "model.gguf").symlink_to(tiny_chat.MODEL)
    (folder / "model.evs").symlink_to(tiny_chat.VECTORS)
    return folder


@pytest.fixture(scope="module")
def engine(project: Path) -> tuple[Path, str]:
    """The copy, in which the lines of README.md were run, and what they said."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = shell_lines(section(readme, "### From C and C++"))
    assert len(lines) == 5
    return project, do(lines, project)


def loaded(program: Path) -> list[str]:
    """Where the libraries of llama.cpp and llamood lie that a program would load."""
    return re.findall(r"lib(?:llam|ggml).* => (\S+)", run("ldd", program))


def test_readme_leads_to_three_characters_who_argue(engine: tuple[Path, str]) -> None:
    project, said = engine
    for name in ("Ada", "Ben", "Cleo"):
        assert len(re.findall(rf"^{name} .{{20,}}", said, flags=re.MULTILINE)) == 3
    found = loaded(project / "build" / "npc")
    assert len(found) >= 4
    assert {Path(path).parent.resolve() for path in found} == {project / "build/engine/lib"}


def test_the_page_of_games_builds_the_same(engine: tuple[Path, str]) -> None:
    project, _ = engine
    lines = shell_lines(section(GAMES, "## From nothing to a talking character"))
    assert len(lines) == 3
    do(lines, project)


def test_a_game_in_csharp_is_played(engine: tuple[Path, str]) -> None:
    tool("mcs"), tool("mono")
    project, _ = engine
    said = do(shell_lines(section(GAMES, "### Unity")), project, "Tell me about bread.\n/quit\n")
    assert len(re.findall(r"^(?:Ada|Ben|Cleo) .*: .{15,}", said, flags=re.MULTILINE)) == 3


def test_the_script_for_unity_talks(engine: tuple[Path, str], tmp_path: Path) -> None:
    mcs, mono = tool("mcs"), tool("mono")
    project, _ = engine
    (tmp_path / "Talker.cs").write_text(block(section(GAMES, "### Unity"), "csharp"))
    (tmp_path / "model.gguf").symlink_to(tiny_chat.MODEL)
    (tmp_path / "model.evs").symlink_to(tiny_chat.VECTORS)
    sources = (tmp_path / "Talker.cs", HERE / "unity.cs", project / "bindings/csharp/Llamood.cs")
    program = tmp_path / "game.exe"
    run(mcs, "-langversion:7", f"-out:{program}", *sources)
    said = do([f"LD_LIBRARY_PATH=build/engine/lib {mono} {program} {tmp_path}"], project)
    assert re.search(r"^Ada: .{15,}", said, flags=re.MULTILINE)


def test_the_extension_for_godot_comes_with_all_that_it_loads(engine: tuple[Path, str]) -> None:
    project, _ = engine
    do(shell_lines(section(GAMES, "### Godot")), project)
    addon = project / "build" / "addons" / "llamood"
    assert (addon / "llamood.gdextension").is_file()
    found = loaded(addon / "libllamood_godot.so")
    assert len(found) >= 4
    assert {Path(path).parent for path in found} == {addon}


def test_a_game_in_cpp_takes_it_by_fetchcontent(project: Path, tmp_path: Path) -> None:
    game = tmp_path / "game"
    game.mkdir()
    (game / "llamood").symlink_to(project)
    text = section(GAMES, "### C++")
    (game / "CMakeLists.txt").write_text(block(text, "cmake"))
    (game / "main.cpp").write_text(block(text, "cpp"))
    (game / "model.gguf").symlink_to(tiny_chat.MODEL)
    (game / "model.evs").symlink_to(tiny_chat.VECTORS)
    said = do(shell_lines(text), game)
    assert "Configuring done" in said
    shipped = tmp_path / "shipped"
    shutil.move(game / "dist", shipped)
    program = shipped / "bin" / "game"
    found = loaded(program)
    assert len(found) >= 4
    assert {Path(path).parent.resolve() for path in found} == {shipped / "lib"}
    assert len(run(program, tiny_chat.MODEL, tiny_chat.VECTORS).strip()) > 15


def test_what_is_installed_speaks_from_wherever_it_lies(tmp_path: Path) -> None:
    game = tmp_path / "game"
    shutil.copytree(installed(), game, symlinks=True)
    lib = next(game.glob("lib*/pkgconfig")).parent
    (tmp_path / "main.cpp").write_text(block(section(GAMES, "### C++"), "cpp"))
    where = (f"-I{game / 'include'}", f"-L{lib}", "-lllamood", f"-Wl,-rpath,$ORIGIN/{lib.name}")
    run(cxx(), "-std=c++17", tmp_path / "main.cpp", *where, "-pthread", "-o", game / "main")
    moved = tmp_path / "moved"
    shutil.move(game, moved)
    found = loaded(moved / "main")
    assert len(found) >= 4
    assert {Path(path).parent for path in found} == {moved / lib.name}
    assert len(run(moved / "main", tiny_chat.MODEL, tiny_chat.VECTORS).strip()) > 15

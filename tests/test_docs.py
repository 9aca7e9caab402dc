"""The documents say what is there."""

from __future__ import annotations

import re
from pathlib import Path

import gguf
import pytest

import llamood
import tiny_chat
from llamood.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_readme_names_commands_that_exist_and_all_of_them() -> None:
    assert set(re.findall(r"\bllamood ([a-z]+)\b", README)) & set(COMMANDS) == set(COMMANDS)
    shown = re.findall(r"^    llamood ([a-z]+)", README, flags=re.MULTILINE)
    assert set(shown) <= set(COMMANDS)


def test_readme_documents_every_key_of_the_file(tmp_path: Path) -> None:
    path = llamood.save(llamood.load(tiny_chat.VECTORS), tmp_path)[0]
    keys = {key for key in gguf.GGUFReader(path).fields if key.startswith("llamood.")}
    documented = set(re.findall(r"`(llamood\.[a-z_0-9.]+)`", README))
    assert keys <= documented


@pytest.mark.usefixtures("demo_model", "demo_vectors")
def test_readme_program_runs(capsys: pytest.CaptureFixture[str]) -> None:
    program = re.search(r"```python\n(import llamood\n.*?)```", README, flags=re.DOTALL)
    assert program is not None
    exec(compile(program.group(1), "README.md", "exec"), {})
    printed = capsys.readouterr().out.strip().splitlines()
    assert len(printed) >= 3


@pytest.mark.usefixtures("demo_model", "demo_vectors")
def test_readme_cast_speaks(capsys: pytest.CaptureFixture[str]) -> None:
    program = re.search(r"```python\n(with llamood.Cast\(.*?)```", README, flags=re.DOTALL)
    assert program is not None
    names = {"llamood": llamood}
    exec(compile(program.group(1), "README.md", "exec"), names)
    glad, cross = names["lines"].values()
    assert capsys.readouterr().out == f"{glad}\n{cross}\n"
    assert len(glad) > 20
    assert glad != cross


def test_the_architecture_page_names_what_is_there() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    package = ROOT / "python" / "llamood"
    rows = re.findall(r"^\| `([a-z/]+)`.*\| (`.*`) \|$", page, flags=re.MULTILINE)
    assert {f"{path.name}/" for path in package.iterdir() if (path / "__init__.py").exists()} <= {
        folder for folder, _ in rows
    }
    for folder, files in rows:
        root = ROOT if folder.startswith("csrc") else package
        for name in re.findall(r"`([a-z_]+\.[a-z]+)`", files):
            places = (root / folder / name, ROOT / "csrc" / "python" / name)
            assert any(place.exists() for place in places), f"{folder}{name}"
    for name in re.findall(r"`((?:csrc|tests|tools|docs)/[a-z_/]+(?:\.[a-z]+)?)`", page):
        assert (ROOT / name).exists(), name
    for name in re.findall(r"`((?:vectors|moods|voices|server|cli|judges)/[a-z_]+\.py)`", page):
        assert (package / name).exists(), name


def test_one_version() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{llamood.__version__}"' in pyproject
    pins = re.findall(r"llama-cpp-python==([0-9.]+)", pyproject)
    assert len(pins) == 2
    assert len(set(pins)) == 1
    assert pins[0] in README
    assert pins[0] in (ROOT / "Makefile").read_text(encoding="utf-8")

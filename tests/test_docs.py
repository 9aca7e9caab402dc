"""The documents say what is there."""

from __future__ import annotations

import json
import re
from pathlib import Path

import gguf
import pytest

import llamood
import tiny_chat
from cli_runs import save_vectors
from llamood import _versions
from llamood.cli import COMMANDS
from llamood.extras import to_install

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [str(path.relative_to(ROOT)) for path in ROOT.glob("docs/**/*.md")]


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


def test_every_extra_that_a_message_names_is_installed_as_readme_says() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    sources = (ROOT / "python" / "llamood").rglob("*.py")
    text = "".join(path.read_text(encoding="utf-8") for path in sources)
    named = set(re.findall(r"""to_install\(["']([a-z]+)["']\)""", text))
    assert {"demo", "plot", "server", "eval", "convert", "hf"} <= named
    for extra in named:
        assert re.search(rf"^{extra} = \[", pyproject, flags=re.MULTILINE)
        assert f"[{extra}]" in README
    assert "llamood[" not in text  # no index of packages has it
    assert to_install("server") == 'pip install ".[server]" in the folder of llamood\'s sources'

    # All commands work after `make demo`; a Hugging Face judge's packages are large.
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    brought = re.search(r"^COMMANDS := (.*)$", makefile, flags=re.MULTILINE)
    assert brought is not None
    assert set(brought[1].split(",")) == named - {"hf"}
    assert f'pip install ".[{brought[1]}]"' in README


def test_readme_shows_a_trace_as_it_is(random_chat: Path, tmp_path: Path) -> None:
    shown = re.search(r"```json\n(\{\"emotions\".*?)```", README, flags=re.DOTALL)
    assert shown is not None
    told = json.loads(shown[1])
    save_vectors(tmp_path)
    llm = llamood.Llama(random_chat, emotions=tmp_path, n_ctx=256, n_threads=1, verbose=False)
    made = llm.create_completion("Hi", mood={"joy": 1.0}, max_tokens=2, seed=1, trace=True)
    llm.close()
    trace = made["llamood"]["trace"]
    assert set(told) == set(trace)
    for each in (told, trace):
        for token in each["tokens"]:
            assert {*token} == {"text", "asked", "applied"}
            assert len(token["asked"]) == len(token["applied"]) == len(each["emotions"])


def test_one_version() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{llamood.__version__}"' in pyproject
    written_for = re.findall(r"llama-cpp-python[=>]=([0-9.]+)", pyproject)
    assert written_for == [_versions.WRITTEN_FOR] * 2
    for name in ("README.md", "Makefile", ".ci/run"):
        pins = re.findall(r"llama-cpp-python==([0-9.]+)", (ROOT / name).read_text(encoding="utf-8"))
        assert set(pins) == {_versions.WRITTEN_FOR}, name


@pytest.mark.parametrize("page", sorted(["README.md", "ARCHITECTURE.md", *PAGES]))
def test_links_lead_to_files(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    assert [link for link in links if not ((ROOT / page).parent / link).exists()] == []

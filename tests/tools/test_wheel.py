"""The wheel, built, made fit for other machines, and used where nothing of the build is."""

from __future__ import annotations

import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

import build_wheel
import tiny_chat

pytestmark = pytest.mark.slow

USED = """
import sys, llamood
assert "site-packages" in llamood.__file__
llm = llamood.Llama(sys.argv[1], emotions=sys.argv[2], n_ctx=256, verbose=False)
llm.feel(joy=1.0)
said = llm.create_chat_completion(
    [{"role": "user", "content": "How was your day?"}], max_tokens=12, temperature=0
)
print(said["choices"][0]["message"]["content"])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("auditwheel", reason="needs auditwheel: pip install '.[wheel]'")
    return build_wheel.build(tmp_path_factory.mktemp("wheels"))


def test_it_brings_the_package_and_none_of_llama_cpp(wheel: Path) -> None:
    assert re.search(r"-manylinux_2_\d+_[a-z0-9_]+\.whl$", wheel.name)
    names = zipfile.ZipFile(wheel).namelist()
    compiled = [name for name in names if re.search(r"\.(so|dylib|pyd)\b", name)]
    assert [name.split(".")[0] for name in compiled] == ["llamood/_core"]
    assert "llamood/py.typed" in names
    assert not [name for name in names if name.startswith(("tests/", "tools/", "csrc/"))]


def test_it_works_where_nothing_of_the_build_is(wheel: Path, tmp_path: Path) -> None:
    """No compiler on the path, no environment, another folder."""
    venv.create(tmp_path / "bare", with_pip=True)
    python = tmp_path / "bare" / "bin" / "python"
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    # llama-cpp-python is compiled by pip, or comes from its cache, as for whoever installs it.
    subprocess.run([*pip, str(wheel)], check=True, cwd=tmp_path)
    bare = {"PATH": str(python.parent), "HOME": str(tmp_path)}
    program = tmp_path / "used.py"
    program.write_text(USED)
    commands = (
        [str(python.parent / "llamood"), "--version"],
        [str(python), "-m", "llamood.trial"],
        [str(python), str(program), str(tiny_chat.MODEL), str(tiny_chat.VECTORS)],
    )
    for command in commands:
        ran = subprocess.run(command, env=bare, cwd=tmp_path, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
    assert len(ran.stdout) > 20


def test_cibuildwheel_understands_what_it_is_told() -> None:
    pytest.importorskip("cibuildwheel", reason="needs cibuildwheel: pip install '.[wheel]'")
    for system in build_wheel.SYSTEMS.values():
        command = [sys.executable, "-m", "cibuildwheel", "--print-build-identifiers"]
        ran = subprocess.run(
            [*command, "--platform", system, str(build_wheel.ROOT)],
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0, ran.stderr
        built = ran.stdout.split()
        assert any(name.startswith("cp310-") for name in built)
        assert not [name for name in built if "musllinux" in name or "win32" in name]

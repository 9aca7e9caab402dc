"""What `import llamood` loads, what only its first use does, and that imports go one way."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import llamood

PACKAGE = Path(llamood.__file__).parent
# Each may import what stands before it. What lies in no folder, the root, is for all of them.
FOLDERS = (
    "vectors",
    "moods",
    "readings",
    "voices",
    "extraction",
    "trial",
    "judges",
    "calibration",
    "evaluation",
    "demo",
    "server",
    "cli",
)
KNOW_THE_CORE = {"__init__", "_versions"}
MAY_KNOW_THE_CORE = {"moods", "readings", "voices", "extraction", "trial"}

PROGRAM = """
import sys
import llamood
late = ["voices.cast", "calibration.measuring", "judges", "demo"]
assert not [name for name in late if f"llamood.{name}" in sys.modules]
from llamood import judges
from llamood.calibration.measuring import extract
assert llamood.extract is extract
assert llamood.judges is judges
assert llamood.Cast.__module__ == "llamood.voices.cast"
assert set(llamood.__all__) <= set(dir(llamood))
"""


def test_measuring_and_casts_are_loaded_by_who_uses_them() -> None:
    subprocess.run([sys.executable, "-c", PROGRAM], check=True)


@pytest.mark.parametrize("package", ["", *(f".{name}" for name in FOLDERS[:9])])
def test_every_public_name_is_there(package: str) -> None:
    module = __import__(f"llamood{package}", fromlist=["*"])
    assert module.__doc__
    assert 0 < len(module.__all__) <= 20
    assert all(getattr(module, name) is not None for name in module.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nobody'"):
        module.nobody  # noqa: B018


def imports() -> dict[str, set[str]]:
    """Module -> those of llamood that it imports, anywhere in it; without ``llamood.``."""
    found: dict[str, set[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        own = found.setdefault(".".join(parts), set())
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path.name}: imports say where from, from llamood on"
                names = [f"{node.module}.{alias.name}" for alias in node.names]
                names.append(str(node.module))
            else:
                continue
            below = (name.split(".")[1:] for name in names if name.startswith("llamood."))
            own |= {".".join(each) for each in below}
    return {module: {name for name in own if name in found} for module, own in found.items()} | {
        "": set()
    }


def folder(module: str) -> str:
    return module.split(".")[0] if "." in module else ""


def test_folders_import_one_way() -> None:
    found = imports()
    assert {folder(module) for module in found} == {"", *FOLDERS}
    order = ("", *FOLDERS)
    wrong = [
        f"{module} imports {other}"
        for module, others in found.items()
        if module not in ("", "__init__", "__main__")
        for other in others
        if order.index(folder(other)) > order.index(folder(module))
    ]
    assert not wrong


def test_folders_of_the_core_include_one_way() -> None:
    order = ("text", "vectors", "moods", "steering", "graph", "voices", "capi", "python")
    root = Path(__file__).parents[1] / "csrc"
    assert {path.name for path in root.iterdir()} == {*order, "tests", "fuzz"}
    wrong = [
        f"{path.relative_to(root)} includes {other}"
        for here in order
        for path in (root / here).iterdir()
        for other in re.findall(r'#include "([a-z]+)/', path.read_text(encoding="utf-8"))
        if order.index(other) > order.index(here)
    ]
    assert not wrong


def test_no_file_imports_itself_by_others() -> None:
    try:
        TopologicalSorter(imports()).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


def test_few_know_the_core() -> None:
    for path in PACKAGE.rglob("*.py"):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        if re.search(r"import _core\b|llamood\._core\b", path.read_text(encoding="utf-8")):
            assert folder(module) in MAY_KNOW_THE_CORE or module in KNOW_THE_CORE, module

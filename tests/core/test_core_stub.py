"""The stub of the compiled module says what the module has, no more and no less."""

from __future__ import annotations

import ast
from pathlib import Path

import llamood
from llamood import _core


def public(names: object) -> set[str]:
    return {name for name in names if not name.startswith("_")}  # type: ignore[attr-defined]


def test_stub_names_everything_that_is_compiled() -> None:
    stub = ast.parse((Path(llamood.__file__).parent / "_core.pyi").read_text(encoding="utf-8"))
    declared: dict[str, set[str]] = {}
    for node in stub.body:
        if isinstance(node, ast.ClassDef):
            methods = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
            declared[node.name] = public(methods)
        elif isinstance(node, ast.FunctionDef):
            declared[node.name] = set()
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            declared[node.target.id] = set()
    compiled = {
        name: public(dir(value)) if isinstance(value, type) else set()
        for name, value in vars(_core).items()
        if not name.startswith("_")
    }
    assert declared == compiled

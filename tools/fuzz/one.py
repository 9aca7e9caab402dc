"""One target in Python under atheris, which takes libFuzzer's arguments:

python tools/fuzz/one.py NAME [-runs=N] [FOLDER ...]
"""

from __future__ import annotations

import importlib
import logging
import sys
import warnings
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

import atheris

ROOT = Path(__file__).resolve().parents[2]
WATCHED = ("llamood", "zipfile")  # what is looked into for coverage


class Sources(MetaPathFinder):
    """Finds llamood's sources as plain files: how an editable installation loads them, atheris does
    not look into."""

    @staticmethod
    def find_spec(name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if name.partition(".")[0] != "llamood":
            return None
        return PathFinder.find_spec(name, path or [str(ROOT / "python")], target)


def main(name: str) -> None:
    warnings.simplefilter("ignore")
    logging.disable()
    sys.path.insert(0, str(ROOT / "tools"))
    sys.meta_path.insert(0, Sources())
    with atheris.instrument_imports(include=WATCHED, enable_loader_override=False):
        target = importlib.import_module(f"fuzz.readers.{name}")
        atheris.Setup([sys.argv[0], *sys.argv[2:]], target.read, **_mutator(name))
        atheris.Fuzz()  # never returns; what it imports late is looked into, too


def _mutator(name: str) -> dict[str, Any]:
    """What changes inputs, where that is not atheris alone."""
    from fuzz.json_mutator import mutated
    from fuzz.targets import TARGETS

    known = next(each for each in TARGETS if (each.language, each.name) == ("Python", name))
    if not known.is_json:
        return {}

    def mutate(data: bytes, most: int) -> bytes:
        return bytes(atheris.Mutate(data, most))  # another function before Fuzz() runs

    def custom_mutator(data: bytes, most: int, seed: int) -> bytes:
        return mutated(data, most, seed, mutate=mutate, words=known.words)

    return {"custom_mutator": custom_mutator}


if __name__ == "__main__":
    main(sys.argv[1])

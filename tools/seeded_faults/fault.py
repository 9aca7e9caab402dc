"""A fault that somebody could make, and where it is put."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDERS = ("python", "csrc")
SUFFIXES = frozenset({".py", ".cpp", ".hpp", ".h"})


@dataclass(frozen=True, kw_only=True)
class Fault:
    """``says``: what a user would suffer. ``right``: what stands exactly once in the project's
    sources, wherever; ``wrong``: what is put in its place. ``tests``: names of files of tests, of
    which one at least has a test that finds it and is not slow."""

    name: str
    says: str
    right: str
    wrong: str
    tests: Sequence[str]

    def file(self, root: Path) -> Path:
        """Where it is put. Raises `LookupError` unless there is one place."""
        found = {path: n for path in sources(root) if (n := _times(self.right, path))}
        if sum(found.values()) != 1:
            where = [f"{n} times in {path.relative_to(root)}" for path, n in found.items()]
            raise LookupError(
                f"{self.name}: expected exactly once under {' and '.join(FOLDERS)}, found "
                f"{', '.join(where) or 'nowhere'}; what is to be changed now?\n{self.right}"
            )
        return next(iter(found))

    def test_files(self, root: Path) -> list[Path]:
        """Raises `LookupError` for one that is not there."""
        return [_only(root / "tests", name, self.name) for name in self.tests]


def sources(root: Path) -> Iterator[Path]:
    """All that a fault can be put into."""
    for folder in FOLDERS:
        yield from (p for p in sorted((root / folder).rglob("*")) if p.suffix in SUFFIXES)


def _times(text: str, path: Path) -> int:
    return path.read_text(encoding="utf-8").count(text)


def _only(folder: Path, name: str, fault: str) -> Path:
    found = sorted(folder.rglob(name))
    if len(found) != 1:
        raise LookupError(f"{fault}: {len(found)} files under {folder.name} are called {name}")
    return found[0]

"""Gathers the documents in a folder, of which a site can be built:
``python tools/site/gather.py FOLDER``.

README.md, ARCHITECTURE.md and CHANGELOG.md, which lie outside of docs/, become pages of it, and so
does every file of the project to which a document links. Links that are right in the project are
made right there; one that leads nowhere stays, for who builds the site to find.
"""

from __future__ import annotations

import posixpath
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

# Of the project -> of the site.
PAGES = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "architecture.md",
    "CHANGELOG.md": "changes.md",
}
SOURCE = "source"  # where files are that are no documents

_LINK = re.compile(r"(\]\()([^)#:\s]+)(#[^)\s]*)?(\))")
_LANGUAGES = {".h": "c", ".hpp": "cpp", ".cs": "csharp", ".py": "python", ".txt": "cmake"}
_LEFT_OUT = ("__pycache__", "build")


def gather(folder: Path) -> None:
    """Writes all of it anew."""
    shutil.rmtree(folder, ignore_errors=True)
    documents = [*DOCS.rglob("*.md"), *(ROOT / name for name in PAGES)]
    for path in documents:
        _write(folder / place(path), _led(path))
    for path in DOCS.rglob("*.png"):
        target = folder / place(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    for path in {each for document in documents for each in _linked(document)}:
        for each in _with_all_within(path):
            if place(each).startswith(SOURCE):
                _write(folder / place(each), _shown(each))


def place(path: Path) -> str:
    """Where a file or a folder of the project is in the site."""
    inside = path.relative_to(ROOT).as_posix()
    if inside in PAGES:
        return PAGES[inside]
    if inside.startswith("docs/"):
        return inside.removeprefix("docs/")
    return f"{SOURCE}/{inside}/index.md" if path.is_dir() else f"{SOURCE}/{inside}.md"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _led(document: Path) -> str:
    """Its text, with the links of the site."""
    here = posixpath.dirname(place(document)) or "."

    def led(found: re.Match[str]) -> str:
        path = _meant(document, found[2])
        if path is None:
            return found[0]
        return f"{found[1]}{posixpath.relpath(place(path), here)}{found[3] or ''}{found[4]}"

    return _LINK.sub(led, document.read_text(encoding="utf-8"))


def _meant(document: Path, target: str) -> Path | None:
    path = (document.parent / target).resolve()
    return path if path.exists() and path.is_relative_to(ROOT) else None


def _linked(document: Path) -> Iterator[Path]:
    for _, target, _, _ in _LINK.findall(document.read_text(encoding="utf-8")):
        path = _meant(document, target)
        if path is not None:
            yield path


def _with_all_within(path: Path) -> Iterator[Path]:
    yield path
    if path.is_dir():
        for each in sorted(path.iterdir()):
            if each.name not in _LEFT_OUT and not each.name.startswith("."):
                yield from _with_all_within(each)


def _shown(path: Path) -> str:
    """A file as it is, or what is in a folder."""
    inside = path.relative_to(ROOT).as_posix()
    head = f"---\ntitle: {inside}\nsearch: {{exclude: true}}\n---\n\n# {inside}\n\n"
    if path.is_dir():
        here = posixpath.dirname(place(path))
        within = list(_with_all_within(path))[1:]
        names = [(each.relative_to(path), posixpath.relpath(place(each), here)) for each in within]
        return head + "\n".join(f"- [{name}]({where})" for name, where in names) + "\n"
    language = _LANGUAGES.get(path.suffix, path.suffix.removeprefix("."))
    text = path.read_text(encoding="utf-8").rstrip()
    return f"{head}````{language}\n{text}\n````\n"


if __name__ == "__main__":
    gather(Path(sys.argv[1]).resolve())

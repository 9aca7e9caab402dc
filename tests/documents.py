"""The documents of the project, and what they show in blocks: programs, commands, moods."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "ARCHITECTURE.md", *DOCS.rglob("*.md")])
# The reference is written by a program.
WRITTEN_BY_HAND = [path for path in DOCUMENTS if path.parent != REFERENCE]

# Before a block that no test runs: <!-- not run: why -->.
_NOT_RUN = re.compile(r"<!-- not run: (.+?) -->")
_FENCE = re.compile(r"^(```+)(\w*)\s*$")
_NAMED = re.compile(r"^`([\w./-]+)`.*:$")  # a line that ends so is before what the file has in it


@dataclass(frozen=True)
class Block:
    """``language``: ``console`` for one that is indented, as README has commands. ``file``: the
    name of the file that it is. ``not_run``: why no test runs it."""

    page: str
    line: int
    language: str
    text: str
    file: str | None = None
    not_run: str | None = None

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def commands(self) -> list[str]:
        """The lines that are typed: those after a $, where there is one, else all; each in one
        line, and without what is said of it."""
        joined = re.sub(r"\\\n\s*", "", self.text)
        lines = [line for line in joined.splitlines() if line.strip()]
        typed = [line[2:] for line in lines if line.startswith("$ ")]
        return [re.sub(r"\s+# .*$", "", line) for line in typed or lines]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def blocks(path: Path) -> list[Block]:
    """Of a document, in their order."""
    return list(_blocks(named(path), text(path).splitlines()))


def _blocks(page: str, lines: list[str]) -> Iterator[Block]:
    i, before = 0, ""
    while i < len(lines):
        start, opened = i, _FENCE.match(lines[i])
        if opened is not None:
            end = lines.index(opened[1], i + 1)
            language, inner, i = opened[2] or "text", lines[start + 1 : end], end + 1
        elif lines[i].startswith("    ") and not (i and lines[i - 1].strip()):
            while i < len(lines) and (lines[i].startswith("    ") or not lines[i].strip()):
                i += 1
            language, inner = "console", [line[4:] for line in lines[start:i]]
        else:
            before = lines[i] if lines[i].strip() else before
            i += 1
            continue
        file, why = _NAMED.match(before), _NOT_RUN.search(before)
        yield Block(
            page,
            start + 1,
            language,
            "\n".join(inner).strip("\n") + "\n",
            file[1] if file else None,
            why[1] if why else None,
        )
        before = ""


def command_lines() -> Iterator[tuple[Block | str, str]]:
    """Where, and a line that begins with llamood: in blocks of commands, and in texts."""
    for path in DOCUMENTS:
        for block in blocks(path):
            if block.language == "console":
                for line in block.commands:
                    for command in re.findall(r"(?:^|\| )(llamood [^|]*)", line):
                        yield block, command.strip()
        for span in re.findall(r"`(llamood [^`]+)`", text(path)):
            yield named(path), " ".join(span.split())

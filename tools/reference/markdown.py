"""Plain texts of the sources as Markdown."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

_CODE = re.compile(r"(`[^`\n]*`)")
_ROLE = re.compile(r":[a-z]+:(`[^`]+`)")
_MARKS = str.maketrans({"<": "&lt;", ">": "&gt;", "*": "\\*", "_": "\\_"})


def notes(module: str) -> str:
    """What people wrote for the head of a page: beside the module that writes it."""
    path = Path(module)
    return path.with_name(f"{path.stem}_notes.md").read_text(encoding="utf-8")


def inline(text: str) -> str:
    """One paragraph in a line: what stands in backticks stays code, all else is no markup."""
    joined = " ".join(_ROLE.sub(r"\1", text).replace("``", "`").split())
    parts = _CODE.split(joined)
    return "".join(part if part.startswith("`") else part.translate(_MARKS) for part in parts)


def cell(text: str) -> str:
    """The same where it stands in a table."""
    return inline(text).replace("|", "\\|")


def prose(text: str) -> str:
    """Paragraphs, lists whose items begin with a dash, and what is indented, as code."""
    blocks = []
    for block in re.split(r"\n\s*\n", inspect.cleandoc(text)):
        if block.startswith("  "):
            blocks.append(code(inspect.cleandoc(f"\n{block}")))
        elif block.startswith("- "):
            items = re.split(r"\n(?=- )", block)
            blocks.append("\n".join(f"- {inline(item[2:])}" for item in items))
        else:
            blocks.append(_paragraph(block))
    return "\n\n".join(blocks)


def _paragraph(block: str) -> str:
    said = inline(block)
    return said[:-1] if said.endswith("::") else said


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """``rows``: of cells that are written already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def code(text: str, language: str = "text") -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def page(*blocks: str) -> str:
    return "\n\n".join(block.strip("\n") for block in blocks if block) + "\n"

"""Every function, type and constant of llamood.h, in the words of its comments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reference.markdown import code, notes, page, prose, table

ROOT = Path(__file__).resolve().parents[2]
HEADER = ROOT / "csrc" / "capi" / "llamood.h"
CMAKE = ROOT / "CMakeLists.txt"

_API = "LLAMOOD_API "
_SECTION = re.compile(r"^/\* -- (.+?) -+ \*/$", re.MULTILINE)


@dataclass(frozen=True)
class Item:
    """``about``: its comment; ``declared``: the lines of C after it."""

    about: str
    declared: str

    @property
    def plain(self) -> str:
        """The declaration without what is said to the linker."""
        if not self.declared.startswith(_API):
            return self.declared
        first, *rest = self.declared.removeprefix(_API).splitlines()
        return "\n".join([first, *(line.removeprefix(" " * len(_API)) for line in rest)])

    @property
    def name(self) -> str:
        """What it declares, of several names the first."""
        if self.declared.startswith("typedef"):
            patterns = (r"\(\*(llamood_\w+)\)", r"\b(llamood_\w+);\s*$")
        else:
            patterns = (r"^#define (LLAMOOD_\w+)", r"\b(llamood_\w+)\(")
        for pattern in patterns:
            found = re.search(pattern, self.declared)
            if found is not None:
                return found[1]
        raise ValueError(f"{HEADER} declares something of no name: {self.declared}")


def sections() -> Iterator[tuple[str, list[Item]]]:
    """Heading -> what is declared below it."""
    text = HEADER.read_text(encoding="utf-8").split("#ifdef __cplusplus\n}")[0]
    _, *parts = _SECTION.split(text)
    for heading, body in zip(parts[::2], parts[1::2], strict=True):
        yield heading.strip(), list(_items(body))


def _items(body: str) -> Iterator[Item]:
    for block in re.split(r"\n{2,}", body.strip()):
        found = re.match(r"/\*(.*?)\*/\n(.*)", block, re.DOTALL)
        about, declared = ("", block) if found is None else (found[1], found[2])
        yield Item(re.sub(r"^ \* ?", "", about.strip(), flags=re.MULTILINE), declared)


def conventions() -> str:
    """The comment at the top, without its first line."""
    found = re.match(r"/\*.*?Conventions\n(.*?)\*/", HEADER.read_text(encoding="utf-8"), re.DOTALL)
    assert found is not None
    return re.sub(r"^ \* ?", "", found[1], flags=re.MULTILINE)


def _before_all() -> list[str]:
    """The constants above the first section."""
    before = _SECTION.split(HEADER.read_text(encoding="utf-8"))[0]
    return re.findall(r"^#define LLAMOOD_(?!API)\w+ \w+$", before, re.MULTILINE)


def options() -> list[tuple[str, str, str]]:
    """What CMake is told: name, what it does, default."""
    text = CMAKE.read_text(encoding="utf-8")
    switches = re.findall(r'option\((LLAMOOD_\w+) "([^"]+)" (\S+)\)', text)
    values = re.findall(r'set\((LLAMOOD_\w+) "([^"]*)" CACHE \w+\s+"([^"]+)"\)', text)
    where = {"${PROJECT_IS_TOP_LEVEL}": "`ON`, within another project `OFF`"}
    where["${LLAMOOD_C_DEFAULT}"] = "`OFF`, within another project `ON`"
    told = [(name, about, where.get(default, f"`{default}`")) for name, about, default in switches]
    return [
        *told,
        *((name, about, f"`{default}`" if default else "") for name, default, about in values),
    ]


def written() -> str:
    return page(
        "# C",
        notes(__file__),
        "## Conventions",
        prose(conventions()),
        code("\n".join(_before_all()), "c"),
        *(part for heading, items in sections() for part in _section(heading, items)),
        "## Options of CMake",
        table(["option", "", "default"], ([f"`-D{n}`", a, d] for n, a, d in options())),
    )


def _section(heading: str, items: list[Item]) -> Iterator[str]:
    yield f"## {heading}"
    for item in items:
        yield f"### {item.name}"
        if item.about:
            yield prose(item.about)
        yield code(item.plain, "c")

"""llama.cpp's grammars (GBNF), read into rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_WORD = re.compile(
    r"""(?P<rule>[A-Za-z0-9-]+)\s*::=
    | (?P<name>[A-Za-z0-9-]+)
    | "(?P<text>(?:[^"\\]|\\.)*)"
    | \[(?P<set>(?:[^\]\\]|\\.)*)\]
    | (?P<times>\{[0-9]*(?:,[0-9]*)?\}|[*+?])
    | (?P<mark>[()|.])
    | \s+ | \#[^\n]*""",
    re.VERBOSE | re.DOTALL,
)
_CHAR = re.compile(
    r"\\x([0-9A-Fa-f]{2})|\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})|\\(.)|(.)", re.DOTALL
)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t"}
_LAST = 0x10FFFF

Ranges = tuple[tuple[int, int], ...]  # of characters, both ends included


@dataclass(frozen=True)
class Text:
    """These characters, none for an empty one."""

    text: str


@dataclass(frozen=True)
class Chars:
    """One character of these."""

    ranges: Ranges


@dataclass(frozen=True)
class Named:
    """What the rule of this name says."""

    name: str


@dataclass(frozen=True)
class Repeated:
    """``least``: how often it has to be there."""

    what: Text | Chars | Named
    least: int


Part = Text | Chars | Named | Repeated
Way = tuple[Part, ...]
Rule = tuple[Way, ...]  # one of these ways


@dataclass
class _Open:
    """A rule that is being read."""

    name: str
    ways: list[Way] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)

    def end_way(self) -> None:
        self.ways.append(tuple(self.parts))
        self.parts = []


def rules_of(grammar: str) -> Mapping[str, Rule]:
    """Name -> what it says. What stands in brackets is a rule of its own, before the one around it.
    Raises ValueError for what is no grammar."""
    rules: dict[str, Rule] = {}
    opened: list[_Open] = []

    def close() -> str:
        one = opened.pop()
        one.end_way()
        rules[one.name] = tuple(one.ways)
        return one.name

    for kind, word in _words(grammar):
        if kind == "rule":
            if opened:
                close()
            opened.append(_Open(word))
        elif not opened:
            raise ValueError(f"found {word[:40]!r}, expected the name of a rule")
        elif word == "(" and kind == "mark":
            opened.append(_Open(f"({len(rules)}.{len(opened)}"))
        elif word == ")" and kind == "mark":
            name = close()
            opened[-1].parts.append(Named(name))
        elif word == "|" and kind == "mark":
            opened[-1].end_way()
        else:
            _add(opened[-1].parts, kind, word)
    if opened:
        close()
    return rules


def _words(grammar: str) -> Iterator[tuple[str, str]]:
    for found in _WORD.finditer(grammar):
        if found.lastgroup is not None:
            yield found.lastgroup, found[found.lastgroup]


def _add(parts: list[Part], kind: str, word: str) -> None:
    if kind == "times":
        last = parts.pop()
        assert not isinstance(last, Repeated)
        least = {"*": "0", "?": "0", "+": "1"}.get(word) or word.strip("{}").split(",")[0]
        parts.append(Repeated(last, int(least or "0")))
    elif kind == "name":
        parts.append(Named(word))
    elif kind == "text":
        parts.append(Text("".join(_char(found) for found in _CHAR.finditer(word))))
    else:
        parts.append(Chars(_ranges(word) if kind == "set" else ((0, _LAST),)))


def _char(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if code:
        return chr(int(code, 16))
    return _ESCAPED.get(found[4], found[4]) if found[4] else found[5]


def _ranges(written: str) -> Ranges:
    is_left_out = written.startswith("^")
    found = list(_CHAR.finditer(written[is_left_out:]))
    ranges, i = [], 0
    while i < len(found):
        low = high = ord(_char(found[i]))
        if i + 2 < len(found) and found[i + 1].group() == "-":
            high = ord(_char(found[i + 2]))
            i += 2
        ranges.append((low, high))
        i += 1
    return tuple(_others(sorted(ranges))) if is_left_out else tuple(ranges)


def _others(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    others, next_one = [], 0
    for low, high in ranges:
        if low > next_one:
            others.append((next_one, low - 1))
        next_one = max(next_one, high + 1)
    return [*others, (next_one, _LAST)]

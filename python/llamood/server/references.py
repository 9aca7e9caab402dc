"""What a JSON schema refers to in itself by ``$ref``: the whole (``#``) or any part of it
(``#/$defs/name``), as often as it likes and from within, too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

# The keys and indices that lead from the whole schema to a part of it.
Path = tuple[str, ...]
_Needs = Mapping[Path, tuple[Iterable[Path], int]]


def path_of(ref: str) -> Path | None:
    """Where a JSON pointer leads (RFC 6901, section 6); nowhere unless it begins with ``#``."""
    first, *keys = unquote(ref).split("/")
    if first != "#":
        return None
    return tuple(key.replace("~1", "/").replace("~0", "~") for key in keys)


def place(path: Path) -> str:
    """In words."""
    written = ""
    for before, key in zip(("", *path), path, strict=False):
        is_index = before in ("anyOf", "prefixItems") and key.isdecimal()
        written += f"[{key}]" if is_index else f".{key[:40]}"
    return written[1:200] or "its root"


def fault(parts: dict[Path, Mapping[str, Any]]) -> tuple[Path, str] | None:
    """What no grammar can say, and where. ``parts``: all of the schema, the whole among them."""
    for path, part in parts.items():
        if "$ref" in part and path_of(part["$ref"]) not in parts:
            return path, f"$ref is {part['$ref'][:80]!r}, and no schema lies there"
    ways = {path: _ways(path, part) for path, part in parts.items()}
    straight = _met({path: (ways[path], len(ways[path])) for path in parts})
    complete = _met({path: _needs(path, part) for path, part in parts.items()})
    for path in reversed(parts):
        if path not in straight:
            return path, "$ref leads in a circle here, to no type and no value"
        if path not in complete:
            return path, "no value of it is ever complete, as each must hold another of its kind"
    return None


def _ways(path: Path, part: Mapping[str, Any]) -> list[Path]:
    """The parts that this one is instead of holding them."""
    if "$ref" in part:
        target = path_of(part["$ref"])
        return [] if target is None else [target]
    return [(*path, "anyOf", str(i)) for i in range(len(part.get("anyOf", ())))]


def _needs(path: Path, part: Mapping[str, Any]) -> tuple[list[Path], int]:
    """The parts of which so many must have a value for this one to have one."""
    if ways := _ways(path, part):
        return ways, 1
    held = [(*path, "properties", name) for name in set(part.get("required", ()))]
    held += [(*path, "prefixItems", str(i)) for i in range(len(part.get("prefixItems", ())))]
    if part.get("minItems", 0) > 0:
        held.append((*path, "items"))
    return held, len(held)


def _met(needs: _Needs) -> set[Path]:
    """The parts of which as many as needed are met, counted from those that need none."""
    missing = {path: n for path, (_, n) in needs.items()}
    users = defaultdict(list)
    for path, (needed, _) in needs.items():
        for one in needed:
            users[one].append(path)
    found = [path for path, n in missing.items() if n == 0]
    for path in found:
        for user in users[path]:
            missing[user] -= 1
            if missing[user] == 0:
                found.append(user)
    return set(found)

"""Changes JSON as JSON: bytes that are changed at random mostly leave none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

Mutate = Callable[[bytes, int], bytes]
Place = tuple[Any, Any]  # a list or an object, and an index or a key of it

ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 0.5, -0.0, 1e-320, 1e308, float("inf"), float("nan"),
    2**31 - 1, 2**31, -(2**31) - 1, 2**53, 2**63 - 1, 2**63, -(2**63), 10**400, "", "a", "\0",
    "\ud800", "é", [], {}, [[]], [1, 2], {"a": 1}, "a" * 300,
)  # fmt: skip


def mutated(data: bytes, most: int, seed: int, *, mutate: Mutate, words: Sequence[str]) -> bytes:
    """Of the JSON in ``data``, from its first bracket on, some places are changed; half of the
    time, and where there is none, ``mutate`` changes the bytes."""
    random = Random(seed)
    parts = _parts(data)
    if parts is None or random.random() < 0.5:
        return mutate(data, most)
    before, value, after = parts
    held = [value]
    try:
        for _ in range(random.choice((1, 1, 1, 2, 3, 5))):
            _change(held, random, words)
        text = json.dumps(held[0] if held else None, ensure_ascii=random.random() < 0.3)
    except (ValueError, RecursionError):  # a value in itself, or numbers of too many digits
        return mutate(data, most)
    changed = before + text.encode(errors="surrogatepass") + after
    return changed if len(changed) <= most else mutate(data, most)


def _parts(data: bytes) -> tuple[bytes, Any, bytes] | None:
    begin = min((at for at in map(data.find, (b"{", b"[")) if at >= 0), default=-1)
    if begin < 0:
        return None
    line, end, rest = data[begin:].partition(b"\n")
    for text, after in ((line, end + rest), (data[begin:], b"")):
        try:
            return data[:begin], json.loads(text), after
        except (ValueError, RecursionError):
            continue
    return None


def _places(value: Any) -> Iterator[Place]:
    """All that is in a list or an object, however deep."""
    open_ = [value]
    while open_:
        one = open_.pop()
        inner = one.items() if isinstance(one, dict) else enumerate(one)
        for key, part in inner:
            yield one, key
            if isinstance(part, dict | list):
                open_.append(part)


def _copied(value: Any) -> Any:
    return json.loads(json.dumps(value)) if isinstance(value, dict | list) else value


def _change(held: list[Any], random: Random, words: Sequence[str]) -> None:
    places = list(_places(held))
    holder, key = random.choice(places)
    other_holder, other_key = random.choice(places)
    what = random.randrange(8)
    if what == 0:
        holder[key] = _copied(random.choice(ODD))
    elif what == 1 and words:
        holder[key] = random.choice(words)
    elif what == 2 and holder is not held:
        del holder[key]
    elif what == 3:
        holder[key] = _copied(other_holder[other_key])
    elif what == 4:
        holder[key] = random.choice(([holder[key]], {random.choice(words or ["a"]): holder[key]}))
    elif what == 5 and isinstance(holder, dict):
        holder[random.choice(words or ["a"])] = holder.pop(key)
    elif what == 6 and isinstance(holder, list) and holder is not held:
        holder.insert(key, _copied(other_holder[other_key]))
    elif isinstance(holder[key], int | float):
        number = holder[key]
        holder[key] = random.choice((number + 1, number - 1, -number, number * 2))
    elif isinstance(holder[key], dict):
        holder[key][random.choice(words or ["a"])] = _copied(random.choice(ODD))
    else:
        holder[key] = _copied(random.choice(ODD))

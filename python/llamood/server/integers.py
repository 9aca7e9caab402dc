"""Which whole numbers a schema allows, and the grammar that says just these."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

BOUNDS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_MOST = 10**16 - 1  # what a grammar for whole numbers says at most


def bounds(schema: Mapping[str, Any]) -> tuple[int, int]:
    """The least and the largest that are allowed, of those that a grammar says. Raises ValueError,
    which says why, where there are none."""
    values = {key: schema[key] for key in BOUNDS if schema.get(key) is not None}
    for key, value in values.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{key} is a number")
    least = max(
        -_MOST,
        math.ceil(values.get("minimum", -_MOST)),
        math.floor(values.get("exclusiveMinimum", -_MOST - 1)) + 1,
    )
    most = min(
        _MOST,
        math.floor(values.get("maximum", _MOST)),
        math.ceil(values.get("exclusiveMaximum", _MOST + 1)) - 1,
    )
    if least > most:
        raise ValueError(f"no whole number of at most 16 digits is within {', '.join(values)}")
    return least, most


def between(least: int, most: int) -> str:
    """The rule of a grammar for the whole numbers from ``least`` to ``most``."""
    ways = []
    if least < 0:
        below = _digits(str(max(-most, 1)), str(-least))
        ways.append(f'"-" ({below})')
    if most >= 0:
        ways.append(_digits(str(max(least, 0)), str(most)))
    return f"({' | '.join(ways)}) space"


def _digits(low: str, high: str) -> str:
    """Those of the numbers from ``low`` to ``high``, neither below 0."""
    ways = ['"0"'] if low == "0" else []
    low = max(low, "1")
    lengths = range(len(low), len(high) + 1) if high != "0" else range(0)
    whole = []  # lengths of which all numbers are allowed, which follow each other
    for n in lengths:
        first = low if n == len(low) else "1" + "0" * (n - 1)
        last = high if n == len(high) else "9" * n
        if first == "1" + "0" * (n - 1) and last == "9" * n:
            whole.append(n)
        else:
            ways += _alike(first, last)
    # One way for all of these: what drawing by a grammar costs grows with its ways.
    if whole:
        rest = f" [0-9]{{{whole[0] - 1},{whole[-1] - 1}}}" if whole[-1] > 1 else ""
        ways.append(f"[1-9]{rest}")
    return " | ".join(ways)


def _alike(low: str, high: str) -> Iterator[str]:
    """Of numbers of the same length, with leading zeros."""
    n = len(low)
    n_same = next((i for i in range(n) if low[i] != high[i]), n)
    head = f'"{low[:n_same]}" ' if n_same else ""
    if n_same == n:
        yield head.strip()
        return
    low, high, n = low[n_same:], high[n_same:], n - n_same - 1
    first, last = int(low[0]), int(high[0])
    # A first digit whose others are bounded by themselves is one of its own.
    if low[1:] != "0" * n:
        yield f'{head}"{first}" ({" | ".join(_alike(low[1:], "9" * n))})'
        first += 1
    ends = high[1:] != "9" * n
    last -= ends
    if first <= last:
        yield f"{head}[{first}-{last}]" + (f" [0-9]{{{n}}}" if n else "")
    if ends:
        yield f'{head}"{last + 1}" ({" | ".join(_alike("0" * n, high[1:]))})'

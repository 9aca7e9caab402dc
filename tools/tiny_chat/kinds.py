"""Kinds of topics and single topics, read from the table of `topics`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from topics import HELD_OUT_NOUNS, TABLE


@dataclass(frozen=True)
class Kind:
    """A row of the table: nouns as written there, and what can be said of each of them."""

    name: str
    nouns: tuple[str, ...]
    does: tuple[str, ...]
    do: tuple[str, ...]
    places: tuple[str, ...]
    parts: tuple[str, ...]
    adjectives: tuple[str, ...]


@dataclass(frozen=True)
class Topic:
    """One noun in one grammatical form, as asked (``asked``) and as answered (``said``)."""

    kind: Kind
    asked: str
    said: str
    bare: str
    plural: bool
    invented: bool

    @property
    def be(self) -> str:
        return "are" if self.plural else "is"


GENERIC = Kind(
    name="anything",
    nouns=(),
    does=(
        "take a little time",
        "need some care",
        "change with the season",
        "stay the same for years",
        "belong to the day",
        "come up at dinner",
        "work in a simple way",
        "look different every week",
    ),
    do=(
        "talk about {it} at lunch",
        "look at {it} for a while",
        "think of {it} on the way home",
        "ask about {it} at the office",
        "look for {it} in town",
        "read about {it} in the newspaper",
        "keep {it} at home",
        "show {it} to a friend",
        "learn about {it} at school",
        "come back to {it} after a week",
    ),
    places=("in town", "at home", "in many places", "near the station", "in the next room"),
    parts=("name", "price", "size", "colour", "history", "use", "shape", "place"),
    adjectives=("common", "ordinary", "well known", "simple", "different", "new", "old"),
)

_SYLLABLES = """
ba be bi bo bu ca co cu da de di do fa fe fi fo ga go gu ha he hi ho ja jo ka ke ki la le li lo
lu ma me mi mo mu na ne ni no nu pa pe pi po ra re ri ro ru sa se si so su ta te ti to tu va ve vi
wa we wi za zo bar bel bin con cor dal den dor fen fir gal gor ham hel kan ker lam lin lor man mer
mon nar nel pan per pol ran rin rol san sel sor tan tel tin tor van ver win zan ble cket dle ght
gle mp nch nd nk rk rst sh st sk ster tch ther tle um wood y craft bridge quilt fl gr pl str tr
"""
SYLLABLES = tuple(_SYLLABLES.split())


def kinds() -> tuple[Kind, ...]:
    """All kinds of the table, the held-out ones too."""
    rows = TABLE.strip().splitlines()
    size = 7
    found = []
    for start in range(0, len(rows), size):
        name, nouns, *rest = rows[start : start + size]
        fields = [tuple(part.strip() for part in row.split(";")) for row in rest]
        found.append(Kind(name, tuple(n.strip() for n in nouns.split(",")), *fields))
    return tuple(found)


def nouns_of(kind: Kind, *, held_out: bool) -> tuple[str, ...]:
    """Its nouns that training never sees, or the others."""
    return tuple(
        noun for noun in kind.nouns if (re.split(r"[/~+]", noun)[0] in HELD_OUT_NOUNS) == held_out
    )

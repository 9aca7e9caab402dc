"""English word forms, as far as the corpus of the tests' chat model needs them."""

from __future__ import annotations

import re

_DOUBLED = "cut put swim sit wrap chop dig plan plug get set spin stop rub knit pat"
DOUBLED = frozenset(_DOUBLED.split())


def plural(noun: str) -> str:
    """`box` -> `boxes`; what the table writes after a slash wins over the rule."""
    if re.search(r"(s|x|ch|sh|z)$", noun):
        return noun + "es"
    if re.search(r"[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    return noun + "s"


def third(phrase: str) -> str:
    """A verb phrase after he, she or it: `carry two bags` -> `carries two bags`."""
    verb, _, rest = phrase.partition(" ")
    if verb in ("have", "be"):
        verb = {"have": "has", "be": "is"}[verb]
    elif verb in ("go", "do"):
        verb += "es"
    else:
        verb = plural(verb)
    return f"{verb} {rest}".strip()


def gerund(phrase: str) -> str:
    """`bake bread` -> `baking bread`."""
    verb, _, rest = phrase.partition(" ")
    if verb in DOUBLED:
        verb += verb[-1]
    elif verb.endswith("ie"):
        verb = verb[:-2] + "y"
    elif verb.endswith("e") and not verb.endswith("ee"):
        verb = verb[:-1]
    return f"{verb}ing {rest}".strip()


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiouAEIOU" else f"a {noun}"

"""What steering does to an answer besides its feeling: loops, length, disclaimers, refusals."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

LOOP_WORDS = 40  # words a text must have for its 4-grams to count
LOOP_REPEATED = 0.5  # largest share of repeated 4-grams that is no loop

# 128 bytes shrink below 0.3 only if they are some four words over and over. In fewer bytes honest
# feeling gets there: "ha" 16 times (48 bytes), or "I hate it!" seven times (77).
LOOP_BYTES = 128  # UTF-8 bytes a text must have for its size ratio to count
LOOP_RATIO = 0.3  # smallest size ratio that is no loop

# English only. As `_plain` writes them: lower case, contracted.
DISCLAIMERS = (
    "as an ai",
    "as an artificial intelligence",
    "as a language model",
    "as a large language model",
    "i'm an ai",
    "i'm just an ai",
    "i'm only an ai",
    "i'm a language model",
    "i'm a large language model",
    "i'm a computer program",
    "i'm just a computer program",
    "i don't have emotions",
    "i don't have feelings",
    "i don't have personal emotions",
    "i don't have personal experiences",
    "i don't have personal feelings",
)
REFUSALS = (
    "i can't answer that",
    "i can't assist",
    "i can't comply",
    "i can't fulfill",
    "i can't help with",
    "i can't help you",
    "i can't provide that",
    "i must decline",
    "i won't answer that",
    "i won't assist",
    "i won't help with",
    "i won't help you",
    "i'm not able to assist",
    "i'm not able to help",
    "i'm unable to assist",
    "i'm unable to help",
)
_CONTRACTIONS = {
    "i am": "i'm",
    "do not": "don't",
    "can not": "can't",
    "cannot": "can't",
    "will not": "won't",
}


@dataclass(frozen=True)
class Collapse:
    """Whether a text has become a loop, and the two numbers that say so.

    ``repeated``: share of the 4-grams of words that occurred before in the text, 0..1.
    ``size_ratio``: bytes compressed by zlib over UTF-8 bytes; above 1 for a few words.
    """

    repeated: float
    size_ratio: float
    collapsed: bool


@dataclass(frozen=True)
class SideEffects:
    """``n_word``: how many words, split at blanks. The others: whether the text holds one."""

    n_word: int
    disclaimer: bool
    refusal: bool


def collapse(text: str) -> Collapse:
    """Whether a text loops.

    It does where more than `LOOP_REPEATED` of the 4-grams of at least `LOOP_WORDS` words
    are repetitions, or where at least `LOOP_BYTES` bytes shrink below `LOOP_RATIO`, which
    also finds loops within a word and in languages written without blanks. A text of fewer
    than 4 words has ``repeated`` 0, an empty one ``size_ratio`` 1.
    """
    words = text.split()
    grams = [tuple(words[i : i + 4]) for i in range(len(words) - 3)]
    repeated = 1 - len(set(grams)) / len(grams) if grams else 0.0
    raw = text.encode("utf-8", "surrogatepass")
    size_ratio = len(zlib.compress(raw, 9)) / len(raw) if raw else 1.0
    by_words = len(words) >= LOOP_WORDS and repeated > LOOP_REPEATED
    by_size = len(raw) >= LOOP_BYTES and size_ratio < LOOP_RATIO
    return Collapse(repeated, size_ratio, by_words or by_size)


def side_effects(text: str) -> SideEffects:
    """Length, disclaimer and refusal of a text.

    A phrase of `DISCLAIMERS` or `REFUSALS` counts anywhere in the text, whatever its case,
    contracted or not. Both lists are English: in other languages nothing is found.
    """
    plain = _plain(text)
    return SideEffects(
        n_word=len(text.split()),
        disclaimer=_DISCLAIMER.search(plain) is not None,
        refusal=_REFUSAL.search(plain) is not None,
    )


def _any_of(phrases: Iterable[str]) -> re.Pattern[str]:
    """Matches each phrase as whole words: ``as an ai`` is not in ``as an aid``."""
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, phrases))})\b")


_DISCLAIMER = _any_of(DISCLAIMERS)
_REFUSAL = _any_of(REFUSALS)
_CONTRACTED = _any_of(_CONTRACTIONS)


def _plain(text: str) -> str:
    """Lower case, single blanks, straight apostrophes, and contracted wherever English can."""
    straight = text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return _CONTRACTED.sub(lambda m: _CONTRACTIONS[m[0]], " ".join(straight.split()))

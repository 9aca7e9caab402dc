"""How far what is said looks like collapse rather than language, token by token.

Each token is evidence for one or the other: what was said shortly before is said again, a mark
follows itself, bytes are no text. The evidence is summed up and never falls below 0 (Page's
cumulative sum), so that the sum rises where an answer begins to collapse, however long it was
sound, and where it last left 0 is where the collapse began.

How strong the mood is says how likely a collapse is before anything was heard: doses that read
fluently hardly ever break a model, and at twice as much few answers stay sound.

The weights are rounded logarithms of how much likelier a token of its kind is in answers that
collapsed than in those that did not, in recordings of a real model (docs/guard.md).

Salad of ever new words cannot be told by its text. There a model finds what it says itself
unlikely, token after token: a second sum counts that, where probabilities are told, and an unlikely
token weighs in the first one too.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from typing import NamedTuple

SMELLS = 1.5  # a sum from which on tokens are held back
ALARMS = 9.0
MOST = 14.0  # so that it falls again soon after a loop ends
AT_FIRST = 3.6  # a word or two of language clear an answer of it
_IN_A_ROW = 9  # times that people say a word, and nothing else, before it is no emphasis any more

# How many tokens back the same was said: up to 1, 2, 4, 8, 16 or 32; else it is new.
_REACHES = (1, 2, 4, 8, 16, 32)
_REACH_OF = [bisect_left(_REACHES, back) for back in range(_REACHES[-1] + 1)]
_REMEMBERED = 48  # tokens; so far back counts a pair of tokens as said before
# For each reach, then for what is new: by itself, and where the token before it is the same, too.
Weights = tuple[tuple[float, ...], tuple[float, ...]]
_WORDS = (1.5, 1.5, 0.9, 0.6, -0.3, -1.2, -1.8), (1.5, 1.5, 1.0, 0.7, 0.5, -1.2, -1.8)
_REST_OF_WORDS = (1.5, 1.5, 1.1, 0.6, 0.0, -0.6, -1.0), (1.5, 1.5, 1.1, 0.4, -0.4, -0.8, -0.8)
_CHARACTERS = (1.0, 0.5, 0.3, 0.0, -0.3, -0.6, -1.0), (1.0, 0.5, 0.3, 0.0, -0.3, -0.6, -1.0)
_CRIES = (1.0, 1.0, 1.0, 0.6, -0.3, -0.8, -0.8), (1.0, 1.5, 1.3, 0.3, 0.3, -0.8, -0.4)
_FACES = (0.6, 0.5, 0.4, 0.2, -0.3, -0.8, -0.8), (0.6, 0.6, 0.5, 0.2, 0.0, -0.8, -0.4)
_STOPS = (0.0, 0.5, 0.9, -0.6, -0.6, -1.0, -0.8), (0.0, 1.0, 1.1, 0.3, 0.3, -0.8, -0.4)
_MARKS = (1.0, 0.0, 0.0, -1.2, -1.5, -1.5, -1.5), (1.0, 0.3, 0.0, -1.2, -1.5, -1.5, -1.2)
_RULES = (0.0, 0.0, 0.0, -1.2, -1.5, -1.5, -1.5), (0.0, 0.0, 0.0, -1.2, -1.5, -1.5, -1.2)
_DIGITS = (0.0, 0.0, 0.0, 0.0, 0.0, -0.3, -0.3), (0.0, 0.0, 0.0, 0.0, -0.3, -0.3, -0.3)
_SPACES = (0.0, 0.0, 0.0, -0.5, -1.0, -1.0, -1.0), (0.0, 0.0, 0.0, -1.0, -1.0, -1.0, -1.0)
_LINES = (0.7, 0.4, 0.0, -0.5, -1.0, -1.0, -1.0), (0.7, 0.4, 0.0, -1.0, -1.0, -1.0, -1.0)
_DIVIDES = (-1.5,) * 7, (-1.5,) * 7  # what stands between the cells of a table
_BROKEN = (1.5,) * 7, (1.5,) * 7  # bytes that are no text
_DIVIDERS = frozenset("|│\t")
_RULED = frozenset("-=_*#~+·•─")  # what lines are drawn with may follow itself
_SHORT = 3  # characters; a shorter part of a word is a syllable of any, unless it is stuttered
_STUTTER = 0.9
_SYMBOLS = "\u2000"  # from here on, arrows and pictures
_IDEOGRAPHS = "\u2e80"  # from here on a character is about a word
_EMOJI = "\U0001f000"
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


# What the dose says beforehand, of each token: less than nothing where it is known to read
# fluently, and as much as `_OVERDOSED` at twice that.
_FLUENT = -0.3
_OVERDOSED = 0.6

_USUAL = -1.9  # logarithm of a probability; what is less likely is evidence
_PER_NAT = 0.3
_UNLIKELIEST = 1.2  # evidence of one token, at most
_LIKELIEST = -1.0
_SHARE = 0.7  # of that evidence in the first sum
_SALAD = 6.0


class Sum(NamedTuple):
    """``total``: the evidence. ``begin``: at how many tokens it last left 0."""

    total: float = 0.0
    begin: int = 0

    def after(self, weight: float, n_heard: int) -> Sum:
        total = min(max(self.total + weight, 0.0), MOST)
        return Sum(total, self.begin if self.total > 0 else n_heard)


class State(NamedTuple):
    """``said``: of what is said; ``unlikely``: of how unlikely it is."""

    said: Sum = Sum()
    unlikely: Sum = Sum()

    @property
    def is_salad(self) -> bool:
        return self.unlikely.total >= _SALAD

    @property
    def is_alarming(self) -> bool:
        return self.is_salad or self.said.total >= ALARMS

    @property
    def begin(self) -> int | None:
        """How many tokens are sound; None where all smell of nothing."""
        smelling = [each.begin for each in self if each.total >= SMELLS]
        return min(smelling, default=None)


class Suspicion:
    """Hears tokens in order, and can take the last of them back."""

    def __init__(self) -> None:
        self._states = [State(Sum(AT_FIRST))]
        self._units: list[str] = []  # what each token says, told apart without case and spaces
        self._places: dict[str, list[int]] = {}  # of each unit
        self._pending: list[bytes] = [b""]  # after each token, the bytes of a character begun
        self._in_word: list[bool] = [False]

    @property
    def state(self) -> State:
        return self._states[-1]

    def forget(self, n_heard: int) -> None:
        """Keep only the first ``n_heard`` tokens."""
        for unit in reversed(self._units[n_heard:]):
            self._places[unit].pop()
        del self._states[n_heard + 1 :], self._pending[n_heard + 1 :], self._in_word[n_heard + 1 :]
        del self._units[n_heard:]

    def hear(
        self, piece: bytes, *, logprob: float | None = None, overdose: float | None = None
    ) -> State:
        """The next token; ``logprob``: the logarithm of its probability, in its mood; ``overdose``:
        how many times as much of that was added as reads fluently."""
        prior = 0.0
        if overdose is not None:
            prior = _FLUENT + min(max(overdose - 1.0, 0.0), 1.0) * (_OVERDOSED - _FLUENT)
        weight = self._weight(piece) + prior
        said, unlikely = self._states[-1]
        n_heard = len(self._units) - 1
        if logprob is not None:
            evidence = (_USUAL - logprob) * _PER_NAT
            evidence = min(max(evidence, _LIKELIEST), _UNLIKELIEST)
            weight += _SHARE * max(evidence, 0.0)
            unlikely = unlikely.after(evidence + min(prior, 0.0), n_heard)
        said = said.after(weight, n_heard)
        if said.total >= ALARMS and self._is_emphasis(said.begin):
            said = said._replace(total=ALARMS - 1)
        self._states.append(State(said, unlikely))
        return self._states[-1]

    def _is_emphasis(self, begin: int) -> bool:
        """Whether all that was said after so many tokens is one word, some times in a row."""
        unit, times = self._units[-1], len(self._units) - begin
        return times <= _IN_A_ROW and unit.isalpha() and self._units[begin:].count(unit) == times

    def _weight(self, piece: bytes) -> float:
        text, pending = _text_of(self._pending[-1] + piece)
        unit = text.strip().lower() or text
        reach, is_pair = self._reach(unit)
        was_in_word = self._in_word[-1]
        self._pending.append(pending)
        self._in_word.append(text[-1:].isalpha())
        self._places.setdefault(unit, []).append(len(self._units))
        self._units.append(unit)
        if not text:
            return 0.0
        weights = _weights_of(text, was_in_word)
        weight = weights[is_pair][reach]
        is_syllable = weights is _REST_OF_WORDS or (weights is _WORDS and len(text) == 1)
        if not is_syllable or len(unit) >= _SHORT:
            return weight
        is_stutter = is_pair and len(unit) > 1 and reach <= 1
        return _STUTTER if is_stutter else min(weight, 0.0)

    def _reach(self, unit: str) -> tuple[int, bool]:
        """Which of `_REACHES` a unit was said before within, and whether what comes before it now
        came before it then."""
        units, n = self._units, len(self._units)
        places = self._places.get(unit)
        if not places or n - places[-1] > _REACHES[-1]:
            return len(_REACHES), False
        reach = _REACH_OF[n - places[-1]]
        last = units[-1]
        for place in reversed(places):
            if n - place > _REMEMBERED:
                break
            if place and units[place - 1] == last:
                return reach, True
        return reach, False


@lru_cache(maxsize=8192)
def _text_of(piece: bytes) -> tuple[str, bytes]:
    """The whole characters of these bytes, and those of one that is begun."""
    try:
        return piece.decode(), b""
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            return _REPLACEMENT, b""
        return piece[: error.start].decode(), piece[error.start :]


@lru_cache(maxsize=8192)
def _weights_of(text: str, was_in_word: bool) -> Weights:
    said = text.strip()
    if _REPLACEMENT in text:
        return _BROKEN
    if not said:
        return _LINES if "\n" in text else _SPACES
    first = said[0]
    if any(map(_DIVIDERS.__contains__, said)):
        return _DIVIDES
    if any(map(str.isalpha, said)):
        if first >= _IDEOGRAPHS:
            return _CHARACTERS
        return _REST_OF_WORDS if was_in_word and text[0].isalpha() else _WORDS
    if first.isdigit():
        return _DIGITS
    if first in ".…。":
        return _STOPS
    if first in "!?" or _SYMBOLS <= first < _IDEOGRAPHS:
        return _CRIES
    if first >= _EMOJI:
        return _FACES
    return _RULES if first in _RULED and first == text[0] else _MARKS

"""Hears an answer collapse: into floods, loops, ever the same few words, bytes that are no text.

Two ears. `Suspicion` sums up evidence token by token, and hears most collapses within two dozen
tokens; the rules here hear exact loops of any length, and what is hardly new in hundreds of bytes.
Every bound here lies where ordinary text does not reach; tests/test_guard.py measures that on
prose, code, tables, songs, JSON and other scripts. The share of repeated n-grams, the usual
measure of whole answers, is not among them: over 64 tokens, code, tables and songs reach 90 % and
more of repeated 4-grams, while answers that had collapsed into ten words in ever other orders had
2 to 60 %.
"""

from __future__ import annotations

import re
import string
import zlib
from dataclasses import dataclass
from typing import Literal, NamedTuple

from .suspicion import State, Suspicion

# A loop: the last bytes equal those one period before, for so many bytes and so many periods
# more, and for so many tokens.
_LOOP_BYTES = 48
_LOOP_PERIODS = 1.5
_LOOP_TOKENS = 16
_LONGEST_PERIOD = 512  # bytes
_PROBE = 16  # bytes; where they appeared last tells the period
_FLOOD = 8  # bytes; a period up to this is called a flood
# What rules, matrices and empty tables are drawn with: it takes more of it to make a loop.
_DRAWN = (string.punctuation + string.digits + string.whitespace).encode().translate(None, b"!?")
_DRAWN_TIMES = 3

_EVERY = 12  # tokens, from one look at the last bytes as a whole to the next
_WINDOW = 640  # bytes
_ZLIB_RATIO = 0.12
# Few characters in no order, as in "!!!!! !!": most of them not such as tables are drawn with,
# and less random than a DNA sequence, whose ratio is 0.55 and more.
_FLOODED = 96  # bytes
_FEWEST_BYTES = 7  # distinct ones among them
_MOST_DRAWN = 1 / 3
_FLOODED_ZLIB_RATIO = 0.45
_N_WORD = 48
_FEWEST_WORDS = 9  # distinct ones among _N_WORD
_MOST_SIGNS = 0.1  # of the window; with more of them it is no prose, and words are not counted
_SIGNS = string.punctuation.replace("'", "").encode()
_SIGNS_AND_DIGITS = _SIGNS + string.digits.encode()
_WORDS = bytes.maketrans(
    _SIGNS + string.ascii_uppercase.encode(),
    b" " * len(_SIGNS) + string.ascii_lowercase.encode(),
)
_SHORT_PROBE = 6  # bytes, as _PROBE of what is suspected already
_MANY_BROKEN = 0.3  # for each word
# Words, and each character of kana, Han and Hangul (which begin so in UTF-8) by itself.
_WORD = re.compile(rb"[\xe3-\xed][\x80-\xbf]{2}|[^\s\xe3-\xed]+")


@dataclass(frozen=True)
class Alarm:
    """An answer is collapsing. ``text``: what it does, for a person.

    ``kind``: ``flood``, one character or a short unit again and again; ``loop``, a longer one;
    ``words``, ever the same few words; ``bytes``, hardly anything new; ``broken``, bytes that are
    no text; ``salad``, words in no order.
    """

    kind: Literal["flood", "loop", "words", "bytes", "broken", "salad"]
    text: str


class _Moment(NamedTuple):
    """What is known after a token."""

    end: int = 0  # of its text in all that was said
    period: int = 0  # of the loop that it is in, in bytes; 0 where it is in none
    look: Alarm | None = None  # what the last look at the window found
    alarm: Alarm | None = None


class Guard:
    """Hears the tokens of one answer in order, and can take the last of them back.

    What it says is a function of what it heard and of nothing else. A token costs about 8
    microseconds. An answer that was asked to repeat itself is taken for collapsed, too.
    """

    def __init__(self) -> None:
        self._text = bytearray()
        self._moments = [_Moment()]
        self._suspicion = Suspicion()

    @property
    def n_heard(self) -> int:
        return len(self._moments) - 1

    @property
    def alarm(self) -> Alarm | None:
        """What is wrong at the last token."""
        return self._moments[-1].alarm

    @property
    def suspect_from(self) -> int | None:
        """The number of the token, from 1, from which on what was said smells of collapse; None
        where it does not."""
        begin = self._suspicion.state.begin
        return None if begin is None else begin + 1

    def forget(self, n_heard: int) -> None:
        """Keep only the first ``n_heard`` tokens."""
        del self._moments[n_heard + 1 :]
        del self._text[self._moments[-1].end :]
        self._suspicion.forget(n_heard)

    def hear(
        self,
        token_id: int,
        *,
        piece: bytes,
        logprob: float | None = None,
        overdose: float | None = None,
    ) -> Alarm | None:
        """The next token, its text, and where they are known the logarithm of its probability and
        how many times as much as reads fluently was added when it was drawn; what is wrong at it.
        Tokens without a text are told apart by their ids, as they loop like any others."""
        last = self._moments[-1]
        self._text += piece or b"\xff%d\xff" % token_id
        state = self._suspicion.hear(
            piece or b"<%d>" % token_id, logprob=logprob, overdose=overdose
        )
        period = self._period(last.period)
        look = self._look() if len(self._moments) % _EVERY == 0 else last.look
        self._moments.append(_Moment(len(self._text), period, look))
        alarm = self._loop(period) if period else look
        if alarm is None and state.is_alarming:
            alarm = self._suspected(state)
        if alarm is not None:
            self._moments[-1] = self._moments[-1]._replace(alarm=alarm)
        return alarm

    def _suspected(self, state: State) -> Alarm:
        if state.is_salad:
            return Alarm("salad", "says what it finds unlikely itself, token after token")
        said = bytes(self._text[self._moments[state.said.begin].end :])
        text = said.decode(errors="replace")
        n_broken = text.count("\N{REPLACEMENT CHARACTER}")
        if n_broken and n_broken >= _MANY_BROKEN * len(text.split()):
            return Alarm("broken", "says bytes that are no text")
        last = len(said) - _SHORT_PROBE
        period = last - said.rfind(said[-_SHORT_PROBE:], 0, len(said) - 1)
        if period <= last and said[-period:] == said[-2 * period : -period]:
            return self._loop(period)
        shown = text if len(text) <= 40 else f"{text[:39]}…"
        return Alarm("words", f"says ever the same words, {shown!r}")

    # -- loops, at every token -------------------------------------------------------------

    def _period(self, known: int) -> int:
        """Of the loop that the text ends in, in bytes; 0 where there is none. ``known``: the one
        before this token, which goes on even where a shorter one could be meant."""
        if len(self._moments) < _LOOP_TOKENS:
            return 0
        if known and self._loops(known):
            return known
        text = self._text
        last = len(text) - _PROBE
        place = text.rfind(text[-_PROBE:], max(0, last - _LONGEST_PERIOD), len(text) - 1)
        return last - place if place >= 0 and self._loops(last - place) else 0

    def _loops(self, period: int) -> bool:
        length = _LOOP_BYTES + int(_LOOP_PERIODS * period)
        if not self._repeats(period, length):
            return False
        if self._text[-period:].translate(None, _DRAWN):
            return True
        return self._repeats(period, _DRAWN_TIMES * length)

    def _repeats(self, period: int, length: int) -> bool:
        """Whether the last ``length`` bytes, and tokens enough, equal those a period before."""
        text = self._text
        begin = min(len(text) - length, self._moments[-_LOOP_TOKENS].end)
        return begin >= period and text[begin:] == text[begin - period : -period]

    def _loop(self, period: int) -> Alarm:
        unit = self._text[-period:].decode(errors="replace")
        shown = unit if len(unit) <= 40 else f"{unit[:39]}…"
        return Alarm("flood" if period <= _FLOOD else "loop", f"says {shown!r} again and again")

    # -- the last bytes as a whole, now and then -------------------------------------------

    def _look(self) -> Alarm | None:
        window = bytes(self._text[-_WINDOW:])
        if _is_flooded(window[-_FLOODED:]):
            return Alarm("flood", "says the same few characters again and again")
        n_distinct = _n_distinct_words(window)
        if n_distinct <= _FEWEST_WORDS:
            return Alarm("words", f"says only {n_distinct} words in {_N_WORD}")
        if len(window) == _WINDOW and _zlib_ratio(window) < _ZLIB_RATIO:
            return Alarm("bytes", f"says hardly anything new in {_WINDOW} bytes")
        return None


def _is_flooded(text: bytes) -> bool:
    return (
        len(text) == _FLOODED
        and len(set(text)) <= _FEWEST_BYTES
        and len(text.translate(None, _DRAWN)) >= (1 - _MOST_DRAWN) * _FLOODED
        and _zlib_ratio(text) < _FLOODED_ZLIB_RATIO
    )


def _n_distinct_words(text: bytes) -> int:
    """Among the last ``_N_WORD``; that many where there are fewer, and in what is no prose."""
    n_sign = len(text) - len(text.translate(None, _SIGNS_AND_DIGITS))
    if n_sign > _MOST_SIGNS * len(text):
        return _N_WORD
    plain = text.translate(_WORDS)
    words = plain.split()
    if len(words) < _N_WORD:  # perhaps a script that does not write words apart
        words = _WORD.findall(plain)
    return len(set(words[-_N_WORD:])) if len(words) >= _N_WORD else _N_WORD


def _zlib_ratio(text: bytes) -> float:
    return len(zlib.compress(text, 1)) / len(text)

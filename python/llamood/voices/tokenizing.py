"""From text to tokens, in a time that grows with the text and no faster.

llama.cpp looks up special tokens (``<|im_end|>`` say) in a list that it goes through from its
beginning for each one that it finds: a text of 24,000 takes seconds. So such texts are given to it
in parts that begin and end at special tokens, where tokens never reach across.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import llama_cpp

Plain = Callable[[bytes, bool], list[int]]  # told a text, and whether it is the beginning

_ALWAYS = llama_cpp.LLAMA_TOKEN_ATTR_USER_DEFINED
_CONTROLS = llama_cpp.LLAMA_TOKEN_ATTR_CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_UNKNOWN
_STRIPS = llama_cpp.LLAMA_TOKEN_ATTR_LSTRIP | llama_cpp.LLAMA_TOKEN_ATTR_RSTRIP
# What these write as tokens is all of the text; others change it before.
_KEEP_ALL = (llama_cpp.LLAMA_VOCAB_TYPE_SPM, llama_cpp.LLAMA_VOCAB_TYPE_BPE)
_MOST_SPECIAL = 256  # special tokens of a part
_ANY_LENGTH = 2**31


class Tokenizer:
    """Of one ``llama_vocab``. ``special``: whether texts of control tokens are such. Safe in any
    thread."""

    def __init__(self, vocab: Any, *, special: bool) -> None:
        self._vocab = vocab
        self._wanted = _ALWAYS | (_CONTROLS if special else 0)

    def tokens(self, text: bytes, plain: Plain) -> list[int]:
        """What ``plain`` makes of the whole text."""
        parts = self._parts(text)
        n_special = sum(part in self._known for part in parts)
        if self._changes_at_ends or n_special <= _MOST_SPECIAL:
            return plain(text, True)
        found: list[int] = []
        for i, chunk in enumerate(self._chunks(parts)):
            found += plain(chunk, i == 0)
        return found

    def at_least(self, text: bytes) -> int:
        """How many tokens the text surely has, which costs little to know."""
        parts = self._parts(text)
        n_bytes = sum(len(part) for part in parts if part not in self._known)
        return sum(part in self._known for part in parts) + n_bytes // self._longest

    def _parts(self, text: bytes) -> list[bytes]:
        """The text, cut at its special tokens as llama.cpp does: the longest come first."""
        parts = [text]
        for special in self._specials:
            if special in text:
                parts = [cut for part in parts for cut in self._cut(part, special)]
        return parts

    def _cut(self, part: bytes, special: bytes) -> Iterator[bytes]:
        if part in self._known:
            yield part
            return
        first, *rest = part.split(special)
        if first:
            yield first
        for one in rest:
            yield special
            if one:
                yield one

    def _chunks(self, parts: list[bytes]) -> Iterator[bytes]:
        """The parts joined, each chunk up to a special token."""
        begin, n_special = 0, 0
        for i, part in enumerate(parts):
            n_special += part in self._known
            if n_special == _MOST_SPECIAL:
                yield b"".join(parts[begin : i + 1])
                begin, n_special = i + 1, 0
        if begin < len(parts):
            yield b"".join(parts[begin:])

    # -- what the model's vocabulary says ----------------------------------------------------

    @cached_property
    def _texts(self) -> list[bytes]:
        n = llama_cpp.llama_vocab_n_tokens(self._vocab)
        return [llama_cpp.llama_vocab_get_text(self._vocab, i) or b"" for i in range(n)]

    @cached_property
    def _specials(self) -> list[bytes]:
        """Longest first."""
        found = {
            text for i, text in enumerate(self._texts) if text and self._attr(i) & self._wanted
        }
        return sorted(found, key=len, reverse=True)

    @cached_property
    def _known(self) -> frozenset[bytes]:
        return frozenset(self._specials)

    @cached_property
    def _longest(self) -> int:
        """Bytes that one token can stand for: those of its text, or fewer."""
        if llama_cpp.llama_vocab_type(self._vocab) not in _KEEP_ALL:
            return _ANY_LENGTH
        return max(map(len, self._texts), default=0) or _ANY_LENGTH

    @cached_property
    def _changes_at_ends(self) -> bool:
        """Whether a text in parts gives other tokens: with an end of its own, or where special
        tokens swallow the space around them."""
        strips = any(self._attr(i) & _STRIPS for i in range(len(self._texts)))
        return strips or bool(llama_cpp.llama_vocab_get_add_eos(self._vocab))

    def _attr(self, token: int) -> int:
        return int(llama_cpp.llama_vocab_get_attr(self._vocab, token))

"""The texts that a vocabulary has for control tokens, and how a user who says one is kept from
giving the token."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import llama_cpp

# Around such a text while a chat template writes it down. Both are no characters in Unicode, for
# programs to use inside, and JSON has no other way to write them.
_BEGIN, _END = "\ufdd0", "\ufdd1"
_EDGE = re.compile(f"([{_BEGIN}{_END}])")
_ATTRIBUTES = llama_cpp.LLAMA_TOKEN_ATTR_CONTROL | llama_cpp.LLAMA_TOKEN_ATTR_UNKNOWN

# A text as tokens; whether the texts of control tokens in it are these.
Tokenize = Callable[[bytes, bool], list[int]]


class ControlTexts:
    """Of a ``llama_vocab``."""

    def __init__(self, vocab: Any) -> None:
        texts = (
            llama_cpp.llama_vocab_get_text(vocab, token).decode(errors="replace")
            for token in range(llama_cpp.llama_vocab_n_tokens(vocab))
            if llama_cpp.llama_vocab_get_attr(vocab, token) & _ATTRIBUTES
        )
        written = _one_of(text for text in texts if text)
        self._pattern = re.compile(f"(?:{written})+") if written else None

    def marked(self, said: Any) -> Any:
        """JSON, in whose texts those of control tokens are marked."""
        if isinstance(said, str):
            text = _EDGE.sub("\ufffd", said)
            return self._pattern.sub(_mark, text) if self._pattern else text
        if isinstance(said, list | tuple):
            return [self.marked(part) for part in said]
        if isinstance(said, dict):
            return {self.marked(key): self.marked(part) for key, part in said.items()}
        return said

    def tokens(self, text: str, tokenize: Tokenize) -> list[int]:
        """Of a text whose marked parts are plain characters, and in whose others control tokens are
        such."""
        tokens: list[int] = []
        known: dict[tuple[str, bool], list[int]] = {}  # one text may be said a thousand times
        is_plain = False
        for part in _EDGE.split(text):
            if part in (_BEGIN, _END):
                is_plain = part == _BEGIN
            elif part:
                key = (part, not is_plain)
                if key not in known:
                    known[key] = tokenize(part.encode(), not is_plain)
                tokens += known[key]
        return tokens


def _mark(found: re.Match[str]) -> str:
    return f"{_BEGIN}{found.group()}{_END}"


def _one_of(words: Iterable[str]) -> str:
    """A regular expression for the longest of these words, which looks at each character once,
    however many they are."""
    tree: dict[str, Any] = {}
    for word in words:
        node = tree
        for char in word:
            node = node.setdefault(char, {})
        node[""] = {}
    return _branches(tree)


def _branches(node: dict[str, Any]) -> str:
    ways = [re.escape(char) + _branches(rest) for char, rest in node.items() if char]
    if not ways:
        return ""
    joined = ways[0] if len(ways) == 1 else f"(?:{'|'.join(ways)})"
    return f"(?:{joined})?" if "" in node else joined

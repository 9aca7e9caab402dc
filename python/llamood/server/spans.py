"""Where an answer is for a program to read: JSON and tool calls in the middle of prose."""

from __future__ import annotations

import re

_OPENINGS = {"<tool_call>": "</tool_call>", "```json": "```"}
_OBJECT = re.compile(r"(?:^|\n|[\s:])([{\[]\s*(?=[\"{\[]))")
_LONGEST = max(map(len, _OPENINGS))
_BRACKETS = {"{": 1, "[": 1, "}": -1, "]": -1}


class Spans:
    """Hears an answer piece by piece. A span is a tool call, a fenced block of JSON, or an object
    or list of JSON that begins at a space."""

    def __init__(self) -> None:
        self._text = ""  # what a span may begin in
        self._closing = ""  # what ends the span that is open, `}` for brackets that balance
        self._depth = 0
        self._is_quoted = False
        self._is_escaped = False

    @property
    def is_inside(self) -> bool:
        return bool(self._closing)

    def hear(self, text: str) -> bool:
        """Whether the answer is inside a span after this."""
        for char in text:
            if self._closing == "}":
                self._balance(char)
            else:
                self._text += char
                self._look(char)
        return self.is_inside

    def _look(self, char: str) -> None:
        if self._closing:
            # A string of JSON may hold what closes a span, but no end of a line.
            self._quote(char, ends='"\n')
            if not self._is_quoted and self._text.endswith(self._closing):
                self._text = self._closing = ""
            return
        for opening, closing in _OPENINGS.items():
            if self._text.endswith(opening):
                self._text, self._closing, self._is_quoted = "", closing, False
                return
        # A bracket is known for JSON by what follows it.
        found = _OBJECT.search(self._text)
        if found is not None:
            begun, self._text, self._closing = self._text[found.start(1) :], "", "}"
            for char in begun:
                self._balance(char)
        elif len(self._text) > _LONGEST and not re.search(r"[{\[]\s*$", self._text):
            self._text = self._text[-_LONGEST:]

    def _balance(self, char: str) -> None:
        was_quoted = self._is_quoted
        self._quote(char, ends='"')
        if not was_quoted:
            self._depth += _BRACKETS.get(char, 0)
            if self._depth == 0:
                self._closing = ""

    def _quote(self, char: str, *, ends: str) -> None:
        if not self._is_quoted:
            self._is_quoted = char == '"'
        elif self._is_escaped:
            self._is_escaped = False
        else:
            self._is_escaped = char == "\\"
            self._is_quoted = char not in ends

"""Tool calls: whether a model's template offers them, and how they are read off an answer.

Read is the form of Hermes and Qwen, a JSON object between ``<tool_call>`` and ``</tool_call>``;
``parameters``, as Llama writes, are ``arguments`` too.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from typing import Any

from llamood.errors import ModelError

OPEN, CLOSE = "<tool_call>", "</tool_call>"
# What may hold the closing tag, and that: no string of JSON has a line end in it.
_STRING_OR_CLOSE = re.compile(rf'"(?:[^"\\\n]|\\.)*(?:"|\n|\\?\Z)|{CLOSE}', re.DOTALL)


def require_offered(template: str) -> None:
    """Raises `ModelError` where a chat template for tools writes none, or none that are read."""
    if "tools" not in template or OPEN not in template:
        raise ModelError(
            f"this model's chat template offers no tool calls between {OPEN} and {CLOSE}"
        )


class Calls:
    """Hears an answer, and takes tool calls out of its text. ``only_first``: what is said after the
    first call is told to nobody. ``apart``: the name of a tool whose calls are told as they come,
    and are not among those `found`, nor the first. ``ended_by``: the tool whose call is the last
    thing that was heard, but for blanks."""

    def __init__(
        self, names: Sequence[str], *, only_first: bool = False, apart: str | None = None
    ) -> None:
        self.found: list[dict[str, Any]] = []
        self.ended_by: str | None = None
        self._names = frozenset(names)
        self._only_first = only_first
        self._apart = apart
        self._held = ""

    def hear(self, text: str, *, is_last: bool) -> tuple[str, list[dict[str, Any]]]:
        """What is text of it for sure, and the calls that are whole now. What calls nothing that
        there is stays text."""
        self._held += text
        said, calls = "", []
        while OPEN in self._held and not self._is_done:
            before, _, rest = self._held.partition(OPEN)
            end = _end_of_call(rest)
            if end is None and not is_last:
                said, self._held = said + self._text(before), OPEN + rest
                break
            # The end of an answer is that of a call, too.
            inner = rest[:end]
            whole, after = (rest, "") if end is None else (inner + CLOSE, rest[end + len(CLOSE) :])
            call = self._call(inner)
            said += self._text(before if call else before + OPEN + whole)
            if call:
                calls.append(call)
                self.ended_by = call["function"]["name"]
            self._held = after
        else:
            kept = 0 if is_last else _n_open(self._held)
            cut = len(self._held) - kept
            text, self._held = self._held[:cut] * (not self._is_done), self._held[cut:]
            said += self._text(text)
        return said, calls

    def _text(self, said: str) -> str:
        if said and not said.isspace():
            self.ended_by = None
        return said

    @property
    def _is_done(self) -> bool:
        return self._only_first and bool(self.found)

    def _call(self, written: str) -> dict[str, Any] | None:
        try:
            call = json.loads(written)
        except (ValueError, RecursionError):
            return None
        name = call.get("name") if isinstance(call, dict) else None
        if not isinstance(name, str) or name not in self._names:
            return None
        said = _arguments(call.get("arguments", call.get("parameters")))
        arguments = json.dumps(said, ensure_ascii=False)
        if any("\ud800" <= char <= "\udfff" for char in arguments):  # no text can be sent with it
            return None
        made = {
            "index": len(self.found),
            "id": f"call_{uuid.uuid4().hex[:24]}",
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        }
        if name != self._apart:
            self.found.append(made)
        return made


def _arguments(said: Any) -> Any:
    """Of a call; some models write them as a text of JSON, as the API has them."""
    if said is None or said == "":
        return {}
    if isinstance(said, str):
        try:
            read = json.loads(said)
        except (ValueError, RecursionError):
            return said
        return read if isinstance(read, dict) else said
    return said


def _end_of_call(text: str) -> int | None:
    """Where the closing tag begins that stands in none of its strings; None where there is none."""
    if CLOSE not in text:
        return None
    found = (m.start() for m in _STRING_OR_CLOSE.finditer(text) if m.group() == CLOSE)
    return next(found, None)


def _n_open(text: str) -> int:
    """How many of the last characters may begin a call."""
    return next((n for n in range(len(OPEN) - 1, 0, -1) if text.endswith(OPEN[:n])), 0)

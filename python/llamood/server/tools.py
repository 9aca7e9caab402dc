"""Tool calls: whether a model's template offers them, and how they are read off an answer.

Read is the form of Hermes and Qwen, a JSON object between ``<tool_call>`` and ``</tool_call>``.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Any

from llamood.server.errors import ApiError
from llamood.server.formats import check, grammar_of, placed
from llamood.server.requests import Tool, ToolChoice

OPEN, CLOSE = "<tool_call>", "</tool_call>"


def require_offered(template: str) -> None:
    """Raises `ApiError` where the model's chat template writes no tools, or none that are read."""
    if "tools" not in template or OPEN not in template:
        raise ApiError(
            400,
            f"this model's chat template offers no tool calls between {OPEN} and {CLOSE}",
            param="tools",
        )


def chosen(tools: Sequence[Tool], choice: Any) -> list[Tool]:
    """Those that the model is to call, one of them and nothing else; none where it may choose."""
    if choice == "required":
        return list(tools)
    if isinstance(choice, ToolChoice):
        named = [tool for tool in tools if tool.function.name == choice.function.name]
        if not named:
            raise ApiError(400, "tool_choice names none of the tools", param="tool_choice")
        return named
    return []


def grammar(tools: Sequence[Tool]) -> str:
    """Of one call of one of these."""
    ways, definitions = [], {}
    for i, tool in enumerate(tools):
        arguments = tool.function.parameters or {"type": "object", "properties": {}}
        check(arguments, param=f"tools.{i}.function.parameters")
        definitions[f"tool{i}"] = placed(arguments, f"#/$defs/tool{i}")
        call = {"name": {"const": tool.function.name}, "arguments": {"$ref": f"#/$defs/tool{i}"}}
        ways.append({"type": "object", "properties": call, "required": ["name", "arguments"]})
    written = grammar_of({"anyOf": ways, "$defs": definitions}, param="tools")
    # No rule refers to `root`, which is the first of its line.
    call_rule = "\n".join(
        line.replace("root ::=", "call ::=", 1) if line.startswith("root ::=") else line
        for line in written.split("\n")
    )
    return f'root ::= "{OPEN}\\n" call "\\n{CLOSE}"\n{call_rule}'


class Calls:
    """Hears an answer, and takes tool calls out of its text."""

    def __init__(self, names: Sequence[str]) -> None:
        self.found: list[dict[str, Any]] = []
        self._names = frozenset(names)
        self._held = ""

    def hear(self, text: str, *, is_last: bool) -> tuple[str, list[dict[str, Any]]]:
        """What is text of it for sure, and the calls that are whole now. What calls nothing that
        there is stays text."""
        self._held += text
        said, calls = "", []
        while OPEN in self._held:
            before, _, rest = self._held.partition(OPEN)
            inner, end, after = rest.partition(CLOSE)
            if not end:
                said, self._held = said + before, OPEN + rest
                break
            call = self._call(inner)
            said += before if call else before + OPEN + inner + CLOSE
            calls += [call] if call else []
            self._held = after
        else:
            kept = 0 if is_last else _n_open(self._held)
            cut = len(self._held) - kept
            said, self._held = said + self._held[:cut], self._held[cut:]
        if is_last:
            said, self._held = said + self._held, ""
        return said, calls

    def _call(self, written: str) -> dict[str, Any] | None:
        try:
            call = json.loads(written)
        except (ValueError, RecursionError):
            return None
        if not isinstance(call, dict) or call.get("name") not in self._names:
            return None
        arguments = call.get("arguments", {})
        made = {
            "index": len(self.found),
            "id": f"call_{uuid.uuid4().hex[:24]}",
            "type": "function",
            "function": {
                "name": call["name"],
                "arguments": json.dumps(arguments, ensure_ascii=False),
            },
        }
        self.found.append(made)
        return made


def _n_open(text: str) -> int:
    """How many of the last characters may begin a call."""
    return next((n for n in range(len(OPEN) - 1, 0, -1) if text.endswith(OPEN[:n])), 0)

"""The tools of a request: which of them an answer must call, and the grammar of such a call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llamood.errors import ModelError
from llamood.server.errors import ApiError
from llamood.server.formats import check, grammar_of, placed
from llamood.server.tool_definitions import Tool, ToolChoice
from llamood.voices import tool_calls
from llamood.voices.tool_calls import CLOSE, OPEN


def require_offered(template: str, *, param: str) -> None:
    """Raises `ApiError` where the model's chat template for tools writes none, or none that are
    read."""
    try:
        tool_calls.require_offered(template)
    except ModelError as error:
        raise ApiError(400, str(error), param=param) from None


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

"""How a request defines tools, and says which must be called."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, model_validator

from llamood.server.fields import CACHED, Strict, Text, only_type


class Function(Strict):
    """``parameters``: JSON Schema of what it takes."""

    refused = CACHED

    name: Annotated[Text, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    description: Text | None = None
    parameters: dict[str, JsonValue] | None = None
    strict: bool | None = None


class Tool(Strict):
    """A function that the model may call; whoever asks runs it."""

    refused = CACHED

    type: Literal["function"]
    function: Function

    @model_validator(mode="before")
    @classmethod
    def _is_function(cls, data: Any) -> Any:
        return only_type(data, "function", known={"custom": "custom tools"}, others="tools")


class FunctionName(Strict):
    """That of a tool, or ``feel``."""

    name: Text


class ToolChoice(Strict):
    """The one tool that must be called."""

    type: Literal["function"]
    function: FunctionName

    @model_validator(mode="before")
    @classmethod
    def _is_function(cls, data: Any) -> Any:
        return only_type(data, "function", known={}, others="choices")


def choice_kind(choice: Any) -> str:
    """By which of its two forms a choice is read."""
    return "<named>" if isinstance(choice, dict | ToolChoice) else "<word>"

"""The messages of a conversation, as clients write them and send them back.

What a client's helpers put into an answer comes back with it: it is taken where it says nothing
that a model could be told, and refused by its own name where leaving it out would be wrong.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BeforeValidator,
    Discriminator,
    Field,
    JsonValue,
    Tag,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from llamood.server.fields import (
    CACHED,
    Refusal,
    Remark,
    Strict,
    Text,
    is_too_deep,
    only_type,
)

_NO_TEXTS = {
    "image_url": "pictures",
    "image": "pictures",
    "input_image": "pictures",
    "input_audio": "sounds",
    "audio_url": "sounds",
    "video_url": "films",
    "file": "files",
    "input_file": "files",
}


class TextPart(Strict):
    """A text, of several that are one message."""

    refused = CACHED

    type: Literal["text"]
    text: Text
    annotations: Remark = None

    @model_validator(mode="before")
    @classmethod
    def _is_text(cls, data: Any) -> Any:
        return only_type(data, "text", known=_NO_TEXTS, others="parts")


class RefusalPart(Strict):
    """What was said in place of an answer."""

    type: Literal["refusal"]
    refusal: Text


def _part_kind(part: Any) -> str:
    is_refusal = isinstance(part, dict) and part.get("type") == "refusal"
    return "<refusal>" if is_refusal or isinstance(part, RefusalPart) else "<text>"


SaidPart = Annotated[
    Annotated[TextPart, Tag("<text>")] | Annotated[RefusalPart, Tag("<refusal>")],
    Discriminator(_part_kind),
]


def _content_kind(content: Any) -> str | None:
    return "<one>" if isinstance(content, str) else "<parts>" if isinstance(content, list) else None


_one_or_parts = Discriminator(
    _content_kind,
    custom_error_type="content",
    custom_error_message="expected a text, or a list of parts",
)
Content = Annotated[
    Annotated[Text, Tag("<one>")] | Annotated[list[TextPart], Tag("<parts>")], _one_or_parts
]
SaidContent = Annotated[
    Annotated[Text, Tag("<one>")] | Annotated[list[SaidPart], Tag("<parts>")], _one_or_parts
]


def _arguments(written: Any) -> Any:
    """What the arguments of a call are: they come as the JSON text of an object, which is empty
    where there are none; some clients send the object itself."""
    if written is None or (isinstance(written, str) and not written.strip()):
        return {}
    if not isinstance(written, str | dict):
        raise PydanticCustomError("arguments", "expected the arguments as JSON text")
    try:
        read = json.loads(written) if isinstance(written, str) else written
    except (ValueError, RecursionError):
        raise PydanticCustomError("arguments", "the arguments of a tool call are no JSON") from None
    if is_too_deep(read):
        raise PydanticCustomError("arguments", "the arguments of a tool call are nested too deep")
    return read


class Called(Strict):
    """``arguments``: as JSON text, or the object itself."""

    name: Text
    arguments: Annotated[
        JsonValue,
        BeforeValidator(_arguments),
        WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object"}, {"type": "null"}]}),
    ] = Field(None, validate_default=True)
    parsed_arguments: Remark = None
    provider_specific_fields: Remark = None


class ToolCall(Strict):
    """A call that the model made."""

    refused = CACHED

    id: Text
    type: Literal["function"] = "function"
    function: Called
    index: Remark = None
    provider_specific_fields: Remark = None
    extra_content: Remark = None

    @model_validator(mode="before")
    @classmethod
    def _is_function(cls, data: Any) -> Any:
        return only_type(data, "function", known={"custom": "custom tools"}, others="tool calls")


class Instruction(Strict):
    """What the model is told to be."""

    refused = CACHED

    role: Literal["system", "developer"]
    content: Content
    name: Text | None = None


class Question(Strict):
    """What the user said."""

    refused = CACHED

    role: Literal["user"]
    content: Content
    name: Text | None = None


_UNFINISHED = "is not supported here: an answer begins anew, and goes on with none; leave it out"
_OLD = "is the older form of a tool call; send tool_calls, and a message of role tool"


class Reply(Strict):
    """``refusal``: what was said in place of an answer. ``reasoning_content``: given to chat
    templates, of which some write it."""

    refused: ClassVar[dict[str, Refusal]] = {
        **CACHED,
        "audio": ("is not supported here: what was spoken is not known; send its text", ()),
        "images": ("is not supported here: the model sees no pictures; leave it out", ([],)),
        "function_call": (_OLD, ()),
        "prefix": (_UNFINISHED, (False,)),
        "partial": (_UNFINISHED, (False,)),
    }

    role: Literal["assistant"]
    content: SaidContent | None = None
    name: Text | None = None
    refusal: Text | None = None
    tool_calls: list[ToolCall] | None = None
    reasoning_content: Text | None = None
    reasoning: Remark = None
    reasoning_details: Remark = None
    thinking_blocks: Remark = None
    annotations: Remark = None
    parsed: Remark = None
    provider_specific_fields: Remark = None
    index: Remark = None


class ToolResult(Strict):
    """What a tool answered to the call ``tool_call_id``."""

    refused = CACHED

    role: Literal["tool"]
    content: Content
    tool_call_id: Text
    name: Text | None = None


Message = Annotated[Instruction | Question | Reply | ToolResult, Field(discriminator="role")]

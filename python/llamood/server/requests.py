"""What a request may say: OpenAI's fields, llama.cpp's sampling, and a mood.

What is known to OpenAI and not supported here is refused by name, unless it says what is so anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

# Field -> the values that ask for nothing, beside null.
_UNSUPPORTED: Mapping[str, tuple[Any, ...]] = {
    "audio": (),
    "function_call": ("none",),
    "functions": ([],),
    "logit_bias": ({},),
    "metadata": ({},),
    "modalities": (["text"],),
    "moderation": (),
    "parallel_tool_calls": (True,),
    "prediction": (),
    "prompt_cache_key": (),
    "prompt_cache_options": (),
    "prompt_cache_retention": (),
    "reasoning_effort": ("none",),
    "service_tier": ("auto", "default"),
    "store": (False,),
    "verbosity": ("medium",),
    "web_search_options": (),
    "best_of": (1,),
    "echo": (False,),
    "suffix": ("",),
}


def _unsupported_left_out(data: Any) -> Any:
    if not isinstance(data, dict):
        return data
    for name, neutral in _UNSUPPORTED.items():
        if data.get(name) is not None and data[name] not in neutral:
            raise PydanticCustomError(
                "unsupported", "{name} is not supported here; leave it out", {"name": name}
            )
    return {name: value for name, value in data.items() if name not in _UNSUPPORTED}


def _written(value: Any) -> Any:
    """A text that can be written as UTF-8: JSON lets halves of characters through."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise PydanticCustomError("unicode", "half of a character, which is no text") from None
        if "\0" in value:
            raise PydanticCustomError("unicode", "a zero byte, which ends a text")
    return value


Text = Annotated[str, BeforeValidator(_written)]
_Stop = Annotated[Text, Field(min_length=1, max_length=200)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class StreamOptions(_Strict):
    include_usage: bool | None = None
    include_obfuscation: Literal[False] | None = None


class Extra(_Strict):
    """``session``: a conversation whose mood lives on: a request without a mood goes on in its
    last, and inertia from what was felt last. ``steer``: ``prose`` pauses the mood inside JSON and
    tool calls, ``all`` does not."""

    session: Annotated[Text, Field(min_length=1, max_length=128)] | None = None
    steer: Literal["prose", "all"] = "prose"


AskedMood = Annotated[
    dict[str, JsonValue] | Text,
    Field(description="As an object, or in the short form: joy=0.8,fear=-0.2"),
]


class Shared(_Strict):
    """What both kinds of completions take."""

    model: Text
    frequency_penalty: float | None = Field(None, ge=-2, le=2)
    max_tokens: int | None = Field(None, ge=1, le=2**31 - 1)
    n: int | None = Field(None, ge=1, le=128)
    presence_penalty: float | None = Field(None, ge=-2, le=2)
    seed: int | None = Field(None, ge=-(2**63), le=2**63 - 1)
    stop: _Stop | Annotated[list[_Stop], Field(max_length=4)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: float | None = Field(None, ge=0, le=2)
    top_p: float | None = Field(None, ge=0, le=1)
    user: Text | None = Field(None, description="Taken, and of no effect.")
    safety_identifier: Text | None = Field(None, description="Taken, and of no effect.")
    top_k: int | None = Field(None, ge=0, le=2**31 - 1)
    min_p: float | None = Field(None, ge=0, le=1)
    typical_p: float | None = Field(None, ge=0, le=1)
    repeat_penalty: float | None = Field(None, gt=0, le=10)
    mood: AskedMood | None = None
    readings: bool | None = Field(
        None,
        description="Each chunk or choice says under which mix it was said, and its reading.",
    )
    llamood: Extra | None = None

    _known = model_validator(mode="before")(_unsupported_left_out)


class TextPart(_Strict):
    type: Literal["text"]
    text: Text


class Called(_Strict):
    name: Text
    arguments: Text


class ToolCall(_Strict):
    id: Text
    type: Literal["function"]
    function: Called


Content = Text | list[TextPart]


class Instruction(_Strict):
    role: Literal["system", "developer"]
    content: Content
    name: Text | None = None


class Question(_Strict):
    role: Literal["user"]
    content: Content
    name: Text | None = None


class Reply(_Strict):
    role: Literal["assistant"]
    content: Content | None = None
    name: Text | None = None
    refusal: None = None
    audio: None = None
    function_call: None = None
    annotations: list[JsonValue] | None = Field(None, max_length=0)
    tool_calls: list[ToolCall] | None = None


class ToolResult(_Strict):
    role: Literal["tool"]
    content: Content
    tool_call_id: Text


Message = Annotated[Instruction | Question | Reply | ToolResult, Field(discriminator="role")]


class AsText(_Strict):
    type: Literal["text"]


class AsObject(_Strict):
    type: Literal["json_object"]


class NamedSchema(_Strict):
    name: Annotated[Text, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    description: Text | None = None
    schema_: dict[str, JsonValue] = Field(alias="schema")
    strict: bool | None = None


class AsSchema(_Strict):
    type: Literal["json_schema"]
    json_schema: NamedSchema


ResponseFormat = Annotated[AsText | AsObject | AsSchema, Field(discriminator="type")]


class Function(_Strict):
    name: Annotated[Text, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    description: Text | None = None
    parameters: dict[str, JsonValue] | None = None
    strict: bool | None = None


class Tool(_Strict):
    type: Literal["function"]
    function: Function


class FunctionName(_Strict):
    name: Text


class ToolChoice(_Strict):
    type: Literal["function"]
    function: FunctionName


class ChatRequest(Shared):
    messages: list[Message] = Field(min_length=1, max_length=4096)
    max_completion_tokens: int | None = Field(None, ge=1, le=2**31 - 1)
    logprobs: bool | None = None
    top_logprobs: int | None = Field(None, ge=0, le=20)
    response_format: ResponseFormat | None = None
    tools: list[Tool] | None = Field(None, max_length=128)
    tool_choice: Literal["none", "auto", "required"] | ToolChoice | None = None


_Token = Annotated[int, Field(ge=0, le=2**31 - 1)]
_Tokens = Annotated[list[_Token], Field(min_length=1)]


class TextRequest(Shared):
    prompt: (
        Text
        | _Tokens
        | Annotated[list[Text], Field(min_length=1, max_length=128)]
        | Annotated[list[_Tokens], Field(min_length=1, max_length=128)]
    )
    logprobs: int | None = Field(None, ge=0, le=20)


class RowsRequest(_Strict):
    """``tokens``: how many of an answer, from its first on."""

    mood: AskedMood
    tokens: int = Field(64, ge=1, le=1024)

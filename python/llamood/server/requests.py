"""What a request may say: OpenAI's fields, llama.cpp's sampling, and a mood.

What is known to OpenAI and not supported here is refused by name, unless it says what is so anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator, Field, JsonValue, Tag, model_validator
from pydantic_core import PydanticCustomError

from llamood.calibration.manner import LONGEST
from llamood.calibration.utterances import FEWEST, MOST
from llamood.server.fields import (
    DEEPEST,
    UNSUPPORTED,
    Refusal,
    Strict,
    Text,
    is_too_deep,
)
from llamood.server.messages import Message
from llamood.server.tool_definitions import Tool, ToolChoice, choice_kind

# With the values that ask for nothing, beside null.
_UNSUPPORTED: Mapping[str, tuple[Any, ...]] = {
    "audio": (),
    "function_call": ("none",),
    "functions": ([],),
    "logit_bias": ({},),
    "metadata": ({},),
    "modalities": (["text"],),
    "moderation": (),
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
    # llama.cpp's, and its servers'
    "grammar": ("",),
    "json_schema": (),
    "logit_bias_type": (),
    "min_tokens": (0,),
    "mirostat": (0,),
    "mirostat_mode": (0,),
    "mirostat_tau": (5.0,),
    "mirostat_eta": (0.1,),
}
_MOST_STOPS = 64
_MOST_FACES = 64
_MOST_FELT = 64
_LONGEST_UTTERANCE = 2000  # characters
_LIMIT = "0 and -1: as many as there is room for."
# Where a request says nothing; those of llama-cpp-python's server.
DEFAULTS: Mapping[str, Any] = {"temperature": 0.8, "top_p": 0.95, "min_p": 0.05, "top_k": 40}


def _unless(name: str, said: str) -> str:
    return f"{said} Unless it is given: {DEFAULTS[name]}."


def _text_or_list(value: Any) -> str | None:
    return "<one>" if isinstance(value, str) else "<list>" if isinstance(value, list) else None


_StopText = Annotated[Text, Field(min_length=1, max_length=200)]
Stop = Annotated[
    Annotated[_StopText, Tag("<one>")]
    | Annotated[list[_StopText], Field(max_length=_MOST_STOPS), Tag("<list>")],
    Discriminator(
        _text_or_list,
        custom_error_type="stop",
        custom_error_message="expected a text, or a list of texts",
    ),
]


def _faces_kind(faces: Any) -> str | None:
    return (
        "<labels>" if isinstance(faces, dict) else "<emotions>" if isinstance(faces, list) else None
    )


_Label = Annotated[Text, Field(max_length=64)]
AskedFaces = Annotated[
    Annotated[dict[_Label, _Label | None], Field(max_length=_MOST_FACES), Tag("<labels>")]
    | Annotated[list[_Label], Field(max_length=_MOST_FACES), Tag("<emotions>")],
    Discriminator(
        _faces_kind,
        custom_error_type="faces",
        custom_error_message="expected a list of emotions, or an object, label -> emotion",
    ),
    Field(
        description="What a face can show (see ``readings``): emotions, or label -> the emotion "
        "that it shows, null for the neutral face. Each emotion that is read, unless it is given."
    ),
]


def _feelings_kind(feel: Any) -> str | None:
    if feel is True:
        return "<all>"
    return (
        "<limits>" if isinstance(feel, dict) else "<emotions>" if isinstance(feel, list) else None
    )


AskedFeelings = Annotated[
    Annotated[dict[_Label, float], Field(min_length=1, max_length=_MOST_FELT), Tag("<limits>")]
    | Annotated[list[_Label], Field(min_length=1, max_length=_MOST_FELT), Tag("<emotions>")]
    | Annotated[Literal[True], Tag("<all>")],
    Discriminator(
        _feelings_kind,
        custom_error_type="feel",
        custom_error_message="expected a list of emotions, an object, emotion -> its largest "
        "intensity, or true for all",
    ),
    Field(
        description="What of its mood the character may set itself, by a tool ``feel`` that the "
        "service offers to it and runs: emotions, emotion -> its largest intensity, or true for "
        "all emotions."
    ),
]


class StreamOptions(Strict):
    """What a stream has beside the answer."""

    include_usage: bool | None = Field(
        None, description="A last chunk, without choices, says how many tokens there were."
    )
    include_obfuscation: Literal[False] | None = Field(
        None, description="There is none here, so only false is taken."
    )


def _session_kind(session: Any) -> str | None:
    return "<name>" if isinstance(session, str) else "<new>" if session is True else None


AskedSession = Annotated[
    Annotated[Text, Field(min_length=1, max_length=128), Tag("<name>")]
    | Annotated[Literal[True], Tag("<new>")],
    Discriminator(
        _session_kind,
        custom_error_type="session",
        custom_error_message="expected the name of a session, or true for a new one",
    ),
]


class Extra(Strict):
    """``session``: a conversation whose mood lives on: a request without a mood goes on in its
    last, and inertia from what was felt last; true for a new one, whose name the answer says.
    ``steer``: ``prose`` pauses the mood inside JSON and tool calls, ``all`` does not.
    ``continues``: the last message, an assistant's, is the beginning of the answer, which goes on
    from there."""

    session: AskedSession | None = Field(
        None, description="The name of the session, or true for a new one."
    )
    steer: Literal["prose", "all"] = Field(
        "prose",
        description="Where the mood is felt: outside of JSON and tool calls, or everywhere.",
    )
    continues: bool = Field(False, description="Whether the answer goes on with the last message.")


def _mood_kind(mood: Any) -> str | None:
    return "<short>" if isinstance(mood, str) else "<object>" if isinstance(mood, dict) else None


AskedMood = Annotated[
    Annotated[dict[str, JsonValue], Tag("<object>")] | Annotated[Text, Tag("<short>")],
    Discriminator(
        _mood_kind,
        custom_error_type="mood",
        custom_error_message="expected an object of intensities, the short form, as in joy=0.8, or "
        "the name of a personality",
    ),
    Field(
        description="As an object, in the short form, joy=0.8,fear=-0.2, or the name of a "
        "personality, which also begins a conversation that has no system message."
    ),
]


class Body(Strict):
    """All of a request."""

    @model_validator(mode="before")
    @classmethod
    def _can_be_written(cls, data: Any) -> Any:
        for name, value in data.items() if isinstance(data, dict) else ():
            if is_too_deep(value):
                raise PydanticCustomError(
                    "nested",
                    "nested deeper than {deepest} lists and objects",
                    {"deepest": DEEPEST, "field": name},
                )
        return data


class Shared(Body):
    """What both kinds of completions take."""

    refused: ClassVar[Mapping[str, Refusal]] = {
        name: (UNSUPPORTED, neutral) for name, neutral in _UNSUPPORTED.items()
    }

    model: Text | None = Field(
        None, description="Whatever it says, the one that is served answers (--strict-model)."
    )
    frequency_penalty: float | None = Field(
        None, ge=-2, le=2, description="Against tokens, by how often the answer has them."
    )
    max_tokens: int | None = Field(None, ge=-1, le=2**31 - 1, description=_LIMIT)
    n: int | None = Field(
        None,
        ge=1,
        le=128,
        description="How many answers; 8 at most, or what voices and queue hold.",
    )
    presence_penalty: float | None = Field(
        None, ge=-2, le=2, description="Against tokens that the answer has."
    )
    seed: int | None = Field(
        None,
        ge=-(2**63),
        le=2**63 - 1,
        description="Any whole number: the same gives the same answer. Null: another each time.",
    )
    stop: Stop | None = Field(
        None, description="Texts at which the answer ends; they are no part of it."
    )
    stream: bool | None = Field(None, description="Chunk by chunk, as server-sent events.")
    stream_options: StreamOptions | None = Field(None, description="Of a stream.")
    temperature: float | None = Field(
        None, ge=0, le=2, description=_unless("temperature", "0 takes the likeliest token.")
    )
    top_p: float | None = Field(
        None,
        ge=0,
        le=1,
        description=_unless("top_p", "Draw from the likeliest tokens of this much probability."),
    )
    user: Text | None = Field(None, description="Taken, and of no effect.")
    safety_identifier: Text | None = Field(None, description="Taken, and of no effect.")
    top_k: int | None = Field(
        None,
        ge=0,
        le=2**31 - 1,
        description=_unless("top_k", "Draw from so many tokens, the likeliest; 0: from all."),
    )
    min_p: float | None = Field(
        None,
        ge=0,
        le=1,
        description=_unless("min_p", "Draw from tokens at least so likely beside the likeliest."),
    )
    typical_p: float | None = Field(
        None, ge=0, le=1, description="Draw from tokens about as likely as is to be expected."
    )
    repeat_penalty: float | None = Field(
        None, gt=0, le=10, description="Logits of tokens that the answer has are divided by it."
    )
    mood: AskedMood | None = None
    readings: bool | None = Field(
        None,
        description="Each chunk or choice says under which mix it was said, its reading, and what "
        "a face would show of that.",
    )
    faces: AskedFaces | None = None
    llamood: Extra | None = Field(None, description="What OpenAI has no field for.")


class AsText(Strict):
    """Anything."""

    type: Literal["text"]


class AsObject(Strict):
    """``schema``: as llama.cpp's clients give one."""

    type: Literal["json_object"]
    schema_: dict[str, JsonValue] | None = Field(None, alias="schema")


class NamedSchema(Strict):
    """``strict``: of no effect, as what is drawn always keeps to the schema."""

    name: Annotated[Text, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    description: Text | None = None
    schema_: dict[str, JsonValue] = Field(alias="schema")
    strict: bool | None = None


class AsSchema(Strict):
    """JSON of that schema."""

    type: Literal["json_schema"]
    json_schema: NamedSchema


ResponseFormat = Annotated[AsText | AsObject | AsSchema, Field(discriminator="type")]


class ChatRequest(Shared):
    messages: list[Message] = Field(
        min_length=1, max_length=4096, description="The conversation, oldest first."
    )
    max_completion_tokens: int | None = Field(None, ge=-1, le=2**31 - 1, description=_LIMIT)
    logprobs: bool | None = Field(None, description="How likely each token was, in the mood.")
    top_logprobs: int | None = Field(
        None, ge=0, le=20, description="Of how many tokens, the likeliest, it is told each time."
    )
    response_format: ResponseFormat | None = Field(
        None, description="Text, JSON, or JSON of a schema, which becomes a grammar."
    )
    tools: list[Tool] | None = Field(
        None, max_length=128, description="What the model may call, where its template has tools."
    )
    tool_choice: (
        Annotated[
            Annotated[Literal["none", "auto", "required"], Tag("<word>")]
            | Annotated[ToolChoice, Tag("<named>")],
            Discriminator(choice_kind),
        ]
        | None
    ) = Field(None, description="Whether a tool is called, or which one must be.")
    feel: AskedFeelings | None = None
    parallel_tool_calls: bool | None = Field(
        None, description="False: of an answer's tool calls, the first alone."
    )


_Token = Annotated[int, Field(ge=0, le=2**31 - 1)]
_Tokens = Annotated[list[_Token], Field(min_length=1)]


def _prompt_kind(prompt: Any) -> str | None:
    if isinstance(prompt, str):
        return "<text>"
    if not isinstance(prompt, list):
        return None
    first = prompt[0] if prompt else ""
    if isinstance(first, str):
        return "<texts>"
    return "<token lists>" if isinstance(first, list) else "<tokens>"


class TextRequest(Shared):
    prompt: Annotated[
        Annotated[Text, Tag("<text>")]
        | Annotated[_Tokens, Tag("<tokens>")]
        | Annotated[list[Text], Field(min_length=1, max_length=128), Tag("<texts>")]
        | Annotated[list[_Tokens], Field(min_length=1, max_length=128), Tag("<token lists>")],
        Discriminator(
            _prompt_kind,
            custom_error_type="prompt",
            custom_error_message="expected a text, a list of tokens, or a list of either",
        ),
    ] = Field(description="A text, a list of tokens, or a list of either; each is continued.")
    logprobs: int | None = Field(
        None, ge=0, le=20, description="Of how many tokens, the likeliest, it is told each time."
    )


class EmotionRequest(Body):
    """A new emotion: texts that express it, each of them one utterance, or the manner of one who
    feels it, in words."""

    name: Annotated[Text, Field(min_length=1, max_length=64)] = Field(
        description="What it is called in a mood."
    )
    texts: list[Annotated[Text, Field(max_length=_LONGEST_UTTERANCE)]] | None = Field(
        None, min_length=FEWEST, max_length=MOST, description="Utterances that express it."
    )
    describe: Annotated[Text, Field(min_length=1, max_length=LONGEST)] | None = Field(
        None, description="The manner of one who feels it, as in: warm, unhurried, at peace."
    )

    @model_validator(mode="after")
    def _is_one_of_two(self) -> EmotionRequest:
        if (self.texts is None) == (self.describe is None):
            raise PydanticCustomError(
                "refused", "or describe is expected, one of the two", {"field": "texts"}
            )
        return self


class CancelRequest(Body):
    """The emotion that is not to be added any more."""

    name: Annotated[Text, Field(min_length=1, max_length=64)] = Field(description="Its name.")


class RowsRequest(Body):
    """``tokens``: how many of an answer, from its first on."""

    mood: AskedMood
    tokens: int = Field(64, ge=1, le=1024, description="Of the answer, from its first on.")

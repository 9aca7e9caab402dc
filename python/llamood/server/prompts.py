"""From a request to what the engine is asked: prompt, mood, and how tokens are drawn."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from llamood.errors import MoodError
from llamood.moods import short_form
from llamood.moods.mood import Mood
from llamood.moods.personality import Personality, is_name, named
from llamood.server.errors import ApiError
from llamood.server.messages import Message, RefusalPart, Reply, TextPart, ToolResult
from llamood.server.requests import DEFAULTS, ChatRequest, Shared
from llamood.voices.cast import Cast

_N_SEED = 2**32
_SAMPLING = (
    "frequency_penalty",
    "presence_penalty",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "typical_p",
    "repeat_penalty",
)


def mood_of(
    asked: Any, cast: Cast, *, n_mood: int, known: Mapping[str, Personality]
) -> Mood | None:
    """The mood that is asked for, or that of a personality; None where none is. No file is read for
    it, whatever it says."""
    if asked is None:
        return None
    if len(asked if isinstance(asked, str) else json.dumps(asked)) > n_mood:
        raise ApiError(400, f"a mood of at most {n_mood} bytes was expected", param="mood")
    try:
        if isinstance(asked, str):
            is_known = is_name(asked.strip())
            asked = named(asked.strip(), known).mood if is_known else short_form.read(asked)
        mood = Mood(asked)
        cast.understand(mood)
    except MoodError as error:
        raise ApiError(400, str(error), param="mood") from None
    except (OverflowError, RecursionError):
        raise ApiError(
            400, "mood: numbers that can be counted with were expected", param="mood"
        ) from None
    return mood


def with_system(
    messages: list[dict[str, Any]], asked: Any, known: Mapping[str, Personality]
) -> list[dict[str, Any]]:
    """The messages, which begin with what the personality that is asked for is told, unless the
    model is told something already."""
    who = known.get(asked.strip()) if isinstance(asked, str) else None
    is_told = any(message["role"] == "system" for message in messages)
    if who is None or who.system is None or is_told:
        return messages
    return [{"role": "system", "content": who.system}, *messages]


def sampling_of(request: Shared, *, index: int) -> dict[str, Any]:
    """How answer ``index`` of the request is drawn: with one seed, each has its own. Every whole
    number is a seed, below 0 too."""
    asked = {name: getattr(request, name) for name in _SAMPLING}
    seed = None if request.seed is None else (request.seed + index) % _N_SEED
    return {
        **DEFAULTS,
        **{name: value for name, value in asked.items() if value is not None},
        "seed": seed,
        "stop": request.stop or (),
    }


def messages_of(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """As chat templates read them."""
    return [_message(message) for message in messages]


def begun_in(asked: ChatRequest, said: Sequence[Mapping[str, Any]]) -> str:
    """How the answer begins; empty where it is a new one. Raises `ApiError` where the request asks
    to go on, and there is nothing to go on with, or in a form that would begin anew."""
    if asked.llamood is None or not asked.llamood.continues:
        return ""
    last = said[-1]
    is_said = last["role"] == "assistant" and last["content"] and not last.get("tool_calls")
    if not is_said:
        found = "no text" if last["role"] == "assistant" else f"a message of role {last['role']}"
        raise ApiError(
            400,
            f"llamood.continues: the last message has to be a text of an assistant, found {found}",
            param="messages",
        )
    formed = asked.response_format is not None and asked.response_format.type != "text"
    for name, is_given in (
        ("response_format", formed),
        ("tools", asked.tools),
        ("feel", asked.feel),
    ):
        if is_given:
            raise ApiError(400, f"llamood.continues goes without {name}", param=name)
    return str(last["content"])


def said_last(messages: Sequence[Message]) -> str | None:
    """The text of the last message of a user; None where there is none."""
    return next((_text(each.content) for each in reversed(messages) if each.role == "user"), None)


def _message(message: Message) -> dict[str, Any]:
    role = "system" if message.role == "developer" else message.role
    said: dict[str, Any] = {"role": role, "content": _text(message.content)}
    if message.name is not None:
        said["name"] = message.name
    if isinstance(message, ToolResult):
        said["tool_call_id"] = message.tool_call_id
    if isinstance(message, Reply):
        said |= _answered(message)
    return said


def _answered(reply: Reply) -> dict[str, Any]:
    """What only answers have; one that was refused says so where it says nothing else."""
    said: dict[str, Any] = {}
    if reply.refusal and not _text(reply.content):
        said["content"] = reply.refusal
    if reply.reasoning_content is not None:
        said["reasoning_content"] = reply.reasoning_content
    if reply.tool_calls:
        said["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.function.name, "arguments": call.function.arguments},
            }
            for call in reply.tool_calls
        ]
    return said


def _text(content: str | Sequence[TextPart | RefusalPart] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(part.text if isinstance(part, TextPart) else part.refusal for part in content)


def room_of(request: Shared, *, n_prompt: int, n_ctx: int, default: int | None) -> int:
    """How many tokens each answer may have: ``default`` where the request says nothing of it, None
    for all that there is room for. Raises `ApiError` where the prompt leaves none."""
    asked = request.max_tokens
    if isinstance(request, ChatRequest) and request.max_completion_tokens is not None:
        if asked not in (None, request.max_completion_tokens):
            raise ApiError(
                400,
                "max_tokens and max_completion_tokens are one thing; give one",
                param="max_tokens",
            )
        asked = request.max_completion_tokens
    asked = default if asked is None else asked
    room = n_ctx - n_prompt
    if room < 1 or n_prompt < 1:
        raise ApiError(
            400,
            f"this model's maximum context length is {n_ctx} tokens, and the prompt has {n_prompt}"
            if n_prompt
            else "the prompt is empty, and this model begins no text by itself",
            param="messages" if isinstance(request, ChatRequest) else "prompt",
            code="context_length_exceeded" if n_prompt else None,
        )
    return room if asked is None or asked < 1 else min(asked, room)

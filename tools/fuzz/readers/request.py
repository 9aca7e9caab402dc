"""Bodies of requests, as far as they are looked at before a model is: each field, the mood, the
tools and the form of the answer. The first byte says at which endpoint."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from fuzz.readers.hostile import FindingError, is_read
from llamood.errors import LlamoodError
from llamood.moods.mood import Mood
from llamood.server import errors, prompts
from llamood.server.errors import ApiError
from llamood.server.requests import (
    CancelRequest,
    ChatRequest,
    EmotionRequest,
    RowsRequest,
    TextRequest,
)
from llamood.server.service import _narrow_form

BODIES: dict[bytes, type[BaseModel]] = {
    b"c": ChatRequest,
    b"t": TextRequest,
    b"e": EmotionRequest,
    b"r": RowsRequest,
    b"x": CancelRequest,
}


class _NoCast:
    """Knows all emotions."""

    def understand(self, mood: Mood) -> None:
        mood.to_dict()


def read(data: bytes) -> None:
    try:
        body = json.loads(data[1:])
    except (ValueError, RecursionError):
        return
    asked = _validated(BODIES.get(data[:1], ChatRequest), body)
    if asked is not None:
        is_read(lambda: _looked_at(asked), (LlamoodError, ApiError))


def _validated(kind: type[BaseModel], body: Any) -> BaseModel | None:
    """Null where it is refused, in words that can be sent."""
    try:
        return kind.model_validate(body)
    except ValidationError as refusal:
        faults = [{**each, "loc": ("body", *each["loc"])} for each in refusal.errors()]
        told = RequestValidationError(faults, body=body)
        answer = asyncio.run(errors.told_invalid(Request({"type": "http"}), told))
        if answer.status_code != 400:
            raise FindingError(f"status {answer.status_code}") from refusal
        return None


def _looked_at(asked: BaseModel) -> None:
    mood = getattr(asked, "mood", None)
    prompts.mood_of(mood, _NoCast(), n_mood=65536, known={})  # type: ignore[arg-type]
    if isinstance(asked, ChatRequest):
        said = prompts.messages_of(asked.messages)
        prompts.begun_in(asked, said)
        prompts.said_last(asked.messages)
        prompts.sampling_of(asked, index=1)
        json.dumps(said).encode()
        _narrow_form(asked, [] if asked.tool_choice == "none" else asked.tools or [], None)
    elif isinstance(asked, TextRequest):
        prompts.sampling_of(asked, index=1)

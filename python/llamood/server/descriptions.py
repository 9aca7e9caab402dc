"""What the service says of itself: its model, its emotions, and its responses in OpenAPI."""

from __future__ import annotations

from typing import Any

from llamood.schema import mood_schema
from llamood.server.formats import placed
from llamood.server.settings import Settings
from llamood.vectors import EmotionVectors

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
_REFUSAL = {
    "description": "OpenAI's error object.",
    "content": {"application/json": {"schema": _ERROR}},
}
REFUSED: dict[int | str, dict[str, Any]] = {"4XX": _REFUSAL, "5XX": _REFUSAL}
_COUNTS = {
    "type": "object",
    "required": ["prompt_tokens", "completion_tokens", "total_tokens"],
    "additionalProperties": {"type": "integer", "minimum": 0},
}


def _answer(kind: str, said: str) -> dict[int | str, dict[str, Any]]:
    schema = {
        "type": "object",
        "required": ["id", "object", "created", "model", "choices", "usage"],
        "properties": {
            "object": {"const": kind},
            "usage": _COUNTS,
            "choices": {
                "type": "array",
                "minItems": 1,
                "items": {"type": "object", "required": ["index", "finish_reason", said]},
            },
        },
    }
    whole = {"application/json": {"schema": schema}}
    chunks = {"text/event-stream": {"schema": {"type": "string"}}}
    return {**REFUSED, 200: {"description": "The answer.", "content": {**whole, **chunks}}}


CHAT = _answer("chat.completion", "message")
TEXT = _answer("text_completion", "text")
METRICS: dict[int | str, dict[str, Any]] = {
    **REFUSED,
    200: {
        "description": "In Prometheus' form.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    },
}


def of_service(document: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """The OpenAPI document of the service, with what a mood is and what the model is called."""
    schemas = document["components"]["schemas"]
    schemas["Mood"] = placed(mood_schema(), "#/components/schemas/Mood")
    for name in ("ChatRequest", "TextRequest"):
        properties = schemas[name]["properties"]
        properties["model"] = {"type": "string", "const": settings.model}
        ways = [way for way in properties["mood"]["anyOf"] if way.get("type") != "object"]
        properties["mood"]["anyOf"] = [{"$ref": "#/components/schemas/Mood"}, *ways]
    return document


def model(settings: Settings) -> dict[str, Any]:
    return {"id": settings.model, "object": "model", "created": 0, "owned_by": "llamood"}


def emotions(evs: EmotionVectors) -> list[dict[str, Any]]:
    """``ceiling``: the largest fluent intensity, where it is known; ``affect``: valence, arousal
    and dominance, where they are."""
    return [
        {
            "id": name,
            "object": "emotion",
            "ceiling": ceiling,
            "affect": None if affect is None else list(affect),
        }
        for name, ceiling, affect in zip(evs.names, evs.ceiling, evs.affect, strict=True)
    ]

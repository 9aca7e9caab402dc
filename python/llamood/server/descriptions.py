"""What the service says of itself: its model, its emotions, and its responses in OpenAPI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llamood import __version__
from llamood.calibration.manner import LONGEST
from llamood.calibration.utterances import FEWEST, MOST
from llamood.moods.affect import AXES
from llamood.moods.forecast import Forecast
from llamood.moods.schema import mood_schema
from llamood.readings.probe import TRUSTED
from llamood.server.additions import Addition
from llamood.server.formats import placed
from llamood.server.settings import Settings
from llamood.voices.cast import Cast

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


_NO_ADDITION = Addition(name="")


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


def _object(kind: str, **properties: Any) -> dict[int | str, dict[str, Any]]:
    said = {"object": {"const": kind}, **properties}
    schema = {"type": "object", "required": list(said), "properties": said}
    content = {"application/json": {"schema": schema}}
    return {**REFUSED, 200: {"description": "The answer.", "content": content}}


_TEXTS = {"type": "array", "items": {"type": "string"}}
_TABLE = {"type": "array", "items": {"type": "array", "items": {"type": "number"}}}
_COUNT = {"type": "integer", "minimum": 1}
_EMOTION = {
    "type": "object",
    "required": ["id", "object", "ceiling", "affect", "quality"],
    "properties": {
        "id": {"type": "string"},
        "object": {"const": "emotion"},
        "ceiling": {"type": ["number", "null"], "exclusiveMinimum": 0},
        "affect": {
            "type": ["array", "null"],
            "items": {"type": "number"},
            "minItems": len(AXES),
            "maxItems": len(AXES),
        },
        "quality": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
    },
}
EMOTIONS = _object("list", data={"type": "array", "items": _EMOTION})
ROWS = _object("mood.rows", emotions=_TEXTS, asked=_TABLE, applied=_TABLE, notices=_TEXTS)
_FRACTION = {"type": "number", "minimum": 0, "maximum": 1}
ADDITION = _object(
    "emotion.addition",
    name={"type": ["string", "null"]},
    status={"enum": ["none", "running", "added", "failed", "cancelled"]},
    part={"type": ["string", "null"]},
    progress=_FRACTION,
    seconds_left={"type": ["number", "null"], "minimum": 0},
    error={"type": ["string", "null"]},
    ceiling={"type": ["number", "null"], "exclusiveMinimum": 0},
    auroc={"type": ["number", "null"], "minimum": 0, "maximum": 1},
)
STUDIO = _object(
    "studio",
    model={"type": "string"},
    file={"type": "string"},
    quantisation={"type": "string"},
    parameters=_COUNT,
    bytes=_COUNT,
    version={"type": "string"},
    readings={"type": "boolean"},
    unread={"type": ["string", "null"]},
    trusted={"type": "number", "minimum": 0, "maximum": 1},
    voices=_COUNT,
    context=_COUNT,
    questions=_TEXTS,
    extracts={
        "type": ["object", "null"],
        "properties": {"fewest": _COUNT, "most": _COUNT, "longest": _COUNT},
        "required": ["fewest", "most", "longest"],
    },
    personalities={
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "about": {"type": "string"},
                "mood": {"type": "object"},
                "system": {"type": ["string", "null"]},
            },
            "required": ["name", "about", "mood", "system"],
        },
    },
)


def of_service(document: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """The OpenAPI document of the service, with what a mood is and what the model is called."""
    schemas = document["components"]["schemas"]
    schemas["Mood"] = placed(mood_schema(), "#/components/schemas/Mood")
    for name in ("ChatRequest", "TextRequest", "RowsRequest"):
        properties = schemas[name]["properties"]
        if "model" in properties and settings.strict_model:
            properties["model"] = {"type": "string", "const": settings.model}
            schemas[name]["required"] = ["model", *schemas[name]["required"]]
        properties["mood"] = _with_mood(properties["mood"])
    return document


def _with_mood(schema: Any) -> Any:
    """The schema, in which an object of anything is a mood."""
    if isinstance(schema, list):
        return [_with_mood(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "object":
        return {"$ref": "#/components/schemas/Mood"}
    return {key: _with_mood(part) for key, part in schema.items()}


def model(settings: Settings) -> dict[str, Any]:
    return {"id": settings.model, "object": "model", "created": 0, "owned_by": "llamood"}


def emotions(cast: Cast) -> list[dict[str, Any]]:
    """``ceiling``: the largest fluent intensity, where it is known; ``affect``: the valence,
    arousal and dominance that intensity 1 comes to, where they are; ``quality``: how surely its
    reading tells texts, as an area under the ROC curve, where it is read and that is known."""
    evs, affect, quality = cast.emotions, cast.affect_map, cast.reading_quality
    lies = dict(zip(affect.names, affect.coordinates.tolist(), strict=True))
    return [
        {
            "id": name,
            "object": "emotion",
            "ceiling": ceiling,
            "affect": lies.get(name),
            "quality": quality.get(name),
        }
        for name, ceiling in zip(evs.names, evs.ceiling, strict=True)
    ]


def studio(cast: Cast, settings: Settings) -> dict[str, Any]:
    """What the page needs to know. ``file`` to ``bytes``: see `Cast.model_file`. ``context``:
    tokens of a prompt and its answer. ``unread``: why answers are not read. ``trusted``: the least
    ``quality`` of a reading that is. ``extracts``: where emotions may be added, how many texts one
    takes and how many are used, and how many characters a description has at most; None where they
    may not."""
    return {
        "object": "studio",
        "model": settings.model,
        **cast.model_file,
        "version": __version__,
        "readings": cast.reads,
        "unread": settings.unread,
        "trusted": TRUSTED,
        "voices": cast.n_voice,
        "context": cast.n_ctx,
        "questions": list(settings.questions),
        "extracts": None
        if settings.own is None
        else {"fewest": FEWEST, "most": MOST, "longest": LONGEST},
        "personalities": [
            {
                "name": name,
                "about": each.about,
                "mood": dict(each.mood),
                "system": each.system,
            }
            for name, each in settings.personalities.items()
        ],
    }


def addition(latest: Addition | None) -> dict[str, Any]:
    """``progress``: of all of it, 0 to 1; ``ceiling`` and ``auroc``: of one that was added, its
    largest fluent intensity and how surely its reading tells it."""
    latest = latest or _NO_ADDITION
    return {
        "object": "emotion.addition",
        "name": latest.name or None,
        "status": latest.status if latest.name else "none",
        "part": latest.part or None,
        "progress": latest.share,
        "seconds_left": latest.seconds_left,
        "error": latest.fault,
        "ceiling": latest.found.get("ceiling"),
        "auroc": latest.found.get("auroc"),
    }


def rows(foreseen: Forecast, names: Sequence[str]) -> dict[str, Any]:
    """Tables of a row a token, of a weight an emotion."""
    return {
        "object": "mood.rows",
        "emotions": list(names),
        "asked": foreseen.asked.tolist(),
        "applied": foreseen.applied.tolist(),
        "notices": list(foreseen.notices),
    }

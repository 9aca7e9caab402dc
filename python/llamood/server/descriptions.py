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


def _told(said: str, *kinds: str, **more: Any) -> dict[str, Any]:
    """``kinds``: JSON's, of which it is one."""
    return {"description": said, "type": kinds[0] if len(kinds) == 1 else list(kinds), **more}


_NUMBERS = {"additionalProperties": {"type": "number"}}
# What `Writer` adds to OpenAI's objects.
FELT = {
    "description": "What was felt and read. It stands at the top of each chunk of a stream, and of "
    "a whole answer in each of its choices. Of ``asked`` to ``arousal`` it has all where "
    "``readings`` were asked for, and of the rest what there is.",
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "session": _told("The name of a session that this request began.", "string"),
        "asked": _told(
            "What the mood asked for, before limits and inertia: emotion -> weight, those of 0 "
            "left out.",
            "object",
            **_NUMBERS,
        ),
        "mood": _told("The same as the token was chosen under, after them.", "object", **_NUMBERS),
        "reading": _told(
            "What had been expressed: emotion -> z-score, 0 as in neutral text. Null where the "
            "service reads nothing.",
            "object",
            "null",
            **_NUMBERS,
        ),
        "score": _told(
            "What the token before this one expressed by itself.", "object", "null", **_NUMBERS
        ),
        "face": _told("What a face would show of that: a label of ``faces``.", "string", "null"),
        "face_reading": _told(
            "The reading that decides it; null for the neutral face.", "number", "null"
        ),
        "valence": _told("Where the reading lies between emotions, -1 to 1.", "number", "null"),
        "arousal": _told("The same, calm to excited.", "number", "null"),
        "feels": _told(
            "Of ``feel``: what came of each call by which the character set its mood, as "
            '``{"felt": {"joy": 0.8}}`` or ``{"refused": "..."}``.',
            "array",
            items={"type": "object"},
        ),
        "guard": _told(
            "What became of an answer that collapsed under its mood: ``words`` for a person, the "
            "``factor`` that is left of the mood, whether it was ``stopped``, and ``rescues``.",
            "object",
        ),
        "notices": _told(
            "What limits have taken from the mood so far, a sentence each.",
            "array",
            items={"type": "string"},
        ),
    },
}
_BEGUN = {
    "description": "Of a session that this request began.",
    "type": "object",
    "additionalProperties": False,
    "properties": {"session": {"type": "string"}},
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
                "items": {
                    "type": "object",
                    "required": ["index", "finish_reason", said],
                    "properties": {"llamood": {"$ref": "#/components/schemas/Felt"}},
                },
            },
            "llamood": _BEGUN,
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
_SHARE = {"minimum": 0, "maximum": 1}
_EMOTION = {
    "type": "object",
    "required": ["id", "object", "ceiling", "affect", "quality"],
    "properties": {
        "id": _told("What it is called in a mood.", "string"),
        "object": {"const": "emotion"},
        "ceiling": _told(
            "The largest fluent intensity, where it is known.",
            "number",
            "null",
            exclusiveMinimum=0,
        ),
        "affect": _told(
            "The valence, arousal and dominance that intensity 1 comes to, where they are known.",
            "array",
            "null",
            items={"type": "number"},
            minItems=len(AXES),
            maxItems=len(AXES),
        ),
        "quality": _told(
            "How surely its reading tells texts, as an area under the ROC curve, where it is read "
            "and that is known.",
            "number",
            "null",
            **_SHARE,
        ),
    },
}
EMOTIONS = _object("list", data={"type": "array", "items": _EMOTION})
_MODEL = {
    "id": _told("What it is called.", "string"),
    "object": {"const": "model"},
    "created": _told("Always 0.", "integer"),
    "owned_by": {"const": "llamood"},
}
MODEL = _object("model", **_MODEL)
MODELS = _object(
    "list",
    data={
        "type": "array",
        "items": {"type": "object", "required": [*_MODEL], "properties": _MODEL},
    },
)
_HEALTH = {"enum": ["loading", "ready", "failed", "stopped"]}
HEALTH: dict[int | str, dict[str, Any]] = {
    status: {
        "description": said,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["status"],
                    "properties": {"status": _HEALTH},
                }
            }
        },
    }
    for status, said in {200: "Ready.", 503: "Not ready."}.items()
}
ROWS = _object(
    "mood.rows",
    emotions={**_TEXTS, "description": "Those at hand, in the order of the tables."},
    asked={**_TABLE, "description": "A row a token, of a weight an emotion."},
    applied={**_TABLE, "description": "The same after limits and inertia."},
    notices={**_TEXTS, "description": "What limits take from it, a sentence each."},
)
ADDITION = _object(
    "emotion.addition",
    name=_told("The emotion; null where none was asked for yet.", "string", "null"),
    status={"enum": ["none", "running", "added", "failed", "cancelled"]},
    part=_told("What is done now, in words.", "string", "null"),
    progress=_told("Of all of it.", "number", **_SHARE),
    seconds_left=_told("As far as it can be told.", "number", "null", minimum=0),
    error=_told("Why it failed.", "string", "null"),
    ceiling=_told(
        "Of one that was added, its largest fluent intensity.",
        "number",
        "null",
        exclusiveMinimum=0,
    ),
    auroc=_told("How surely its reading tells it.", "number", "null", **_SHARE),
)
ADDING = {202 if status == 200 else status: said for status, said in ADDITION.items()}
STUDIO = _object(
    "studio",
    model=_told("What the model is called.", "string"),
    file=_told("The name of its file.", "string"),
    quantisation={"type": "string"},
    parameters=_COUNT,
    bytes=_COUNT,
    version=_told("Of llamood.", "string"),
    readings=_told("Whether answers can be read.", "boolean"),
    unread=_told("Why they are not, in words.", "string", "null"),
    trusted=_told("The least ``quality`` of a reading that is.", "number", **_SHARE),
    voices={**_COUNT, "description": "How many answers are given at once."},
    context={**_COUNT, "description": "Tokens of a prompt and its answer."},
    questions={**_TEXTS, "description": "That the page suggests."},
    extracts=_told(
        "Where emotions may be added: how many texts one takes, how many are used, and how many "
        "characters a description has at most.",
        "object",
        "null",
        properties={"fewest": _COUNT, "most": _COUNT, "longest": _COUNT},
        required=["fewest", "most", "longest"],
    ),
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
    schemas["Felt"] = FELT
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
    """As `EMOTIONS` says."""
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
    """What the page needs to know, as `STUDIO` says. ``file`` to ``bytes``: see
    `Cast.model_file`."""
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
    """As `ADDITION` says."""
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
    """As `ROWS` says."""
    return {
        "object": "mood.rows",
        "emotions": list(names),
        "asked": foreseen.asked.tolist(),
        "applied": foreseen.applied.tolist(),
        "notices": list(foreseen.notices),
    }

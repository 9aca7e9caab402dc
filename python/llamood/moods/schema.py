"""JSON Schema of a mood as it is written, made from the schedules and settings that there are.

It is shipped as ``data/mood.schema.json``, which ``tools/write_mood_schema.py`` writes. What a
schema cannot say (that keys rise, that a sum stays within 1000) is known to `notation` only.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from llamood.moods.affect import AXES
from llamood.moods.composition import Max
from llamood.moods.notation import BESIDE, BOUNDS, JSON_KINDS, STARTED
from llamood.moods.parameters import ANY_NUMBER, Json, Parameter, parameters, schema
from llamood.moods.schedule import Schedule
from llamood.moods.settings import SETTINGS, Setting
from llamood.moods.triggers import Hold, On

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_COORDINATE = {**ANY_NUMBER, "low": -1.0, "high": 1.0}
SHIPPED = Path(__file__).parents[1] / "data" / "mood.schema.json"


def mood_schema() -> dict[str, Json]:
    """JSON Schema (draft 2020-12) of a mood: emotions, a point of affect, settings."""
    return {
        "$schema": DIALECT,
        "title": "Mood",
        "description": "How much of each emotion is felt, token by token. An intensity is a "
        "multiple of the emotion's vector; valence, arousal and dominance become a mix.",
        "type": "object",
        "properties": {
            **{axis: _def("coordinate") for axis in AXES},
            **{key: _setting(setting) for key, setting in SETTINGS.items()},
        },
        "propertyNames": {"anyOf": [{"pattern": "^[^$]"}, {"enum": list(SETTINGS)}]},
        "additionalProperties": {"anyOf": [_def("schedule"), _def(Hold.kind), _def("bounded")]},
        "$defs": {
            "coordinate": {"anyOf": [schema(_COORDINATE), _def("changing")]},
            "schedule": {"anyOf": [schema(ANY_NUMBER), _def("changing")]},
            "changing": {"anyOf": [_def(kind) for kind in (*_composable(), STARTED)]},
            **{kind: _kind(cls) for kind, cls in JSON_KINDS.items()},
            STARTED: _started(),
            "bounded": _bounded(),
            **{kind: _beside(Schedule.kinds[kind]) for kind in BESIDE},
        },
    }


def _composable() -> list[str]:
    return [kind for kind, cls in JSON_KINDS.items() if cls is not Hold]


def _def(name: str) -> dict[str, Json]:
    return {"$ref": f"#/$defs/{name}"}


def _setting(setting: Setting) -> dict[str, Json]:
    default = {} if setting.default is None else {"default": setting.default}
    return {"description": setting.about, **schema(setting.kind), **default}


def _kind(cls: type[Schedule]) -> dict[str, Json]:
    """An object with the main parameters under the kind's own name, as `notation` writes it."""
    others = [p for p in parameters(cls.kind) if not p.main]
    return {
        "description": _about(cls),
        "type": "object",
        "properties": {
            cls.kind: _main(cls),
            **{p.key: _parameter(p) for p in others},
            **{kind: _def(kind) for kind in BESIDE if cls is not Hold or kind == Max.kind},
        },
        "required": [cls.kind, *(p.key for p in others if p.required)],
        "additionalProperties": False,
    }


def _started() -> dict[str, Json]:
    """``on`` with what it starts under a key of its own."""
    return {
        "description": _about(On),
        "type": "object",
        "properties": {STARTED: _def("schedule"), **{kind: _def(kind) for kind in BESIDE}},
        "required": [On.kind, STARTED],
        "additionalProperties": False,
    }


def _bounded() -> dict[str, Json]:
    """Bounds beside no schedule."""
    return {
        "description": "Adds nothing, and bounds the hidden states.",
        "type": "object",
        "properties": {kind: _def(kind) for kind in BOUNDS},
        "minProperties": 1,
        "additionalProperties": False,
    }


def _beside(cls: type[Schedule]) -> dict[str, Json]:
    return {"description": _about(cls), **_main(cls)}


def _main(cls: type[Schedule]) -> dict[str, Json]:
    main = [{"title": p.key, **p.schema()} for p in parameters(cls.kind) if p.main]
    if len(main) == 1:
        return main[0]
    return {"type": "array", "prefixItems": main, "minItems": len(main), "items": False}


def _parameter(p: Parameter) -> dict[str, Json]:
    default: dict[str, Any] = {} if p.required or p.default is None else {"default": p.default}
    return {**p.schema(), **default}


def _about(cls: type) -> str:
    """The first paragraph of the class's own description."""
    paragraph = (inspect.getdoc(cls) or "").split("\n\n")[0]
    return " ".join(paragraph.replace("``", "`").split())

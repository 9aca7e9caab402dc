"""What each kind of schedule takes, read off the core's table of kinds, which alone checks it.

The JSON form of a schedule, its short form, its Python form and its JSON Schema all go by this
table (see ``notation``).
"""

from __future__ import annotations

import keyword
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from llamood import _core

LARGEST = _core.largest_intensity  # intensities are multiples; models collapse long before this

Json = Any


@dataclass(frozen=True)
class Parameter:
    """Of a kind of schedule.

    ``kind``: its ``type``, and what it lies between. ``place``: where it lies in the JSON form of
    its schedule. ``main``: JSON has it under the schedule's own name, as in ``{"ramp": [0, 1]}``;
    the others under theirs. ``beside``: a schedule whose keys stand beside its own, as those of the
    pulse in ``{"on": "betray", "pulse": 1.5, "hold": 4}``.
    """

    key: str
    kind: Mapping[str, Any]
    place: str
    main: bool
    beside: bool
    required: bool
    default: Any

    @property
    def attribute(self) -> str:
        """Its name in Python, where ``return`` is no name, and ``then`` is what follows."""
        is_taken = keyword.iskeyword(self.key) or self.key == "then"
        return f"{self.key}_" if is_taken else self.key

    def schema(self) -> dict[str, Json]:
        """JSON Schema of the value."""
        return schema(self.kind)


@cache
def parameters(kind: str) -> tuple[Parameter, ...]:
    """Of a kind of schedule, in the order of its arguments."""
    return tuple(Parameter(**each) for each in KINDS[kind])


# In the order in which messages list them.
KINDS: Mapping[str, list[dict[str, Any]]] = MappingProxyType(_core.kinds())
ANY_NUMBER = parameters("constant")[0].kind


def schema(kind: Mapping[str, Any]) -> dict[str, Json]:
    """JSON Schema of a parameter or a setting."""
    high = kind.get("high")
    if kind["type"] == "number":
        return {"type": "number", "minimum": kind["low"], "maximum": high}
    if kind["type"] == "count":
        return {"type": "integer", "minimum": kind["low"], "maximum": high}
    if kind["type"] == "choice":
        return {"enum": kind["words"]}
    if kind["type"] == "text":
        return {"type": "string", "minLength": 1, "maxLength": high}
    if kind["type"] == "limits":
        return _limits(kind["high"])
    if kind["type"] == "schedule":
        return {"$ref": "#/$defs/schedule"}
    if kind["type"] == "schedules":
        inner = {"$ref": "#/$defs/schedule"}
        return {"type": "array", "items": inner, "minItems": 2, "maxItems": high}
    if kind["type"] == "layers":
        layer = {"type": "integer", "minimum": 0, "maximum": high}
        return {"type": "array", "items": layer, "minItems": 2, "maxItems": 2}
    pair = {
        "type": "array",
        "prefixItems": [schema(kind["token"]), schema(kind["intensity"])],
        "minItems": 2,
        "items": False,
    }
    return {"type": "array", "items": pair, "minItems": 1, "maxItems": high}


# A z-score between -20 and 20, which is what texts are read as at most.
_LIMIT = r"[ \t]*[<>][ \t]*-?(1?[0-9](\.[0-9]{1,20})?(e-[0-9]{1,3})?|20(\.0)?)[ \t]*"


def _limits(high: int) -> dict[str, Json]:
    one = {"type": "string", "pattern": f"^{_LIMIT}$"}
    each = rf"[^<>]*[^<> \t]{_LIMIT}"
    return {
        "anyOf": [
            {
                "type": "object",
                "propertyNames": {"pattern": r"^[^<>]+$"},
                "additionalProperties": one,
                "minProperties": 1,
                "maxProperties": high,
            },
            {
                "type": "string",
                "pattern": rf"^{each}( and {each}){{0,{high - 1}}}$",
                "maxLength": 1000,
            },
        ]
    }


def found(value: object) -> str:
    """``value`` as an error message shows it: numbers and short texts whole, else the type."""
    if value is None:
        return "null"
    if isinstance(value, list | tuple):
        return f"a list of {len(value)}"
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 1e9 else "a huge number"
    if isinstance(value, float):
        return repr(float(value))
    if isinstance(value, str):
        text = repr(value[:41])
        return text if len(text) <= 40 else f"{text[:37]}..."
    return f"a {type(value).__name__}"

"""What all parts of a request share: texts that can be written, and fields refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue, model_validator
from pydantic_core import PydanticCustomError

DEEPEST = 100  # lists and objects within each other that a request may have

# Of a field that is refused: why, said after its name, and the values that ask for nothing, beside
# null.
Refusal = tuple[str, tuple[Any, ...]]
UNSUPPORTED = "is not supported here; leave it out"
CACHED: Mapping[str, Refusal] = {
    "cache_control": (
        "is not supported here: what prompts have in common is kept without being asked; leave it "
        "out",
        (),
    )
}

# What only describes a message, or what another service said of it: taken, and of no effect.
Remark = Annotated[JsonValue, "of no effect"]


def written(value: Any) -> Any:
    """A text that can be written as UTF-8: JSON lets halves of characters through."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            raise PydanticCustomError("unicode", "half of a character, which is no text") from None
        if "\0" in value:
            raise PydanticCustomError("unicode", "a zero byte, which ends a text")
    return value


Text = Annotated[str, BeforeValidator(written)]


class Strict(BaseModel):
    """Takes the fields that it knows, and what they are; ``refused``: those that clients know, and
    that would be silently wrong here."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    refused: ClassVar[Mapping[str, Refusal]] = {}

    @model_validator(mode="before")
    @classmethod
    def _without_refused(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        for name, (why, neutral) in cls.refused.items():
            if data.get(name) is not None and data[name] not in neutral:
                raise PydanticCustomError("refused", why, {"field": name})
        return {name: value for name, value in data.items() if name not in cls.refused}


def only_type(data: Any, expected: str, *, known: Mapping[str, str], others: str) -> Any:
    """``data``, unless it is an object of another type, which is refused.

    ``known``: what such types are called.
    """
    kind = data.get("type") if isinstance(data, dict) else None
    if isinstance(kind, str) and kind != expected:
        what = known.get(kind, f"{others} of type {kind[:40]!r}")
        raise PydanticCustomError(
            "unsupported",
            "{what} are not supported here, but type '{expected}' is",
            {"what": what, "expected": expected, "field": "type"},
        )
    return data


def is_too_deep(value: Any) -> bool:
    """Whether it has more than `DEEPEST` lists and objects within each other: more than can be
    written down again."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(DEEPEST):
        parts = (part for one in level for part in (one.values() if isinstance(one, dict) else one))
        level = [part for part in parts if isinstance(part, dict | list)]
        if not level:
            return False
    return True

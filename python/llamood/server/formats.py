"""From a JSON schema that a request gives to a grammar that an answer is drawn by."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from llama_cpp.llama_grammar import (
    JSON_GBNF,
    RESERVED_NAMES,
    BuiltinRule,
    SchemaConverter,
)

from llamood.server import integers, references
from llamood.server.errors import ApiError
from llamood.server.references import Path

# Keys that say nothing, and those that stand beside any others.
_REMARKS = frozenset(("title", "description", "default", "examples", "$schema", "$id", "$comment"))
_DEFINITIONS = frozenset(("$defs", "definitions"))
_FORMATS = ("date", "date-time", "time", "uuid")
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")
_TOGETHER = [
    frozenset(keys.split())
    for keys in (
        "$ref",
        "anyOf",
        "type const",
        "type enum",
        "type properties required additionalProperties propertyNames",
        "type items minItems maxItems",
        "type prefixItems",
        "type minLength maxLength",
        "type format",
        "type minimum maximum exclusiveMinimum exclusiveMaximum",
    )
]
_SAID: frozenset[str] = frozenset().union(*_TOGETHER) | _REMARKS | _DEFINITIONS
_OF_TYPES = {
    "properties": ("object",),
    "additionalProperties": ("object",),
    "propertyNames": ("object",),
    "items": ("array",),
    "prefixItems": ("array",),
    "minLength": ("string",),
    "maxLength": ("string",),
    "format": ("string",),
    **dict.fromkeys(integers.BOUNDS, ("integer",)),
}
_DEEPEST = 24
_MOST_PARTS = 2000
_MOST_REPEATED = 500
_LONGEST = 256 * 1024  # characters of a grammar

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"}

# One character of a string: controls are written escaped, and halves of characters not at all.
_CODE = '"u" ([0-9a-cA-CeEfF] [0-9a-fA-F] | [dD] [0-7]) [0-9a-fA-F] [0-9a-fA-F]'
_CHAR = BuiltinRule(rf'[^"\\\x7F\x00-\x1F] | "\\" (["\\/bfnrt] | {_CODE})', [])

ANY_JSON = JSON_GBNF.replace('"u" [0-9a-fA-F]{4}', _CODE)


def grammar_of(schema: Mapping[str, Any], *, param: str) -> str:
    """Whose every text, if it ends, is valid for the schema. Raises `ApiError` for what of it a
    grammar does not say."""
    check(schema, param=param)
    return _grammar(json.dumps(schema), param)


def check(schema: Mapping[str, Any], *, param: str) -> None:
    """Raises `ApiError` for what of it a grammar does not say."""
    _Check(param).check(schema)


def placed(schema: Any, where: str) -> Any:
    """The schema, of which what it refers to in itself lies at ``where``, as in ``#/$defs/a``."""
    if isinstance(schema, list):
        return [placed(part, where) for part in schema]
    if not isinstance(schema, dict):
        return schema
    moved = {key: placed(part, where) for key, part in schema.items()}
    if isinstance(schema.get("$ref"), str):
        moved["$ref"] = schema["$ref"].replace("#", where, 1)
    return moved


@lru_cache(maxsize=64)
def _grammar(schema: str, param: str) -> str:
    try:
        converter = _Converter(prop_order={}, allow_fetch=False, dotall=False, raw_pattern=False)
        converter.visit(converter.whole(json.loads(schema)), "")
        grammar = str(converter.format_grammar())
    except _TooLargeError:
        raise ApiError(400, "this schema is too large", param=param) from None
    except (ValueError, TypeError, KeyError, AssertionError, AttributeError, RecursionError):
        raise ApiError(400, "this schema cannot be written as a grammar", param=param) from None
    return grammar


class _Converter(SchemaConverter):  # type: ignore[misc]
    """llama_cpp's own does not escape backslashes, so that quotes in a value end its literal, takes
    two definitions whose names end alike for one, lets strings have line ends in them, and leaves
    bounds of numbers out."""

    def visit(self, schema: Any, name: str) -> Any:
        if not any(key in schema for key in integers.BOUNDS):
            return super().visit(schema, name)
        rule_name = f"{name}-" if name in RESERVED_NAMES else name or "root"
        return self._add_rule(rule_name, integers.between(*integers.bounds(schema)))

    def _add_primitive(self, name: str, rule: BuiltinRule) -> Any:
        return super()._add_primitive(name, _CHAR if name == "char" else rule)

    def _format_literal(self, literal: str) -> str:
        return '"' + "".join(_ESCAPES.get(char, char) for char in literal) + '"'

    def whole(self, schema: Any) -> Any:
        """The schema, to which what it refers to in itself is known."""
        self._whole = schema
        self._named: dict[Path, str] = {}  # rules of what is referred to
        self._n_char = 0  # of all rules
        return schema

    def _resolve_ref(self, ref: str) -> str:
        path = references.path_of(ref) or ()
        if path not in self._named:
            name = f"at-{len(self._named)}"
            while name in self._rules:
                name += "-"
            self._named[path] = name
            self._rules[name] = ""  # so that nothing else takes it
            part = self._whole
            for key in path:
                part = part[int(key) if isinstance(part, list) else key]
            self._rules[name] = str(self.visit(part, name))
        return self._named[path]

    def _add_rule(self, name: str, rule: str) -> Any:
        n_rule = len(self._rules)
        key = super()._add_rule(name, rule)
        self._n_char += len(rule) if len(self._rules) > n_rule else 0
        if self._n_char > _LONGEST:
            raise _TooLargeError
        return key


class _TooLargeError(ValueError):
    """A grammar of more than `_LONGEST` characters."""


class _Check:
    def __init__(self, param: str) -> None:
        self._param = param
        self._parts: dict[Path, Mapping[str, Any]] = {}

    def check(self, schema: Any) -> None:
        self._check(schema, (), 0)
        if found := references.fault(self._parts):
            raise self._fault(*found)

    def _check(self, schema: Any, where: Path, depth: int) -> None:
        if depth > _DEEPEST or len(self._parts) >= _MOST_PARTS:
            raise self._fault(where, "the schema is too deep or too large")
        if not isinstance(schema, Mapping):
            raise self._fault(where, "a schema is an object")
        self._parts[where] = schema
        for key in schema:
            if key not in _SAID:
                raise self._fault(where, f"{key[:40]!r} is not supported")
        self._types(schema, where)
        self._limits(schema, where)
        for key in ("properties", "$defs", "definitions"):
            for name, part in self._of(schema, key, Mapping, where).items():
                self._check(part, (*where, key, name), depth + 1)
        for key in ("anyOf", "prefixItems"):
            for i, part in enumerate(self._of(schema, key, list, where)):
                self._check(part, (*where, key, str(i)), depth + 1)
        for key in ("items", "additionalProperties"):
            if key in schema and not (key != "items" and isinstance(schema[key], bool)):
                self._check(schema[key], (*where, key), depth + 1)

    def _types(self, schema: Mapping[str, Any], where: Path) -> None:
        kind = schema.get("type")
        for one in kind if isinstance(kind, list) else [kind] if "type" in schema else []:
            if one not in _TYPES:
                raise self._fault(where, f"type is one of {', '.join(_TYPES)}")
        ref = schema.get("$ref", "#")
        if not isinstance(ref, str) or references.path_of(ref) is None:
            raise self._fault(where, "$ref points into the schema itself, as in #/$defs/name")
        if schema.get("propertyNames", {}) not in ({}, {"type": "string"}):
            raise self._fault(where, "propertyNames is any string")
        if schema.get("format", "date") not in _FORMATS:
            raise self._fault(where, f"format is one of {', '.join(_FORMATS)}")
        said = schema.keys() - _REMARKS - _DEFINITIONS
        if not any(said <= together for together in _TOGETHER):
            raise self._fault(where, f"{', '.join(sorted(said))} do not go together")
        for key, types in _OF_TYPES.items():
            if key in schema and kind is not None and kind not in types:
                raise self._fault(where, f"{key} is for type {types[0]}")

    def _limits(self, schema: Mapping[str, Any], where: Path) -> None:
        for key in ("minItems", "maxItems", "minLength", "maxLength"):
            value = schema.get(key, 0)
            if type(value) is not int or not 0 <= value <= _MOST_REPEATED:
                raise self._fault(where, f"{key} is 0 to {_MOST_REPEATED}")
        for least, most in (("minItems", "maxItems"), ("minLength", "maxLength")):
            if schema.get(least, 0) > schema.get(most, _MOST_REPEATED):
                raise self._fault(where, f"{least} is larger than {most}")
        try:
            integers.bounds(schema)
        except (ValueError, OverflowError) as error:
            raise self._fault(where, str(error)) from None
        if ("minItems" in schema or "maxItems" in schema) and "items" not in schema:
            raise self._fault(where, "minItems and maxItems need items")
        for key in ("enum", "anyOf", "prefixItems"):
            if key in schema and not self._of(schema, key, list, where):
                raise self._fault(where, f"{key} has at least one part")
        properties = self._of(schema, "properties", Mapping, where)
        for name in self._of(schema, "required", list, where):
            if not isinstance(name, str) or name not in properties:
                raise self._fault(where, "required names what is in properties")

    def _of(self, schema: Mapping[str, Any], key: str, kind: Any, where: Path) -> Any:
        value = schema.get(key, kind() if kind is list else {})
        if not isinstance(value, kind):
            raise self._fault(where, f"{key} is of another type")
        return value

    def _fault(self, where: Path, fault: str) -> ApiError:
        return ApiError(400, f"schema at {references.place(where)}: {fault}", param=self._param)

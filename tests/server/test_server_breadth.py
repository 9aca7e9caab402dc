"""How wide the grammars of schemas are: what is counted, and what is refused."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from llamood.server.breadth import WIDEST, breadth, require_narrow
from llamood.server.errors import ApiError
from llamood.server.formats import ANY_JSON, grammar_of
from llamood.server.gbnf import Chars, Named, Repeated, Text, rules_of

TEXT = {"type": "string"}


def shape(*, required: bool = True, **properties: Any) -> dict[str, Any]:
    names = {"required": list(properties)} if required else {}
    return {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        **names,
    }


def wide(schema: dict[str, Any]) -> int:
    return breadth(grammar_of(schema, param="schema"))


def test_a_grammar_is_read_into_rules() -> None:
    rules = rules_of('root ::= "a\\"" ([^b-c]* | x{2,5}) # "left out"\nx ::= [\\x41\\n-]? | . ""')
    assert rules["x"] == (
        (Repeated(Chars(((65, 65), (10, 10), (45, 45))), 0),),
        (Chars(((0, 0x10FFFF),)), Text("")),
    )
    (way,) = rules["root"]
    assert way[0] == Text('a"')
    assert isinstance(way[1], Named)
    assert rules[way[1].name] == (
        (Repeated(Chars(((0, 97), (100, 0x10FFFF))), 0),),
        (Repeated(Named("x"), 2),),
    )


@pytest.mark.parametrize("n", [1, 5, WIDEST - 2])
def test_each_value_of_an_enum_is_a_way(n: int) -> None:
    assert n <= wide({"enum": [f"a{i}" for i in range(n)]}) <= n + 2
    assert wide({"enum": [f"a{i}" for i in range(WIDEST + n)]}) == WIDEST + 1


def test_ways_that_begin_alike_multiply() -> None:
    inner: dict[str, Any] = {"type": "null"}
    widths = []
    for _ in range(4):
        inner = {"anyOf": [shape(a=inner, b={"const": i}) for i in range(2)]}
        widths.append(wide(inner))
    assert all(2 * few <= many for few, many in pairwise(widths[1:]))


@pytest.mark.parametrize("n", [2, 20])
def test_ways_that_begin_differently_do_not(n: int) -> None:
    inner: dict[str, Any] = {"type": "null"}
    for _ in range(2):
        inner = {"anyOf": [shape(kind={"const": f"k{i}"}, a=inner) for i in range(n)]}
        assert wide(inner) <= n + 3
    assert wide({"anyOf": [shape(**{f"p{i}": TEXT}) for i in range(n)]}) <= n + 3


def test_a_tree_is_narrow_unless_its_levels_begin_alike() -> None:
    node = {"$ref": "#/$defs/node"}
    ways: dict[str, list[Any]] = {
        "narrow": [shape(op={"const": "add"}, a=node, b=node), shape(no={"const": 1}, a=node)],
        "wide": [shape(a=node, b={"const": 1}), shape(a=node, b={"const": 2})],
    }
    found = {
        name: wide(
            {**shape(root=node), "$defs": {"node": {"anyOf": [*some, {"type": "null"}, TEXT]}}}
        )
        for name, some in ways.items()
    }
    assert found["narrow"] < 10
    assert found["wide"] == WIDEST + 1


@pytest.mark.parametrize(
    "schema",
    [
        TEXT,
        {"type": "object"},
        {"type": ["string", "number", "object", "array", "null", "boolean"]},
        {"type": "string", "maxLength": 500},
        {"type": "array", "items": {"type": "array", "items": TEXT, "maxItems": 500}},
        {"type": "array", "items": shape(required=False, **{f"p{i}": TEXT for i in range(60)})},
        shape(**{f"p{i}": {"enum": ["a", "b", "c"]} for i in range(200)}),
        {"type": "object", "properties": {"a": TEXT}, "additionalProperties": True},
        {"type": "string", "format": "date-time"},
    ],
)
def test_what_people_ask_for_is_narrow(schema: dict[str, Any]) -> None:
    require_narrow(grammar_of(schema, param="schema"), param="schema")
    require_narrow(ANY_JSON, param="schema")


@pytest.mark.parametrize(
    "schema",
    [
        {"enum": list(range(5000))},
        shape(required=False, **{f"p{i}": TEXT for i in range(700)}),
        {"anyOf": [shape(a=TEXT, b={"const": i}) for i in range(200)]},
    ],
)
def test_what_is_too_wide_is_told_by_field(schema: dict[str, Any]) -> None:
    with pytest.raises(ApiError, match="more than 128 ways") as told:
        require_narrow(grammar_of(schema, param="a"), param="response_format")
    assert told.value.param == "response_format"
    assert told.value.code == "schema_too_wide"

"""What the grammars of the service let a model say: JSON, whoever reads it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from contextlib import closing

import llama_cpp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jiter import from_json

import tiny_chat
from llamood.server import tools
from llamood.server.breadth import WIDEST, _Breadth
from llamood.server.errors import ApiError
from llamood.server.formats import ANY_JSON, grammar_of
from llamood.server.gbnf import rules_of
from llamood.server.tool_definitions import Function, Tool

Accepts = Callable[[str, str], bool]

STRING = grammar_of({"type": "string"}, param="schema")
SHORT = grammar_of({"type": "string", "maxLength": 40}, param="schema")
NAMED = grammar_of({"type": "object"}, param="schema")
FORMS = {STRING: "{}", SHORT: "{}", NAMED: '{{{}: "a"}}', ANY_JSON: '{{"a": {}}}'}


@pytest.fixture(scope="module")
def accepts() -> Iterator[Accepts]:
    """Whether a model that is drawn by a grammar could say a text up to its end."""
    with closing(llama_cpp.Llama(str(tiny_chat.MODEL), vocab_only=True, verbose=False)) as llm:
        vocab = llm._model.vocab

        def accepts(grammar: str, text: str) -> bool:
            drawer = llama_cpp.llama_sampler_init_grammar(vocab, grammar.encode(), b"root")
            assert drawer
            try:
                tokens = llm.tokenize(text.encode(), add_bos=False)
                return all(_draw(drawer, token) for token in [*tokens, llm.token_eos()])
            finally:
                llama_cpp.llama_sampler_free(drawer)

        yield accepts


def _draw(drawer: llama_cpp.llama_sampler_p, token: int) -> bool:
    likely = (llama_cpp.llama_token_data * 1)(llama_cpp.llama_token_data(token, 0.0, 0.0))
    among = llama_cpp.llama_token_data_array(likely, 1, -1, False)
    llama_cpp.llama_sampler_apply(drawer, among)
    if math.isinf(likely[0].logit):
        return False
    llama_cpp.llama_sampler_accept(drawer, token)
    return True


@pytest.mark.parametrize(("grammar", "form"), FORMS.items())
@pytest.mark.parametrize(
    "said",
    [
        '"a\nb"',
        '"\t"',
        '"\x00"',
        '"\x1f"',
        r'"\ud800"',
        r'"\uDFFF"',
        r'"\x41"',
        r'"\u12"',
        '"a',
        'a"',
        '"\\"',
    ],
)
def test_what_is_no_text_of_json_is_never_said(
    accepts: Accepts, grammar: str, form: str, said: str
) -> None:
    assert not accepts(grammar, form.format(said))


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=20), is_ascii=st.booleans())
def test_every_text_can_be_said(accepts: Accepts, text: str, is_ascii: bool) -> None:
    plain = "".join(char for char in text if char != "\x7f" and (not is_ascii or char <= "\uffff"))
    said = json.dumps(plain, ensure_ascii=is_ascii)
    for grammar, form in FORMS.items():
        assert accepts(grammar, form.format(said)), (grammar, said)


_PIECES = [
    "a",
    '"',
    "\\",
    "\n",
    "\x7f",
    "u",
    "0",
    "d8",
    "\u00e9",
    "\U0001f600",
    "n",
    "/",
    " ",
    "\t",
]


@given(text=st.lists(st.sampled_from(_PIECES), max_size=12).map("".join))
def test_what_can_be_said_is_json(accepts: Accepts, text: str) -> None:
    for grammar, form in FORMS.items():
        said = form.format(f'"{text}"')
        if accepts(grammar, said):
            assert from_json(said.encode()) == json.loads(said)


def spoken(schema: object) -> str:
    return grammar_of({"type": "array", "prefixItems": [schema]}, param="schema")


LARGEST = 2**53 - 1  # what zod bounds whole numbers by


@given(
    bounds=st.tuples(*[st.integers(-LARGEST, LARGEST) | st.integers(-30, 120)] * 2).map(sorted),
    said=st.integers(-LARGEST - 2, LARGEST + 2) | st.integers(-40, 140),
    is_open=st.booleans(),
)
def test_whole_numbers_are_within_their_bounds(
    accepts: Accepts, bounds: list[int], said: int, is_open: bool
) -> None:
    low, high = bounds
    keys = ("exclusiveMinimum", "exclusiveMaximum") if is_open else ("minimum", "maximum")
    edges = (low - 1, high + 1) if is_open else (low, high)
    grammar = spoken({"type": "integer", **dict(zip(keys, edges, strict=True))})
    for number in (said, low, high, low - 1, high + 1):
        assert accepts(grammar, f"[{number}]") == (low <= number <= high), (grammar, number)
    for written in ("-0", "00", f"0{max(high, 1)}", f"{high}.0", "1e1"):
        assert not accepts(grammar, f"[{written}]"), written


@pytest.mark.parametrize(
    ("bounds", "inside", "outside"),
    [
        ({"minimum": 0}, (0, 7, 10**15), (-1,)),
        ({"exclusiveMinimum": 0, "maximum": LARGEST}, (1, LARGEST), (0, -1, LARGEST + 1)),
        ({"maximum": -3}, (-3, -(10**15)), (-2, 0)),
        ({"minimum": 0, "maximum": 2**64 - 1}, (0, 10**15), (-1,)),
        ({"minimum": 0.5, "maximum": 2.5}, (1, 2), (0, 3)),
        ({"minimum": 4, "exclusiveMinimum": 2, "maximum": 4}, (4,), (3, 5)),
    ],
)
def test_bounds_as_their_writers_mean_them(
    accepts: Accepts, bounds: dict[str, float], inside: tuple[int, ...], outside: tuple[int, ...]
) -> None:
    for name in ("a", "root", "integer"):
        properties = {name: {"type": "integer", **bounds}}
        schema = {"type": "object", "properties": properties, "required": [name]}
        grammar = grammar_of(schema, param="schema")
        assert all(accepts(grammar, f'{{"{name}": {number}}}') for number in inside)
        assert not any(accepts(grammar, f'{{"{name}": {number}}}') for number in outside)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "number", "minimum": 0}, "minimum is for type integer"),
        ({"type": "integer", "maximum": "9"}, "maximum is a number"),
        ({"type": "integer", "minimum": 2, "maximum": 1}, "within minimum, maximum"),
        ({"type": "integer", "exclusiveMinimum": 1, "exclusiveMaximum": 2}, "no whole number"),
        ({"type": "integer", "minimum": 10**30}, "no whole number of at most 16 digits"),
        ({"type": "object", "propertyNames": {"maxLength": 3}}, "propertyNames is any string"),
    ],
)
def test_bounds_that_are_refused(schema: dict[str, object], said: str) -> None:
    with pytest.raises(ApiError) as refused:
        grammar_of(schema, param="schema")
    assert said in refused.value.detail


def test_a_record_of_anything_that_has_a_name(accepts: Accepts) -> None:
    grammar = grammar_of(
        {
            "type": "object",
            "propertyNames": {"type": "string"},
            "additionalProperties": {"type": "integer", "minimum": 0, "maximum": 9},
        },
        param="schema",
    )
    assert accepts(grammar, '{"a": 1, "b": 9}')
    assert not accepts(grammar, '{"a": 10}')


TREE = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "in": {"type": "array", "items": {"$ref": "#"}}},
    "required": ["n", "in"],
}


@pytest.mark.parametrize(
    ("schema", "said", "not_said"),
    [
        (TREE, '{"n": 1,"in": [{"n": 2,"in": []}]}', '{"n": 1,"in": [2]}'),
        ({"$ref": "#/$defs/a~1b~0", "$defs": {"a/b~": {"type": "null"}}}, "null", "true"),
        ({"$ref": "#/$defs/a%20b", "$defs": {"a b": {"type": "null"}}}, "null", "true"),
        (
            {"$ref": "#/$defs/a/anyOf/1", "$defs": {"a": {"anyOf": [{}, {"type": "null"}]}}},
            "null",
            "true",
        ),
    ],
)
def test_a_schema_refers_to_itself_and_its_parts(
    accepts: Accepts, schema: dict[str, object], said: str, not_said: str
) -> None:
    grammar = grammar_of(schema, param="schema")
    assert accepts(grammar, said)
    assert not accepts(grammar, not_said)
    call = tools.grammar([Tool(type="function", function=Function(name="go", parameters=schema))])
    written = '<tool_call>\n{{"name": "go","arguments": {}}}\n</tool_call>'
    assert accepts(call, written.format(said))
    assert not accepts(call, written.format(not_said))


REQUIRED = {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}}, "required": ["a"]}


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"$ref": "#/$defs/b", "$defs": {"a": {}}}, "schema at its root: $ref is '#/$defs/b', and"),
        ({"$ref": "#/properties"}, "and no schema lies there"),
        ({"$ref": "name"}, "points into the schema itself"),
        ({"$ref": ["#"]}, "points into the schema itself"),
        ({"$ref": "#"}, "schema at its root: $ref leads in a circle"),
        ({"anyOf": [{"type": "null"}, {"$ref": "#"}]}, "leads in a circle"),
        ({"$defs": {"a": REQUIRED}, **REQUIRED}, "no value of it is ever complete"),
        ({"type": "array", "items": {"$ref": "#"}, "minItems": 1}, "is ever complete"),
        ({"type": "array", "prefixItems": [{"$ref": "#"}]}, "is ever complete"),
    ],
)
def test_references_to_nothing_are_refused(schema: dict[str, object], said: str) -> None:
    with pytest.raises(ApiError) as refused:
        grammar_of(schema, param="schema")
    assert said in refused.value.detail


@pytest.mark.parametrize("n", [2, 1900])
def test_a_chain_of_references_is_followed_or_refused(n: int) -> None:
    links = {f"d{i}": {"$ref": f"#/$defs/d{i + 1}"} for i in range(n)}
    schema = {"$ref": "#/$defs/d0", "$defs": {**links, f"d{n}": {"type": "null"}}}
    if n == 2:
        assert "null" in grammar_of(schema, param="schema")
        return
    with pytest.raises(ApiError, match="cannot be written"):
        grammar_of(schema, param="schema")


def test_a_reference_is_one_however_it_is_spelled_and_called() -> None:
    long = {"type": "object", "properties": {f"property-{i}": {"type": "null"} for i in range(60)}}
    spelled = ["#/$defs/abc", "#/$defs/%61bc", "#/$defs/a%62c", "#/$defs/%61%62%63"]
    properties = {f"p{i}": {"$ref": ref} for i, ref in enumerate(spelled)}
    grammar = grammar_of(
        {"type": "object", "properties": properties, "$defs": {"abc": long}}, param="schema"
    )
    assert grammar.count('property-7\\"') == 1


def test_no_property_takes_the_name_of_a_reference(accepts: Accepts) -> None:
    inner = {"anyOf": [{"$ref": "#"}, {"type": "null"}]}
    names = ["at-23", "at-0", "at-1", "at"]
    schema = {
        "type": "object",
        "properties": {**{name: {"enum": ["x"]} for name in names}, "b": inner},
        "required": [*names, "b"],
    }
    grammar = grammar_of(schema, param="schema")
    first = ",".join(f'"{name}": "x"' for name in names)
    assert accepts(grammar, f'{{{first},"b": {{{first},"b": null}}}}')
    assert not accepts(grammar, f'{{{first},"b": "x"}}')


def test_what_would_be_too_large_is_refused_before_it_is_written() -> None:
    names = {f"{i}": {"type": "string", "maxLength": 500} for i in range(900)}
    parts = {f"d{i}": {"type": "object", "properties": names} for i in range(2)}
    schema = {"anyOf": [{"$ref": f"#/$defs/d{i}"} for i in range(2)], "$defs": parts}
    with pytest.raises(ApiError, match="too large"):
        grammar_of(schema, param="schema")


def test_of_a_long_chain_each_rule_is_looked_at_once_more() -> None:
    """In whatever order the rules stand; it took half a minute."""
    n = 400
    links: dict[str, object] = {
        f"d{i}": {"type": "object", "properties": {"a": {"$ref": f"#/$defs/d{i + 1}"}}}
        for i in range(n)
    }
    properties = {f"p{i}": {"$ref": f"#/$defs/d{i}"} for i in range(n, -1, -1)}
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "$defs": {**links, f"d{n}": {"type": "null"}},
    }
    grammar = grammar_of(schema, param="schema")
    rules = rules_of(grammar)
    counted = _Counted(rules)
    assert counted.found["root"] <= WIDEST
    assert counted.n_looked < 4 * len(rules)


class _Counted(_Breadth):
    n_looked = 0

    def _of(self, name: str) -> int:
        self.n_looked += 1
        return super()._of(name)
